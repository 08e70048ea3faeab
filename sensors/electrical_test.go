package sensors

import (
	"encoding/binary"
	"math"
	"slices"
	"testing"

	"holdfast"
)

// The numbers of the datasheets' own examples and tables.
func TestElectricalVectors(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		decode func() (map[string]float64, error)
		want   map[string]float64
	}{
		{"BH1750 page 7", func() (map[string]float64, error) { return decodeBH1750(0x8390) }, map[string]float64{"illuminance_lux": 28066.7}}, // 28067 lx there
		{"BH1750 page 11", func() (map[string]float64, error) { return decodeBH1750(0x0110) }, map[string]float64{"illuminance_lux": 226.7}},
		{"VEML7700 dark", func() (map[string]float64, error) { return decodeVEML7700(1, vemlFine) }, map[string]float64{"illuminance_lux": 0.03}},
		{"VEML7700 at 100 lx", func() (map[string]float64, error) { return decodeVEML7700(2976, vemlFine) }, map[string]float64{"illuminance_lux": 99.99}},
		{"VEML7700 a little bent", func() (map[string]float64, error) { return decodeVEML7700(1860, vemlCoarse) }, map[string]float64{"illuminance_lux": 1074.9}},
		{"VEML7700 bent", func() (map[string]float64, error) { return decodeVEML7700(18601, vemlCoarse) }, map[string]float64{"illuminance_lux": 14792.7}},
		{"ADS1115 §9.3.1", func() (map[string]float64, error) { return decodeADS1115([4]int16{0, 1, -1, 8000}), nil },
			map[string]float64{"voltage_ain0_volts": 0, "voltage_ain1_volts": 0.000125, "voltage_ain2_volts": -0.000125, "voltage_ain3_volts": 1}},
		{"INA219 §8.6.3", func() (map[string]float64, error) { return decodeINA219(0x5d9a, 0x07d0) }, // 11.98 V, 20 mV: table 8
			map[string]float64{"bus_voltage_volts": 11.98, "current_amperes": 0.2, "power_watts": 2.396}},
		{"INA219 §8.6.2", func() (map[string]float64, error) { return decodeINA219(0x5d9a, 0x8300) }, // −320 mV: figure 20
			map[string]float64{"bus_voltage_volts": 11.98, "current_amperes": -3.2}},
		{"INA226 table 1", func() (map[string]float64, error) { return decodeINA226(8, 0x2570, 0x1f40) }, // 11.98 V, 20 mV
			map[string]float64{"bus_voltage_volts": 11.98, "current_amperes": 0.2, "power_watts": 2.396}},
		{"INA226 −80 mV", func() (map[string]float64, error) { return decodeINA226(8, 0x2570, 0x8300) }, // §7.6.2
			map[string]float64{"bus_voltage_volts": 11.98, "current_amperes": -0.8, "power_watts": -9.584}},
		{"INA226 clipped", func() (map[string]float64, error) { return decodeINA226(8, 0x2570, 0x7fff) }, map[string]float64{"bus_voltage_volts": 11.98, "current_amperes": 0.819175}},
		{"DS3231 page 15", func() (map[string]float64, error) { return decodeDS3231(0x1940), nil }, map[string]float64{"temperature_celsius": 25.25}},
		{"DS3231 −0.25", func() (map[string]float64, error) { return decodeDS3231(0xffc0), nil }, map[string]float64{"temperature_celsius": -0.25}},
	}
	for _, test := range tests {
		got, err := test.decode()
		if err != nil || len(got) != len(test.want) {
			t.Errorf("%s: %v, %v, want %v", test.name, got, err, test.want)
			continue
		}
		for name, want := range test.want {
			if math.Abs(got[name]-want) > 0.05*map[bool]float64{true: 1, false: 1e-8}[name == "illuminance_lux"] {
				t.Errorf("%s: %v, want %v", test.name, got, test.want)
			}
		}
	}
}

func TestElectricalRefusals(t *testing.T) {
	t.Parallel()
	for name, decode := range map[string]func() (map[string]float64, error){
		"BH1750 saturated":        func() (map[string]float64, error) { return decodeBH1750(0xffff) },
		"VEML7700 saturated":      func() (map[string]float64, error) { return decodeVEML7700(0xffff, vemlCoarse) },
		"INA219 not converted":    func() (map[string]float64, error) { return decodeINA219(0x5d98, 0) },
		"INA226 not converted":    func() (map[string]float64, error) { return decodeINA226(0, 0x2570, 0) },
		"INA226 impossible volts": func() (map[string]float64, error) { return decodeINA226(8, 0x8000, 0) },
	} {
		if values, err := decode(); err == nil || values != nil {
			t.Errorf("%s: %v, %v, want an error", name, values, err)
		}
	}
}

// What a converter shows at the ends of its range stands for everything beyond, and must not pass for a value.
func TestClippedIsOutOfRange(t *testing.T) {
	t.Parallel()
	clipped := func(d Driver, quantity string, values map[string]float64) {
		t.Helper()
		i := slices.IndexFunc(d.Quantities, func(q holdfast.Quantity) bool { return q.Name == quantity })
		if q, v := d.Quantities[i], values[quantity]; v >= q.Min && v <= q.Max {
			t.Errorf("%s: %s is %v, within its range", d.Chip, quantity, v)
		}
	}
	for _, end := range []int16{math.MinInt16, math.MaxInt16} {
		clipped(ads1115, "voltage_ain1_volts", decodeADS1115([4]int16{0, end, 0, 0}))
		values, _ := decodeINA226(ina226Ready, 0x2570, uint16(end))
		clipped(ina226, "current_amperes", values)
	}
	for _, end := range []int16{-ina219Full, ina219Full} {
		values, _ := decodeINA219(0x5d9a, uint16(end))
		clipped(ina219, "current_amperes", values)
	}
	if err := checkRange(decodeADS1115([4]int16{-32767, 32766, 0, 0}), ads1115.Quantities); err != nil {
		t.Error(err)
	}
}

// The clocks' first registers, and what cannot be one.
func TestIsDate(t *testing.T) {
	t.Parallel()
	for _, good := range [][]byte{
		{0x00, 0x00, 0x00, 1, 0x01, 0x01, 0x00},
		{0x59, 0x59, 0x23, 7, 0x31, 0x92, 0x99}, // with the century of a DS3231
		{0x80, 0x00, 0x72, 1, 0x01, 0x12, 0x26}, // a DS1307 that stands still, at twelve
	} {
		if !isDate(good) {
			t.Errorf("% x is a date", good)
		}
		for i, broken := range []byte{0x5a, 0x60, 0x24, 8, 0x32, 0x13, 0x9a} {
			bad := slices.Clone(good)
			if bad[i] = broken; isDate(bad) {
				t.Errorf("% x is no date", bad)
			}
		}
	}
	for _, none := range [][]byte{make([]byte, 7), {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, {0, 0, 0x73, 1, 1, 1, 0}} {
		if isDate(none) {
			t.Errorf("% x is no date", none)
		}
	}
}

// Whatever bytes a chip of this group sends, there are finite values in range, or an error.
func FuzzElectrical(f *testing.F) {
	for which := range byte(7) {
		f.Add([]byte{which, 0x83, 0x90, 0x12, 0x34, 0x7f, 0xff, 0x80, 0x00})
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) < 9 {
			return
		}
		var n [4]uint16
		for i := range n {
			n[i] = binary.BigEndian.Uint16(data[1+2*i:])
		}
		var values map[string]float64
		var err error
		switch data[0] % 7 {
		case 0:
			values, err = decodeBH1750(n[0])
		case 1:
			values, err = decodeVEML7700(n[0], []uint16{vemlFine, vemlCoarse}[n[1]&1])
		case 2:
			values = decodeADS1115([4]int16{int16(n[0]), int16(n[1]), int16(n[2]), int16(n[3])})
		case 3:
			values, err = decodeINA219(n[0], n[1])
		case 4:
			values, err = decodeINA226(n[0], n[1], n[2])
		case 5:
			values = decodeDS3231(n[0])
			isDate(data[1:8])
		case 6:
			register := Register{Field: Field{data[1], 1 + int(data[2]%4), data[3]&1 != 0}, Signed: data[3]&2 != 0, Scale: 0.1, Offset: -40}
			register.Quantity.Name = "x"
			values = map[string]float64{"x": register.value(data[4:])}
		}
		if (err == nil) != (len(values) > 0) {
			t.Fatalf("%v, %v: want one of the two", values, err)
		}
		for name, v := range values {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				t.Errorf("%s is %v", name, v)
			}
		}
	})
}
