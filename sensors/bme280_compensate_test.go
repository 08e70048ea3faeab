package sensors

import (
	"math"
	"testing"
)

// workedExample is the calibration of BMP280 datasheet §3.12, with humidity as a chip in the field holds it.
var workedExample = boschTrim{
	T1: 27504, T2: 26435, T3: -1000,
	P1: 36477, P2: -10685, P3: 3024, P4: 2855, P5: 140, P6: -7, P7: 15500, P8: -14600, P9: 6000,
	H1: 75, H2: 362, H3: 0, H4: 318, H5: 50, H6: 30,
}

func TestDatasheetWorkedExample(t *testing.T) {
	t.Parallel()
	celsius, fine := workedExample.temperature(519888)
	if math.Abs(celsius-25.08) > 0.005 || math.Trunc(fine) != 128422 {
		t.Errorf("temperature %v °C, fine %v: want 25.08, 128422", celsius, fine)
	}
	if got := workedExample.pressure(415148, fine); math.Abs(got-100653.27) > 0.005 {
		t.Errorf("pressure %v Pa, want 100653.27", got)
	}
}

func TestHumidityStaysInRange(t *testing.T) {
	t.Parallel()
	_, fine := workedExample.temperature(519888)
	before := -1.0
	for raw := int32(0); raw < 1<<16; raw += 64 {
		got := workedExample.humidity(raw, fine)
		if got < 0 || got > 100 || got < before {
			t.Fatalf("humidity(%d) = %v after %v: want 0 to 100, rising", raw, got, before)
		}
		before = got
	}
	if before != 100 {
		t.Errorf("the highest reading is %v %%, want 100", before)
	}
}

func TestDecodeTrim(t *testing.T) {
	t.Parallel()
	tp := [26]byte{
		0x70, 0x6b, 0x43, 0x67, 0x18, 0xfc, 0x7d, 0x8e, 0x43, 0xd6, 0xd0, 0x0b, 0x27, 0x0b, 0x8c, 0x00, 0xf9, 0xff,
		0x8c, 0x3c, 0xf8, 0xc6, 0x70, 0x17, 0x00, 0x4b,
	}
	tests := []struct {
		name string
		h    [7]byte
		h4   int16
		h5   int16
		h6   int8
	}{
		{"positive", [7]byte{0x6a, 0x01, 0x00, 0x13, 0x2e, 0x03, 0x1e}, 318, 50, 30},
		{"negative", [7]byte{0x6a, 0x01, 0x00, 0xff, 0xef, 0xff, 0xff}, -1, -2, -1},
		{"lowest", [7]byte{0x6a, 0x01, 0x00, 0x80, 0x00, 0x80, 0x80}, -2048, -2048, -128},
	}
	for _, test := range tests {
		got, err := decodeTrim(tp, test.h)
		if err != nil {
			t.Fatalf("%s: %v", test.name, err)
		}
		want := workedExample
		want.H4, want.H5, want.H6 = test.h4, test.h5, test.h6
		if *got != want {
			t.Errorf("%s: got %+v, want %+v", test.name, *got, want)
		}
	}
	for name, blank := range map[string][26]byte{"zeros": {}, "no pressure": {0: 0x70, 1: 0x6b}} {
		if got, err := decodeTrim(blank, [7]byte{}); err == nil {
			t.Errorf("%s: decoded to %+v, want an error", name, *got)
		}
	}
}

func TestRound(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ v, unit, want float64 }{
		{25.0825, 0.01, 25.08}, {-0.005, 0.01, -0.01}, {100653.2649, 0.1, 100653.3}, {0.004, 0.01, 0},
	} {
		if got := round(test.v, test.unit); got != test.want {
			t.Errorf("round(%v, %v) = %v, want %v", test.v, test.unit, got, test.want)
		}
	}
}
