package simulated

import (
	"bytes"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"periph.io/x/conn/v3/physic"
	"periph.io/x/devices/v3/tmp102"
)

func TestPeriphReadsTheTMP102(t *testing.T) {
	t.Parallel()
	for _, celsius := range []float64{4.0625, 0, 25, -0.0625, -5.25, -40, 124.9375} {
		synctest.Test(t, func(t *testing.T) {
			bus := NewBus(1)
			bus.Attach(0x48, NewThermometer(TMP102, still(Air{Celsius: celsius})))
			time.Sleep(26 * time.Millisecond)
			dev, err := tmp102.NewI2C(bus, 0x48, nil)
			if err != nil {
				t.Fatal(err)
			}
			var env physic.Env
			if err := dev.Sense(&env); err != nil {
				t.Fatal(err)
			}
			if got := env.Temperature.Celsius(); math.Abs(got-celsius) > 1e-9 {
				t.Errorf("read %v °C, want %v", got, celsius)
			}
			_, low, high, err := dev.GetAlertMode()
			if err != nil || low.Celsius() != 75 || high.Celsius() != 80 {
				t.Errorf("limits %v, %v, %v: want 75 and 80 °C", low, high, err)
			}
		})
	}
}

func TestThermometerRegisters(t *testing.T) {
	t.Parallel()
	type step struct {
		w    []byte
		want []byte // nil: only written
	}
	tests := []struct {
		name    string
		kind    Kind
		celsius float64
		steps   []step
	}{
		{"TMP102", TMP102, -0.25, []step{
			{[]byte{0}, []byte{0xff, 0xc0}},
			{[]byte{1}, []byte{0x60, 0xa0}},
			{[]byte{2}, []byte{0x4b, 0x00}},
			{[]byte{3}, []byte{0x50, 0x00}},
			{[]byte{6}, []byte{0x4b, 0x00}},
			{[]byte{1, 0x00, 0xb5}, nil},
			{nil, []byte{0x60, 0xb0}}, // resolution, alert and the low half cannot be written
			{[]byte{0}, []byte{0xff, 0xe1}},
			{[]byte{2, 0x12, 0x30}, nil},
			{[]byte{2}, []byte{0x12, 0x30}},
		}},
		{"TMP105", TMP105, 25.4375, []step{
			{[]byte{0}, []byte{0x19, 0x00}}, // 9 bits from power-up
			{[]byte{1}, []byte{0x00, 0x00}},
			{[]byte{3}, []byte{0x50, 0x00}},
			{[]byte{6}, []byte{0x4b, 0x00}},
			{[]byte{1, 0x60}, nil},
			{[]byte{0}, []byte{0x19, 0x70}},
			{[]byte{1}, []byte{0x60, 0x70}}, // one byte, and what was left of the one before
			{nil, []byte{0x60, 0x70, 0xff}},
		}},
		{"LM75", LM75, -10.5, []step{
			{[]byte{0}, []byte{0xf5, 0x80}},
			{[]byte{1}, []byte{0x00}},
			{[]byte{1, 0xff}, nil},
			{[]byte{1}, []byte{0x1f}},
			{[]byte{3}, []byte{0x50, 0x00}},
			{[]byte{6}, []byte{0x50, 0x00}},
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			chip := NewThermometer(test.kind, still(Air{Celsius: test.celsius}))
			at := time.Now()
			chip.PowerUp(at)
			r := make([]byte, 2)
			if err := chip.Tx(at, []byte{0}, r); err != nil || !bytes.Equal(r, []byte{0, 0}) {
				t.Errorf("temperature before the first conversion: %x, %v, want 0", r, err)
			}
			for i, s := range test.steps {
				r := make([]byte, len(s.want))
				chip.Tx(at.Add(time.Second), s.w, r)
				if !bytes.Equal(r, s.want) {
					t.Errorf("step %d, %x: read %x, want %x", i+1, s.w, r, s.want)
				}
			}
		})
	}
}

func TestThermometerSleeps(t *testing.T) {
	t.Parallel()
	celsius := 20.0
	chip := NewThermometer(TMP105, func(time.Time) Air { return Air{Celsius: celsius} })
	at := time.Now()
	chip.PowerUp(at)
	read := func() byte {
		r := make([]byte, 2)
		chip.Tx(at.Add(time.Second), []byte{0}, r)
		return r[0]
	}
	write := func(config byte) { chip.Tx(at.Add(time.Second), []byte{1, config}, nil) }
	write(1)
	celsius = 30
	if got := read(); got != 20 {
		t.Errorf("asleep it reads %d °C, want the 20 from before", got)
	}
	if write(0x81); read() != 20 {
		t.Errorf("a single conversion of a chip that is asleep reads %d °C", read())
	}
	if write(0); read() != 30 {
		t.Errorf("awake it reads %d °C, want 30", read())
	}
}
