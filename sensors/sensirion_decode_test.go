package sensors

import (
	"math"
	"testing"
)

// commandDecoders are the decoders of the chips that are asked by commands, of as many bytes as each of them answers with.
var commandDecoders = []struct {
	driver Driver
	n      int
	decode func(answer []byte) (map[string]float64, error)
}{
	{sht3x, 6, decodeSHT3x},
	{sht4x, 6, decodeSHT4x},
	{aht20, 7, decodeAHT20},
	{htu21, 6, func(b []byte) (map[string]float64, error) { return decodeHTU21([3]byte(b), [3]byte(b[3:])) }},
	{hdc1080, 4, func(b []byte) (map[string]float64, error) { return decodeHDC1080([4]byte(b)) }},
	{scd4x, 9, decodeSCD4x},
	{sgp30, 6, func(b []byte) (map[string]float64, error) { values, _, err := decodeSGP30(b); return values, err }},
}

// The ends of the scales, and the vectors of the datasheets where they have some.
func TestDecodeCommandChips(t *testing.T) {
	t.Parallel()
	tests := []struct {
		chip   string
		answer []byte
		want   []float64 // in the order of the driver's quantities; nil for an error
	}{
		{"sht3x", []byte{0, 0, 0x81, 0xff, 0xff, 0xac}, []float64{-45, 100}},
		{"sht3x", []byte{0xff, 0xff, 0xac, 0, 0, 0x81}, []float64{130, 0}},
		{"sht3x", []byte{0xbe, 0xef, 0x92, 0xbe, 0xef, 0x92}, []float64{85.52, 74.58}}, // §4.12
		{"sht3x", make([]byte, 6), nil},
		{"sht4x", []byte{0, 0, 0x81, 0, 0, 0x81}, []float64{-45, 0}},
		{"sht4x", []byte{0xff, 0xff, 0xac, 0xff, 0xff, 0xac}, []float64{130, 100}},
		{"aht20", []byte{0x18, 0x75, 0x52, 0x05, 0x8e, 0x40, 0x7f}, []float64{19.45, 45.83}},
		{"aht20", make([]byte, 7), nil},
		{"aht20", withCRC(0x18, 0, 0, 0, 0, 0), nil},
		{"aht20", withCRC(0x98, 0x75, 0x52, 0x05, 0x8e, 0x40), nil},
		{"aht20", withCRC(0x10, 0x75, 0x52, 0x05, 0x8e, 0x40), nil},
		{"htu21", []byte{0x68, 0x3a, 0x7c, 0x4e, 0x85, 0x6b}, []float64{24.69, 32.34}}, // HTU21D p. 14 and 15
		{"htu21", []byte{0x68, 0x3a, 0x7c, 0, 0, 0}, nil},
		{"hdc1080", []byte{0x66, 0x64, 0x80, 0}, []float64{25.99, 50}},
		{"hdc1080", make([]byte, 4), nil},
		{"hdc1080", []byte{0xff, 0xff, 0xff, 0xff}, nil},
		{"scd4x", []byte{0x01, 0xf4, 0x33, 0x66, 0x67, 0xa2, 0x5e, 0xb9, 0x3c}, []float64{500, 25, 37}}, // §3.6.2
		{"sgp30", []byte{0x01, 0x90, 0x4c, 0, 0, 0x81}, []float64{400, 0}},
	}
	for _, test := range tests {
		for _, d := range commandDecoders {
			if d.driver.Chip != test.chip {
				continue
			}
			got, err := d.decode(test.answer)
			if (err != nil) != (test.want == nil) {
				t.Errorf("%s: %x is %v, %v", test.chip, test.answer, got, err)
			}
			for i, want := range test.want {
				if name := d.driver.Quantities[i].Name; got[name] != want {
					t.Errorf("%s: %x is %v, want %s %v", test.chip, test.answer, got, name, want)
				}
			}
		}
	}
}

func withCRC(b ...byte) []byte { return append(b, crc8(0xff, b)) }

// Whatever a chip that is asked by commands answers, it is decoded into finite numbers or refused.
func FuzzSensirion(f *testing.F) {
	f.Add(byte(0), []byte{0xbe, 0xef, 0x92, 0xbe, 0xef, 0x92})
	f.Add(byte(2), []byte{0x18, 0x75, 0x52, 0x05, 0x8e, 0x40, 0x7f})
	f.Add(byte(3), []byte{0x68, 0x3a, 0x7c, 0x4e, 0x85, 0x6b})
	f.Add(byte(4), []byte{0x66, 0x64, 0x80, 0})
	f.Add(byte(5), []byte{0x01, 0xf4, 0x33, 0x66, 0x67, 0xa2, 0x5e, 0xb9, 0x3c})
	f.Fuzz(func(t *testing.T, which byte, data []byte) {
		d := commandDecoders[int(which)%len(commandDecoders)]
		answer := make([]byte, d.n)
		copy(answer, data)
		got, err := d.decode(answer)
		if err != nil {
			if got != nil {
				t.Errorf("%s: %x is %v beside %v", d.driver.Chip, answer, got, err)
			}
			return
		}
		if len(got) != len(d.driver.Quantities) {
			t.Errorf("%s: %x is %v, want %d quantities", d.driver.Chip, answer, got, len(d.driver.Quantities))
		}
		for _, q := range d.driver.Quantities {
			v, ok := got[q.Name]
			if !ok || math.IsNaN(v) || math.IsInf(v, 0) {
				t.Errorf("%s: %x is %v, which lacks %s", d.driver.Chip, answer, got, q.Name)
			}
			if q.Name == humidity.Name && checkRange(got, d.driver.Quantities[len(d.driver.Quantities)-1:]) != nil {
				t.Errorf("%s: %x is %v %%", d.driver.Chip, answer, v)
			}
		}
	})
}
