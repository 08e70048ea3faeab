package sensors

import (
	"encoding/binary"
	"errors"
)

// boschTrim is the calibration of one chip, as the datasheet names it (§4.2.2).
type boschTrim struct {
	T1                             uint16
	T2, T3                         int16
	P1                             uint16
	P2, P3, P4, P5, P6, P7, P8, P9 int16
	H1, H3                         uint8
	H2, H4, H5                     int16
	H6                             int8
}

// decodeTrim reads registers 0x88 to 0xa1 and 0xe1 to 0xe7; the latter are zero on a BMP280. H4 and H5 are signed numbers
// of 12 bits that share 0xe5. It refuses what no calibrated chip holds.
func decodeTrim(tp [26]byte, h [7]byte) (*boschTrim, error) {
	word := func(i int) uint16 { return binary.LittleEndian.Uint16(tp[i:]) }
	signed := func(i int) int16 { return int16(word(i)) }
	t := &boschTrim{
		T1: word(0), T2: signed(2), T3: signed(4),
		P1: word(6), P2: signed(8), P3: signed(10), P4: signed(12), P5: signed(14),
		P6: signed(16), P7: signed(18), P8: signed(20), P9: signed(22),
		H1: tp[25], H2: int16(binary.LittleEndian.Uint16(h[0:])), H3: h[2],
		H4: int16(int8(h[3]))<<4 | int16(h[4]&0x0f),
		H5: int16(int8(h[5]))<<4 | int16(h[4]>>4),
		H6: int8(h[6]),
	}
	if t.T1 == 0 || t.T1 == 0xffff || t.P1 == 0 || t.P1 == 0xffff {
		return nil, errors.New("the calibration is blank")
	}
	return t, nil
}

// The three formulas are the datasheet's own in double precision (BME280 §8.1, BMP280 §8.1).

// temperature returns °C, and the fine temperature that the other two need.
func (t *boschTrim) temperature(raw int32) (celsius, fine float64) {
	x := float64(raw)
	var1 := (x/16384 - float64(t.T1)/1024) * float64(t.T2)
	var2 := x/131072 - float64(t.T1)/8192
	fine = var1 + var2*var2*float64(t.T3)
	return fine / 5120, fine
}

// pressure returns Pa.
func (t *boschTrim) pressure(raw int32, fine float64) float64 {
	var1 := fine/2 - 64000
	var2 := var1 * var1 * float64(t.P6) / 32768
	var2 += var1 * float64(t.P5) * 2
	var2 = var2/4 + float64(t.P4)*65536
	var1 = (float64(t.P3)*var1*var1/524288 + float64(t.P2)*var1) / 524288
	var1 = (1 + var1/32768) * float64(t.P1)
	if var1 == 0 {
		return 0 // outside of every chip's range, so it goes no further
	}
	p := (1048576 - float64(raw) - var2/4096) * 6250 / var1
	var1 = float64(t.P9) * p * p / 2147483648
	var2 = p * float64(t.P8) / 32768
	return p + (var1+var2+float64(t.P7))/16
}

// humidity returns % relative humidity. Beyond 0 and 100 lies only the sensor's own error.
func (t *boschTrim) humidity(raw int32, fine float64) float64 {
	x := fine - 76800
	x = (float64(raw) - (float64(t.H4)*64 + float64(t.H5)/16384*x)) *
		(float64(t.H2) / 65536 * (1 + float64(t.H6)/67108864*x*(1+float64(t.H3)/67108864*x)))
	x *= 1 - float64(t.H1)*x/524288
	return min(max(x, 0), 100)
}
