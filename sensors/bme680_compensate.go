package sensors

import (
	"encoding/binary"
	"errors"
	"math"
)

// bme680Trim is the calibration of one BME680, as the datasheet names it (tables 11 to 17).
type bme680Trim struct {
	t1, t2, t3                              float64
	p1, p2, p3, p4, p5, p6, p7, p8, p9, p10 float64
	h1, h2, h3, h4, h5, h6, h7              float64
	gh1, gh2, gh3                           float64
	heatRange, heatValue, switching         float64
}

// decodeBME680Trim reads registers from 0x89, from 0xe1, and from 0x00. It refuses what no calibrated chip holds.
func decodeBME680Trim(first [24]byte, second [14]byte, heater [5]byte) (*bme680Trim, error) {
	u16 := func(b []byte) float64 { return float64(binary.LittleEndian.Uint16(b)) }
	s16 := func(b []byte) float64 { return float64(int16(binary.LittleEndian.Uint16(b))) }
	s8 := func(b byte) float64 { return float64(int8(b)) }
	t := &bme680Trim{
		t1: u16(second[8:]), t2: s16(first[1:]), t3: s8(first[3]),
		p1: u16(first[5:]), p2: s16(first[7:]), p3: s8(first[9]), p4: s16(first[11:]), p5: s16(first[13:]),
		p7: s8(first[15]), p6: s8(first[16]), p8: s16(first[19:]), p9: s16(first[21:]), p10: float64(first[23]),
		h2: float64(uint16(second[0])<<4 | uint16(second[1])>>4), h1: float64(uint16(second[2])<<4 | uint16(second[1])&0xf),
		h3: s8(second[3]), h4: s8(second[4]), h5: s8(second[5]), h6: float64(second[6]), h7: s8(second[7]),
		gh2: s16(second[10:]), gh1: s8(second[12]), gh3: s8(second[13]),
		heatValue: s8(heater[0]), heatRange: float64(heater[2] >> 4 & 3), switching: float64(int8(heater[4]) >> 4),
	}
	if t.t1 == 0 || t.t1 == 0xffff || t.p1 == 0 || t.p1 == 0xffff {
		return nil, errors.New("the calibration is blank")
	}
	return t, nil
}

// The formulas are the datasheet's own in floating point (§3.3).

// temperature returns °C.
func (t *bme680Trim) temperature(raw float64) float64 {
	d := raw/16384 - t.t1/1024
	return (d*t.t2 + d*d/64*t.t3*16) / 5120
}

// pressure returns Pa, or NaN where the calibration has none.
func (t *bme680Trim) pressure(raw, celsius float64) float64 {
	v := celsius*5120/2 - 64000
	v2 := (v*v*t.p6/131072+v*t.p5*2)/4 + t.p4*65536
	v1 := (1 + (t.p3*v*v/16384+t.p2*v)/524288/32768) * t.p1
	if v1 == 0 {
		return math.NaN()
	}
	p := (1048576 - raw - v2/4096) * 6250 / v1
	return p + (t.p9*p*p/2147483648+p*t.p8/32768+math.Pow(p/256, 3)*t.p10/131072+t.p7*128)/16
}

// humidity returns %.
func (t *bme680Trim) humidity(raw, celsius float64) float64 {
	v := raw - (t.h1*16 + t.h3/2*celsius)
	v *= t.h2 / 262144 * (1 + t.h4/16384*celsius + t.h5/1048576*celsius*celsius)
	return min(max(v+(t.h6/16384+t.h7/2097152*celsius)*v*v, 0), 100)
}

// The converter of the gas resistance has 16 ranges, some of which are a little off (§3.4.1).
var (
	bme680Off1 = [16]float64{5: -1, 7: -0.8, 10: -0.2, 11: -0.5, 13: -1}
	bme680Off2 = [16]float64{4: 0.1, 5: 0.7, 7: -0.8, 8: -0.1}
)

// gas returns Ω for the number and range of the converter.
func (t *bme680Trim) gas(raw, scale int) float64 {
	v := (1340 + 5*t.switching) * (1 + bme680Off1[scale]/100)
	return 1 / ((1 + bme680Off2[scale]/100) * 0.000000125 * float64(int(1)<<scale) * ((float64(raw)-512)/v + 1))
}

// heat returns the number for res_heat_0 by which the heater comes to target where the air has ambient, both in °C.
func (t *bme680Trim) heat(target, ambient float64) byte {
	v := (t.gh1/16+49)*(1+(t.gh2/32768*0.0005+0.00235)*target) + t.gh3/1024*ambient
	n := 3.4 * (v*(4/(4+t.heatRange))/(1+t.heatValue*0.002) - 25)
	return byte(min(max(n, 0), 255))
}

// decode makes values of registers 0x1d to 0x2b. The gas has one only where the chip says that it was measured, and that the
// heater was as hot as it had to be.
func (t *bme680Trim) decode(r [15]byte) map[string]float64 {
	const valid, stable = 1 << 5, 1 << 4
	raw20 := func(b []byte) float64 { return float64(uint32(b[0])<<12 | uint32(b[1])<<4 | uint32(b[2])>>4) }
	celsius := t.temperature(raw20(r[5:]))
	values := map[string]float64{
		"temperature_celsius": round(celsius, 0.01),
		"pressure_pascals":    round(t.pressure(raw20(r[2:]), celsius), 0.1),
		"humidity_percent":    round(t.humidity(float64(binary.BigEndian.Uint16(r[8:])), celsius), 0.01),
	}
	if r[14]&valid != 0 && r[14]&stable != 0 {
		values["gas_resistance_ohms"] = round(t.gas(int(r[13])<<2|int(r[14])>>6, int(r[14]&0xf)), 1)
	}
	return values
}
