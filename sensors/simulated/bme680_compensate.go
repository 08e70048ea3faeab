package simulated

import "sort"

// The calibration of a chip in the field. With it Bosch's integers give 26.69 °C, 98712 Pa and 42.402 % for the converters'
// 501240, 353485 and 19019.
const (
	bme680T1, bme680T2, bme680T3                     = 26041, 26469, 3
	bme680P1, bme680P2, bme680P3, bme680P4, bme680P5 = 36673, -10515, 88, 7310, -129
	bme680P6, bme680P7, bme680P8, bme680P9, bme680PA = 30, 46, -3177, -2379, 30
	bme680H1, bme680H2, bme680H3, bme680H4           = 676, 1029, 0, 45
	bme680H5, bme680H6, bme680H7                     = 20, 120, -100
	bme680GH1, bme680GH2, bme680GH3                  = -30, -24754, 18
	bme680HeatRange, bme680HeatValue                 = 1, 48
)

// bme680Calibration fills the registers from 0x00, 0x89 and 0xe1.
func bme680Calibration(regs []byte) {
	regs[0x00], regs[0x02] = bme680HeatValue, bme680HeatRange<<4
	for reg, v := range map[int]int{
		0x8a: bme680T2, 0x8e: bme680P1, 0x90: bme680P2, 0x94: bme680P4, 0x96: bme680P5, 0x9c: bme680P8, 0x9e: bme680P9,
		0xe9: bme680T1, 0xeb: bme680GH2,
	} {
		wordLE(regs[reg:], v)
	}
	for reg, v := range map[int]int{
		0x8c: bme680T3, 0x92: bme680P3, 0x98: bme680P7, 0x99: bme680P6, 0xa0: bme680PA,
		0xe1: bme680H2 >> 4, 0xe2: bme680H2&15<<4 | bme680H1&15, 0xe3: bme680H1 >> 4,
		0xe4: bme680H3, 0xe5: bme680H4, 0xe6: bme680H5, 0xe7: bme680H6, 0xe8: bme680H7,
		0xed: bme680GH1, 0xee: bme680GH3,
	} {
		regs[reg] = byte(v)
	}
}

// The formulas in integers (datasheet §3.3; Bosch's driver). They return 1/5120 °C, Pa, 1/1000 % and Ω.

func bme680Fine(raw int64) int64 {
	d := raw>>3 - bme680T1<<1
	return d*bme680T2>>11 + ((d>>1)*(d>>1)>>12)*(bme680T3<<4)>>14
}

func bme680Pascals(raw, fine int64) int64 {
	v1 := fine>>1 - 64000
	v2 := (v1 >> 2) * (v1 >> 2) >> 11 * bme680P6 >> 2
	v2 = (v2+v1*bme680P5<<1)>>2 + bme680P4<<16
	v1 = ((v1>>2)*(v1>>2)>>13*(bme680P3<<5)>>3 + bme680P2*v1>>1) >> 18
	v1 = (32768 + v1) * bme680P1 >> 15
	p := (1048576 - raw - v2>>12) * 3125 * 2 / v1
	v1 = bme680P9 * ((p >> 3) * (p >> 3) >> 13) >> 12
	v2 = (p >> 2) * bme680P8 >> 13
	v3 := (p >> 8) * (p >> 8) * (p >> 8) * bme680PA >> 17
	return p + (v1+v2+v3+bme680P7<<7)>>4
}

func bme680Millipercent(raw, fine int64) int64 {
	t := (fine*5 + 128) >> 8 // 1/100 °C
	v1 := raw - bme680H1*16 - t*bme680H3/100>>1
	v2 := bme680H2 * (t*bme680H4/100 + t*(t*bme680H5/100)>>6/100 + 1<<14) >> 10
	v3 := v1 * v2
	v4 := (bme680H6<<7 + t*bme680H7/100) >> 4
	v5 := (v3 >> 14) * (v3 >> 14) >> 10
	return min(max((v3+v4*v5>>1)>>10*1000>>12, 0), 100000)
}

func bme680Ohms(raw int64, scale int) int64 {
	off := map[int]int64{5: 2126008810, 7: 2130303777, 10: 2143188679, 11: 2136746228, 13: 2126008810}
	ohms := [16]int64{4096000000, 2048000000, 1024000000, 512000000, 255744255, 127110228, 64000000, 32258064,
		16016016, 8000000, 4000000, 2000000, 1000000, 500000, 250000, 125000}
	k, ok := off[scale]
	if !ok {
		k = 2147483647
	}
	v1 := 1340 * k >> 16
	v2 := raw<<15 - 1<<24 + v1
	return (ohms[scale]*v1>>9 + v2>>1) / v2
}

// The inverses: what the converters read. All but the humidity's and the temperature's fall as the quantity grows.

func bme680RawTemperature(celsius float64) int {
	return sort.Search(1<<20-1, func(raw int) bool { return bme680Fine(int64(raw)) >= int64(celsius*5120) })
}

func bme680RawPressure(pascals float64, fine int64) int {
	return sort.Search(1<<20-1, func(raw int) bool { return bme680Pascals(int64(raw), fine) <= int64(pascals) })
}

func bme680RawHumidity(percent float64, fine int64) int {
	return sort.Search(1<<16-1, func(raw int) bool { return bme680Millipercent(int64(raw), fine) >= int64(percent*1000) })
}

// bme680RawGas returns the number and the range in which the resistance is nearest to the middle of the converter.
func bme680RawGas(ohms float64) (raw, scale int) {
	for scale = 15; scale > 0 && float64(bme680Ohms(100, scale)) < ohms; scale-- {
	}
	raw = sort.Search(1023, func(raw int) bool { return float64(bme680Ohms(int64(raw), scale)) <= ohms })
	return raw, scale
}
