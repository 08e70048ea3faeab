package simulated

import (
	"bytes"
	"errors"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"periph.io/x/conn/v3/physic"
	"periph.io/x/devices/v3/aht20"
	"periph.io/x/devices/v3/scd4x"
	"periph.io/x/devices/v3/sgp30"
)

func constant(v float64) func(time.Time) float64 { return func(time.Time) float64 { return v } }

func TestPeriphReadsTheAHT20(t *testing.T) {
	t.Parallel()
	for _, model := range []*AHT20{NewAHT20(still(Air{Celsius: -12.5, Percent: 61})), NewBlankAHT20(still(Air{Celsius: -12.5, Percent: 61}))} {
		synctest.Test(t, func(t *testing.T) {
			bus := NewBus(1)
			bus.Attach(0x38, model)
			time.Sleep(time.Second)
			dev, err := aht20.NewI2C(bus, nil)
			if err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
			var env physic.Env
			if err := dev.Sense(&env); err != nil {
				t.Fatal(err)
			}
			humidity := float64(env.Humidity) / float64(physic.PercentRH)
			if math.Abs(env.Temperature.Celsius()+12.5) > 0.001 || math.Abs(humidity-61) > 0.001 {
				t.Errorf("%v, %v", env.Temperature, env.Humidity)
			}
		})
	}
}

func TestPeriphReadsTheSCD4x(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		bus := NewBus(1)
		bus.Attach(0x62, NewSCD4x(still(Air{Celsius: 25, Percent: 37}), constant(500)))
		time.Sleep(time.Second)
		dev, err := scd4x.NewI2C(bus, scd4x.SensorAddress)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		for range 3 {
			var env scd4x.Env
			if err := dev.Sense(&env); err != nil {
				t.Fatal(err)
			}
			if env.CO2 != 500 || math.Abs(env.Temperature.Celsius()-25) > 0.003 {
				t.Errorf("%v", env)
			}
		}
	})
}

func TestPeriphReadsTheSGP30(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		bus := NewBus(1)
		bus.Attach(0x58, NewSGP30(constant(612), constant(35)))
		time.Sleep(time.Second)
		dev, err := sgp30.NewI2C(bus, t.Context()) // sleeps for twenty seconds
		if err != nil {
			t.Fatal(err)
		}
		if got := dev.AirQuality(); got.CO2 != 612 || got.TVOC != 35 {
			t.Errorf("%v", got)
		}
	})
}

// The checksums of the datasheets, and of answers that people got from their chips.
func TestChecksums(t *testing.T) {
	t.Parallel()
	if got, want := checksummed(0xbeef, 0x0000, 0x00ca, 0x4234, 0x0022), []byte{0xbe, 0xef, 0x92, 0, 0, 0x81, 0, 0xca, 0x1d, 0x42, 0x34, 0xd0, 0, 0x22, 0x65}; !bytes.Equal(got, want) {
		t.Errorf("%x, want %x", got, want)
	}
	if got := checksum(0, 0x68, 0x3a); got != 0x7c {
		t.Errorf("%x, want 7c", got)
	}
}

// What is written and read of chips that are asked by commands, at which time.
func TestCommandChips(t *testing.T) {
	t.Parallel()
	type step struct {
		after time.Duration
		w     string
		r     string // what is read, in the same transaction
		nack  bool
	}
	const ms = time.Millisecond
	air := still(Air{Celsius: 25, Percent: 37})
	nacked := func(n int) string { return string(make([]byte, n)) }
	tests := map[string]struct {
		chip  Chip
		steps []step
	}{
		"SHT3x": {NewSHT3x(air), []step{
			{0, "\x24\x00", "", true}, // waking up
			{2 * ms, "\x24\x00", "", false},
			{0, "", nacked(6), true}, // measuring
			{16 * ms, "", "\x66\x66\x93\x5e\xb8\x0d", false},
			{0, "", nacked(6), true}, // read once
			{0, "\x00", nacked(2), true},
			{0, "\xf3\x2d", "", false},
			{ms, "", "\x80\x10\xe1", false},
			{0, "\x21\x30", "", false},
			{ms, "\x24\x00", "", true}, // wants a break first
			{ms, "\xe0\x00", nacked(6), true},
			{time.Second, "\xe0\x00", "\x66\x66\x93\x5e\xb8\x0d", false},
			{0, "\xe0\x00", nacked(6), true},
			{0, "\x30\x93", "", false},
			{ms, "\x24\x00", "", false},
		}},
		"SHT4x": {NewSHT4x(air), []step{
			{2 * ms, "\x00", nacked(2), true},
			{0, "\xfd", "", false},
			{8 * ms, "", nacked(6), true},
			{ms, "", "\x66\x66\x93\x58\x10\x12", false},
			{0, "\x24", "", false}, // the heater
			{100 * ms, "\xfd", "", true},
		}},
		"AHT20": {NewAHT20(air), []step{
			{0, "\x71", "\x00", true},
			{40 * ms, "\x71", "\x18", false},
			{0, "\xac\x33\x00", "", false},
			{79 * ms, "\x71", "\x98", false},
			{ms, "\x71", "\x18", false},
			{0, "\x00", nacked(2), true},
		}},
		"Si7021": {NewSi7021(air), []step{
			{81 * ms, "\xe7", "\x3a", false},
			{0, "\xff", nacked(2), true},
			{0, "\xf3", "", false},
			{10 * ms, "", nacked(3), true},
			{ms, "\xe6\xff", "", false},
			{0, "\xe7", "\xbf", false},
			{0, "\xfe", "", false},
			{0, "\xe7", nacked(1), true},
			{80 * ms, "\xe7", "\x3a", false},
		}},
		"HDC1080": {NewHDC1080(air), []step{
			{16 * ms, "\xff", "\x10\x50", false},
			{0, "\x02", "\x10\x00", false},
			{0, "\x00", nacked(4), true},
			{12 * ms, "", nacked(4), true},
			{ms, "", "\x64\xd8\x5e\xb8", false},
			{0, "\x02\xff\x00", "", false}, // reset
			{0, "\x02", nacked(2), true},
		}},
		"SCD4x": {NewSCD4x(air, constant(500)), []step{
			{31 * ms, "\xe4\xb8", "\x80\x00\xa2", false},
			{0, "\xec\x05", nacked(9), true},
			{0, "\x21\xb1", "", false},
			{0, "\x36\x82", "", true},
			{4999 * ms, "\xe4\xb8", "\x80\x00\xa2", false},
			{ms, "\xec\x05", "\x01\xf4\x33\x66\x66\x93\x5e\xb8\x0d", false},
			{0, "\xec\x05", nacked(9), true},
			{0, "\x3f\x86", "", false},
			{499 * ms, "\x36\x82", "", true},
			{ms, "\x36\x82", "", false},
			{0, "", nacked(9), true},
		}},
	}
	for name, test := range tests {
		now := time.Unix(1e9, 0)
		test.chip.PowerUp(now)
		for i, s := range test.steps {
			now = now.Add(s.after)
			got := make([]byte, len(s.r))
			err := test.chip.Tx(now, []byte(s.w), got)
			if errors.Is(err, ErrNoAnswer) != s.nack || !s.nack && string(got) != s.r {
				t.Errorf("%s, step %d, %x: %x, %v, want %x", name, i+1, s.w, got, err, s.r)
			}
		}
	}
}
