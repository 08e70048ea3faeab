package sensors

import "errors"

// dpsTrim is the calibration of one DPS310, as the datasheet names it (§8.11).
type dpsTrim struct {
	c0, c1                            int32
	c00, c10, c01, c11, c20, c21, c30 int32
}

// Scale factors for the number of times that a measurement is repeated (table 9): once, and eight times.
const (
	dpsScale1 = 524288
	dpsScale8 = 7864320
)

// decodeDPSTrim reads registers 0x10 to 0x21: two numbers of 12 bits, two of 20, five of 16. It refuses what no calibrated chip
// holds.
func decodeDPSTrim(r [18]byte) (*dpsTrim, error) {
	word := func(i int) int32 { return int32(int16(uint16(r[i])<<8 | uint16(r[i+1]))) }
	upper := func(i int) int32 { return int32(uint32(r[i])<<24 | uint32(r[i+1])<<16 | uint32(r[i+2])<<8) }
	t := &dpsTrim{
		c0: upper(0) >> 20, c1: upper(1) << 4 >> 20,
		c00: upper(3) >> 12, c10: upper(5) << 4 >> 12,
		c01: word(8), c11: word(10), c20: word(12), c21: word(14), c30: word(16),
	}
	if t.c1 == 0 || t.c10 == 0 || t.c1 == -1 && t.c10 == -1 {
		return nil, errors.New("the calibration is blank")
	}
	return t, nil
}

// decode returns the values of two raw numbers: the temperature measured once, the pressure eight times (§4.9.1 and §4.9.2).
func (t *dpsTrim) decode(temperature, pressure int32) map[string]float64 {
	ts, ps := float64(temperature)/dpsScale1, float64(pressure)/dpsScale8
	celsius := float64(t.c0)/2 + float64(t.c1)*ts
	pascals := float64(t.c00) + ps*(float64(t.c10)+ps*(float64(t.c20)+ps*float64(t.c30))) +
		ts*float64(t.c01) + ts*ps*(float64(t.c11)+ps*float64(t.c21))
	return map[string]float64{"temperature_celsius": round(celsius, 0.01), "pressure_pascals": round(pascals, 0.1)}
}

func signed24(r [3]byte) int32 {
	return int32(uint32(r[0])<<24|uint32(r[1])<<16|uint32(r[2])<<8) >> 8
}
