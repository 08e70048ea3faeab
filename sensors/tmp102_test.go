package sensors_test

import (
	"errors"
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"periph.io/x/conn/v3/i2c/i2ctest"

	"holdfast/sensors"
	"holdfast/sensors/simulated"
)

var thermometers = map[string]simulated.Kind{"tmp102": simulated.TMP102, "tmp105": simulated.TMP105, "lm75": simulated.LM75}

func TestThermometersReadTheAir(t *testing.T) {
	t.Parallel()
	for chip, kind := range thermometers {
		for _, celsius := range []float64{4.0625, 0, 25.4375, -0.0625, -5.5, -40, 124.9375} {
			synctest.Test(t, func(t *testing.T) {
				sensor, _ := chipOn(t, chip, simulated.NewThermometer(kind, air(simulated.Air{Celsius: celsius})))
				want := celsius
				if kind == simulated.LM75 {
					want = math.Floor(celsius*2) / 2
				}
				for range 2 {
					got, err := read(t, sensor)
					if err != nil || got["temperature_celsius"] != want {
						t.Errorf("%s at %v °C: %v, %v, want %v", chip, celsius, got, err, want)
					}
				}
			})
		}
	}
}

// From power-up such a chip says 0 °C until it has measured; that must not get out.
func TestThermometerWaitsForTheFirstConversion(t *testing.T) {
	t.Parallel()
	for chip, kind := range thermometers {
		synctest.Test(t, func(t *testing.T) {
			sensor, bus := chipOn(t, chip, simulated.NewThermometer(kind, air(simulated.Air{Celsius: 20})))
			for range 2 {
				if got, err := read(t, sensor); err != nil || got["temperature_celsius"] != 20 {
					t.Errorf("%s: %v, %v, want 20 °C", chip, got, err)
				}
				bus.Unplug(0x76)
				if _, err := read(t, sensor); !errors.Is(err, sensors.ErrNoAnswer) {
					t.Errorf("%s unplugged: %v", chip, err)
				}
				bus.Plug(0x76)
			}
		})
	}
}

func TestThermometerIsSetUp(t *testing.T) {
	t.Parallel()
	t.Run("asleep", func(t *testing.T) {
		for chip, kind := range thermometers {
			synctest.Test(t, func(t *testing.T) {
				celsius := 10.0
				model := simulated.NewThermometer(kind, func(time.Time) simulated.Air { return simulated.Air{Celsius: celsius} })
				sensor, bus := chipOn(t, chip, model)
				config := []byte{1, 1}
				if kind == simulated.TMP102 {
					config = []byte{1, 0x61, 0xa0}
				}
				if err := bus.Tx(0x76, config, nil); err != nil {
					t.Fatal(err)
				}
				celsius = 30
				if got, err := read(t, sensor); err != nil || got["temperature_celsius"] != 30 {
					t.Errorf("%s: %v, %v, want 30 °C", chip, got, err)
				}
			})
		}
	})
	t.Run("a TMP105 that lost its resolution", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			sensor, bus := chipOn(t, "tmp105", simulated.NewThermometer(simulated.TMP105, air(simulated.Air{Celsius: 20.0625})))
			for range 2 {
				if got, err := read(t, sensor); err != nil || got["temperature_celsius"] != 20.0625 {
					t.Errorf("%v, %v, want 20.0625 °C", got, err)
				}
				bus.Unplug(0x76) // between two reads
				bus.Plug(0x76)
			}
		})
	})
	t.Run("a TMP102 in its wide form", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			sensor, bus := chipOn(t, "tmp102", simulated.NewThermometer(simulated.TMP102, air(simulated.Air{Celsius: 127.5})))
			if err := bus.Tx(0x76, []byte{1, 0x60, 0xb0}, nil); err != nil {
				t.Fatal(err)
			}
			if got, err := read(t, sensor); err != nil || got["temperature_celsius"] != 127.5 {
				t.Errorf("%v, %v, want 127.5 °C", got, err)
			}
		})
	})
}

// A wire that broke is named beside another chip, with what was read.
func TestThermometerOnABrokenWire(t *testing.T) {
	t.Parallel()
	op := func(w byte, r ...byte) i2ctest.IO { return i2ctest.IO{Addr: 0x48, W: []byte{w}, R: r} }
	for chip, want := range map[string]string{"tmp102": "0xffff", "tmp105": "0xff", "lm75": "0xff"} {
		play := &i2ctest.Playback{DontPanic: true, Ops: []i2ctest.IO{op(1, []byte{0xff, 0xff}[:len(want)/2-1]...)}}
		if _, err := read(t, openChip(t, chip, sensors.NewBus(1, play), 0x48)); err == nil || !strings.HasSuffix(err.Error(), "or the connection is bad: the configuration reads "+want) {
			t.Errorf("%s: %v", chip, err)
		}
	}
}

func TestThermometerPlayback(t *testing.T) {
	t.Parallel()
	op := func(w byte, r ...byte) i2ctest.IO { return i2ctest.IO{Addr: 0x48, W: []byte{w}, R: r} }
	write := func(w ...byte) i2ctest.IO { return i2ctest.IO{Addr: 0x48, W: w} }
	low, high := op(2, 0x4b, 0), op(3, 0x50, 0)
	tests := []struct {
		name string
		chip string
		ops  []i2ctest.IO
		want float64 // NaN for an error
	}{
		{"tmp102 as it is", "tmp102", []i2ctest.IO{op(1, 0x60, 0xa0), low, high, op(1, 0x60, 0xa0), op(0, 0x04, 0x10), op(1, 0x60, 0xa0)}, 4.0625},
		{"tmp102, one-shot bit set", "tmp102", []i2ctest.IO{op(1, 0xe0, 0xa0), low, high, op(1, 0xe0, 0xa0), op(0, 0x04, 0x10), op(1, 0xe0, 0x80)}, 4.0625},
		{"tmp102, narrow after all", "tmp102", []i2ctest.IO{op(1, 0x60, 0xb0), low, high, op(1, 0x60, 0xb0), op(0, 0x04, 0x10), op(1, 0x60, 0xa0)}, math.NaN()},
		{"tmp102, ones", "tmp102", []i2ctest.IO{op(1, 0xff, 0xff)}, math.NaN()},
		{"tmp102, zeros", "tmp102", []i2ctest.IO{op(1, 0, 0)}, math.NaN()},
		{"a tmp105 in its place", "tmp102", []i2ctest.IO{op(1, 0x60, 0x10), low, high, op(1, 0x60, 0x00)}, math.NaN()},
		{"tmp105 refuses the resolution", "tmp105", []i2ctest.IO{op(1, 0), low, high, write(1, 0x60), op(1, 0)}, math.NaN()},
		{"tmp105 keeps what else is set", "tmp105", []i2ctest.IO{op(1, 0x18), low, high, write(1, 0x78), op(1, 0x78), op(0, 0x19, 0x70), op(1, 0x78)}, 25.4375},
		{"tmp105 loses the resolution while it measures", "tmp105", []i2ctest.IO{op(1, 0), low, high, write(1, 0x60), op(1, 0x60), op(0, 0x19, 0), op(1, 0)}, math.NaN()},
		{"tmp105, ones", "tmp105", []i2ctest.IO{op(1, 0xff)}, math.NaN()},
		{"lm75: what lies below its bits is noise", "lm75", []i2ctest.IO{op(1, 0), low, high, op(0, 0x19, 0xff)}, 25.5},
		{"lm75 at 0 °C, or just switched on", "lm75", []i2ctest.IO{op(1, 0), low, high, op(0, 0, 0), op(1, 0), low, high, op(0, 0x19, 0)}, 25},
		{"lm75, not an lm75", "lm75", []i2ctest.IO{op(1, 0x60)}, math.NaN()},
		{"lm75, beyond its range", "lm75", []i2ctest.IO{op(1, 0), low, high, op(0, 0x80, 0x00)}, math.NaN()},
		{"cut off", "lm75", []i2ctest.IO{op(1, 0)}, math.NaN()},
		{"cut off at once", "tmp102", nil, math.NaN()},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				play := &i2ctest.Playback{DontPanic: true, Ops: test.ops}
				got, err := read(t, openChip(t, test.chip, sensors.NewBus(1, play), 0x48))
				if math.IsNaN(test.want) {
					if err == nil {
						t.Errorf("%v, want an error", got)
					}
				} else if err != nil || got["temperature_celsius"] != test.want {
					t.Errorf("%v, %v, want %v °C", got, err, test.want)
				}
				if err := play.Close(); err != nil {
					t.Error(err)
				}
			})
		})
	}
}
