package sensors

import (
	"maps"
	"math"
	"testing"
)

// The worked examples of datasheets, and what the conversions do at the ends of their ranges.

func TestBMP180WorkedExample(t *testing.T) {
	t.Parallel()
	trim, err := decodeBMP180Trim([22]byte{
		0x01, 0x98, 0xff, 0xb8, 0xc7, 0xd1, 0x7f, 0xe5, 0x7f, 0xf5, 0x5a, 0x71, 0x18, 0x2e, 0x00, 0x04, 0x80, 0x00,
		0xdd, 0xf9, 0x0b, 0x34,
	})
	if err != nil {
		t.Fatal(err)
	}
	if want := (bmp180Trim{408, -72, -14383, 32741, 32757, 23153, 6190, 4, -32768, -8711, 2868}); *trim != want {
		t.Errorf("calibration %+v, want %+v", *trim, want)
	}
	got, err := trim.decode(27898, 23843, 0) // figure 4 of the datasheet
	if err != nil || got["temperature_celsius"] != 15 || got["pressure_pascals"] != 69964 {
		t.Errorf("%v, %v: want 15.0 °C, 69964 Pa", got, err)
	}
	for i := range 11 {
		for _, b := range []byte{0, 0xff} {
			blank := [22]byte{}
			for j := range blank {
				blank[j] = 0x12
			}
			blank[2*i], blank[2*i+1] = b, b
			if _, err := decodeBMP180Trim(blank); err == nil {
				t.Errorf("word %d is blank, and nobody minds", i+1)
			}
		}
	}
}

// A chip in the field, for which Bosch's integers give 26.69 °C, 98712 Pa, 42.402 %, and 12946860 Ω for the lowest number.
var bme680Field = bme680Trim{
	t1: 26041, t2: 26469, t3: 3,
	p1: 36673, p2: -10515, p3: 88, p4: 7310, p5: -129, p6: 30, p7: 46, p8: -3177, p9: -2379, p10: 30,
	h1: 676, h2: 1029, h3: 0, h4: 45, h5: 20, h6: 120, h7: -100,
	gh1: -30, gh2: -24754, gh3: 18, heatRange: 1, heatValue: 48,
}

func TestBME680FieldExample(t *testing.T) {
	t.Parallel()
	celsius := bme680Field.temperature(501240)
	for _, v := range []struct {
		what              string
		got, want, within float64
	}{
		{"temperature", celsius, 26.69, 0.006},
		{"pressure", bme680Field.pressure(353485, celsius), 98712, 6}, // the integers cut off several Pa on their way
		{"humidity", bme680Field.humidity(19019, celsius), 42.402, 0.02},
		{"gas", bme680Field.gas(0, 0), 12946860, 1},
		{"gas, a range that is off", bme680Field.gas(512, 5), 1 / (1.007 * 0.000000125 * 32), 1e-6},
	} {
		if math.Abs(v.got-v.want) > v.within {
			t.Errorf("%s: %v, want %v ± %v", v.what, v.got, v.want, v.within)
		}
	}
	// Hotter needs more, warmer air needs more of the scale (gh3 is positive here).
	if low, high := bme680Field.heat(200, 25), bme680Field.heat(400, 25); low == 0 || high <= low || high == 255 {
		t.Errorf("heater: %d for 200 °C, %d for 400 °C", low, high)
	}
}

func TestDecodeBME680Trim(t *testing.T) {
	t.Parallel()
	first := [24]byte{1: 0x65, 2: 0x67, 3: 3, 5: 0x41, 6: 0x8f, 7: 0xed, 8: 0xd6, 9: 88, 11: 0x8e, 12: 0x1c, 13: 0x7f, 14: 0xff,
		15: 46, 16: 30, 19: 0x97, 20: 0xf3, 21: 0xb5, 22: 0xf6, 23: 30}
	second := [14]byte{0x40, 0x54, 0x2a, 0, 45, 20, 120, 0x9c, 0xb9, 0x65, 0x4e, 0x9f, 0xe2, 18}
	got, err := decodeBME680Trim(first, second, [5]byte{48, 0, 0x10, 0, 0})
	if err != nil || *got != bme680Field {
		t.Errorf("%+v, %v\nwant %+v", *got, err, bme680Field)
	}
	if got, err := decodeBME680Trim(first, second, [5]byte{48, 0, 0x3f, 0, 0xf5}); err != nil || got.switching != -1 || got.heatRange != 3 {
		t.Errorf("%+v, %v: want -1 for the switching error, 3 for the heater's range", got, err)
	}
	if _, err := decodeBME680Trim([24]byte{}, [14]byte{}, [5]byte{}); err == nil {
		t.Error("a blank calibration is taken")
	}
}

// The gas has no value unless it was measured, and by a heater that was hot.
func TestBME680GasIsChecked(t *testing.T) {
	t.Parallel()
	for bits, want := range map[byte]bool{0x30: true, 0x20: false, 0x10: false, 0x00: false} {
		values := bme680Field.decode([15]byte{0: 0x80, 2: 0x56, 5: 0x7a, 8: 0x4a, 13: 0x80, 14: bits | 5})
		if _, ok := values["gas_resistance_ohms"]; ok != want || len(values) < 3 {
			t.Errorf("bits 0x%02x: %v", bits, values)
		}
	}
}

// The calibration and the numbers that QEMU's model of the chip has.
func TestDPS310Example(t *testing.T) {
	t.Parallel()
	trim, err := decodeDPSTrim([18]byte{
		0x0e, 0x1e, 0xdd, 0x13, 0xca, 0x5f, 0x21, 0x52, 0xf9, 0xc6, 0x04, 0xd1, 0xdb, 0x47, 0x00, 0x5b, 0xfb, 0x3a,
	})
	want := dpsTrim{225, -291, 81061, -57006, -1594, 1233, -9401, 91, -1222}
	if err != nil || *trim != want {
		t.Fatalf("%+v, %v, want %+v", *trim, err, want)
	}
	got := trim.decode(signed24([3]byte{0x02, 0x69, 0xa6}), signed24([3]byte{0xfe, 0x2f, 0xee}))
	if got["temperature_celsius"] != 24.74 || got["pressure_pascals"] != 81433.7 {
		t.Errorf("%v, want 24.74 °C, 81433.7 Pa", got)
	}
	for _, fill := range []byte{0, 0xff} {
		var blank [18]byte
		for i := range blank {
			blank[i] = fill
		}
		if _, err := decodeDPSTrim(blank); err == nil {
			t.Errorf("a calibration of 0x%02x is taken", fill)
		}
	}
}

func TestDecodeMCP9808(t *testing.T) {
	t.Parallel()
	for raw, want := range map[[2]byte]float64{
		{0x01, 0x94}: 25.25, {0xc1, 0x94}: 25.25, {0x1f, 0xf8}: -0.5, {0x00, 0x00}: 0, {0x1d, 0x80}: -40, {0x07, 0xd0}: 125,
	} {
		if got := decodeMCP9808(raw); got != want {
			t.Errorf("%x: %v, want %v", raw, got, want)
		}
	}
}

// Table 5-1 of the datasheet.
func TestDecodeEMC141x(t *testing.T) {
	t.Parallel()
	const none = -1000
	for _, test := range []struct {
		raw          [2]byte
		narrow, wide float64
	}{
		{[2]byte{0x00, 0x00}, none, none},
		{[2]byte{0x00, 0x20}, 0.125, -63.875},
		{[2]byte{0x01, 0x00}, 1, -63},
		{[2]byte{0x40, 0x00}, 64, 0},
		{[2]byte{0x41, 0x00}, 65, 1},
		{[2]byte{0x7f, 0x00}, 127, 63},
		{[2]byte{0x7f, 0xe0}, 127.875, 63.875},
		{[2]byte{0x80, 0x00}, none, 64},
		{[2]byte{0xff, 0x00}, none, 191},
		{[2]byte{0xff, 0xe0}, none, none},
	} {
		for config, want := range map[byte]float64{0: test.narrow, emcWide: test.wide} {
			got, err := decodeEMC141x([][2]byte{test.raw}, 0, config)
			if (err == nil) != (want != none) || err == nil && got["temperature_celsius"] != want {
				t.Errorf("%x, configuration 0x%02x: %v, %v, want %v", test.raw, config, got, err, want)
			}
		}
	}
	got, err := decodeEMC141x([][2]byte{{0x5c, 0}, {0x80, 0}, {0x50, 0}}, 1<<1, emcWide)
	if want := map[string]float64{"temperature_celsius": 28, "temperature_diode2_celsius": 16}; err != nil || !maps.Equal(got, want) {
		t.Errorf("a diode is open: %v, %v, want %v", got, err, want)
	}
}

func TestDecodeLSM303DLHC(t *testing.T) {
	t.Parallel()
	// 1100, 980 and −1100 steps are a gauss each.
	got, err := decodeLSM303DLHC([6]byte{0x04, 0x4c, 0x03, 0xd4, 0xfb, 0xb4})
	want := map[string]float64{
		"magnetic_flux_density_x_teslas": 1e-4, "magnetic_flux_density_z_teslas": 1e-4, "magnetic_flux_density_y_teslas": -1e-4,
	}
	if err != nil || !maps.Equal(got, want) {
		t.Errorf("%v, %v, want %v", got, err, want)
	}
	got, err = decodeLSM303DLHC([6]byte{0xf0, 0x00, 0x03, 0xd4, 0xfb, 0xb4})
	if delete(want, "magnetic_flux_density_x_teslas"); err != nil || !maps.Equal(got, want) {
		t.Errorf("overflow on x: %v, %v, want %v", got, err, want)
	}
	for _, raw := range [][6]byte{{0xf0, 0, 0xf0, 0, 0xf0, 0}, {0x10, 0}, {0x7f, 0xff, 0x7f, 0xff, 0x7f, 0xff}} {
		if got, err := decodeLSM303DLHC(raw); err == nil {
			t.Errorf("%x: %v, want an error", raw, got)
		}
	}
}

func TestDecodeMPU6050(t *testing.T) {
	t.Parallel()
	// 1 g, −1 g, end of range; 0 is 36.53 °C; 65.5 steps are a degree per second.
	got, err := decodeMPU6050([14]byte{0x20, 0, 0xe0, 0, 0x7f, 0xff, 0, 0, 0x00, 0x83, 0xff, 0x7d, 0x80, 0})
	want := map[string]float64{
		"acceleration_x_mps2": 9.8067, "acceleration_y_mps2": -9.8067, "temperature_celsius": 36.53,
		"angular_velocity_x_radps": 0.03491, "angular_velocity_y_radps": -0.03491,
	}
	if err != nil || !maps.Equal(got, want) {
		t.Errorf("%v, %v, want %v", got, err, want)
	}
}

func TestDecodeCCS811(t *testing.T) {
	t.Parallel()
	got, err := decodeCCS811([6]byte{0x01, 0x9a, 0x00, 0x0a, 0x98, 0})
	if want := map[string]float64{"co2_equivalent_ppm": 410, "tvoc_ppb": 10}; err != nil || !maps.Equal(got, want) {
		t.Errorf("%v, %v, want %v", got, err, want)
	}
	for _, r := range [][6]byte{
		{0x01, 0x9a, 0x00, 0x0a, 0x10, 0},    // the bootloader
		{0x01, 0x9a, 0x00, 0x0a, 0x99, 0x10}, // the heater
		{0x01, 0x9a, 0x00, 0x0a, 0x99, 0},
	} {
		if got, err := decodeCCS811(r); err == nil {
			t.Errorf("%x: %v, want an error", r, got)
		}
	}
}
