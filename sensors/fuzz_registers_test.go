package sensors

import (
	"maps"
	"testing"
)

// FuzzRegisterChips gives any bytes to the decoders of chips that are read through registers: nothing panics, and what comes
// out is an error, or values of the chip's own quantities of which those outside of their ranges, and what is no number, are
// held off. The first byte says which decoder.
func FuzzRegisterChips(f *testing.F) {
	for which := range byte(8) {
		f.Add(append([]byte{which}, make([]byte, 60)...))
		f.Add([]byte{which, 0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc, 0xde, 0xf0, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99,
			0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff, 0x01, 0x80, 0x7f, 0xfe, 0x81})
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) == 0 {
			return
		}
		bytes := make([]byte, 64) // what is missing reads zeros
		copy(bytes, data[1:])
		driver, values, err := decodeRegisters(data[0], bytes)
		if err != nil && values != nil {
			t.Errorf("%s: %v beside %v", driver.Chip, values, err)
		}
		quantities := map[string]bool{}
		for _, q := range driver.Quantities {
			quantities[q.Name] = true
		}
		for name := range values {
			if !quantities[name] {
				t.Errorf("%s: %s is none of its quantities", driver.Chip, name)
			}
		}
		if err != nil || checkRange(values, driver.Quantities) != nil {
			return
		}
		for name, v := range maps.All(values) {
			if v-v != 0 {
				t.Errorf("%s: %s is %v", driver.Chip, name, v)
			}
		}
	})
}

// decodeRegisters decodes 64 bytes by one of the decoders.
func decodeRegisters(which byte, b []byte) (Driver, map[string]float64, error) {
	switch which % 8 {
	case 0:
		trim, err := decodeBMP180Trim([22]byte(b))
		if err != nil {
			return bmp180, nil, err
		}
		up := int64(b[24])<<16 | int64(b[25])<<8 | int64(b[26])
		values, err := trim.decode(int64(b[22])<<8|int64(b[23]), up>>5, bmp180Oversample)
		return bmp180, values, err
	case 1:
		trim, err := decodeBME680Trim([24]byte(b), [14]byte(b[24:]), [5]byte(b[38:]))
		if err != nil {
			return bme680, nil, err
		}
		trim.heat(bme680Celsius, float64(int8(b[60])))
		return bme680, trim.decode([15]byte(b[43:])), nil
	case 2:
		trim, err := decodeDPSTrim([18]byte(b))
		if err != nil {
			return dps310, nil, err
		}
		return dps310, trim.decode(signed24([3]byte(b[18:])), signed24([3]byte(b[21:]))), nil
	case 3:
		return mcp9808, map[string]float64{"temperature_celsius": decodeMCP9808([2]byte(b))}, nil
	case 4:
		raw := [][2]byte{[2]byte(b), [2]byte(b[2:]), [2]byte(b[4:]), [2]byte(b[6:])}
		values, err := decodeEMC141x(raw, b[8], b[9])
		return emc1414, values, err
	case 5:
		values, err := decodeLSM303DLHC([6]byte(b))
		return lsm303dlhc, values, err
	case 6:
		values, err := decodeMPU6050([14]byte(b))
		return mpu6050, values, err
	default:
		values, err := decodeCCS811([6]byte(b))
		return ccs811, values, err
	}
}
