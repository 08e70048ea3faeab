package sensors_test

import (
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"holdfast"
	"holdfast/sensors"
	"holdfast/sensors/simulated"
)

// A chip that measures every five seconds gives a reading every five seconds, each of them once, and is well all the time.
func TestSCD4xUnderTheSampler(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ppm := 500.0
		bus := simulated.NewBus(1)
		bus.Attach(0x62, simulated.NewSCD4x(mild, func(time.Time) float64 { ppm++; return ppm }))
		time.Sleep(time.Second)
		b := run(t, sensors.Options{}, bus)
		b.until(119500 * time.Millisecond)
		got, err := b.Sample(t.Context(), "scd4x-1-62")
		if err != nil || len(got) != 1 || got[0].Error != "not read: "+sensors.ErrNotReady.Error() {
			t.Errorf("out of turn: %+v, %v", got, err)
		}
		b.stop()
		s := b.state("scd4x-1-62")
		if s.State != holdfast.SensorOK || s.Errors != 0 || s.Retries != 0 || s.Samples < 23 || s.Samples+s.Skipped != 121 {
			t.Errorf("%+v", s)
		}
		for i, r := range b.readings {
			if got, want := r.Values["co2_ppm"], 501+float64(i); got != want {
				t.Errorf("reading %d: %v ppm, want %v", i+1, got, want)
			}
		}
	})
}

// Somebody else's measurement goes on, at his pace.
func TestSCD4xThatMeasuresIsNotStopped(t *testing.T) {
	t.Parallel()
	for name, start := range map[string][]byte{"every 5 s": {0x21, 0xb1}, "every 30 s": {0x21, 0xac}} {
		synctest.Test(t, func(t *testing.T) {
			bus := simulated.NewBus(1)
			bus.Attach(0x62, simulated.NewSCD4x(mild, always(700.0)))
			time.Sleep(time.Second)
			if err := bus.Tx(0x62, start, nil); err != nil {
				t.Fatal(err)
			}
			bus.Record()
			time.Sleep(2 * time.Second)
			found := sensors.Scan(t.Context(), []*sensors.Bus{sensors.NewBus(1, bus)})
			if len(found) != 1 || found[0].Chip != "scd4x" {
				t.Errorf("%s: found %v", name, found)
			}
			sensor, values := openChip(t, "scd4x", sensors.NewBus(1, bus), 0x62), 0
			for range 120 {
				got, err := read(t, sensor)
				switch {
				case err == nil && got["co2_ppm"] == 700:
					values++
				case !errors.Is(err, sensors.ErrNotReady):
					t.Errorf("%s: %v, %v", name, got, err)
				}
				time.Sleep(time.Second)
			}
			if want := map[string]int{"every 5 s": 24, "every 30 s": 4}[name]; values != want {
				t.Errorf("%s: %d measurements, want %d", name, values, want)
			}
			for _, w := range bus.Written(0x62) {
				if !slices.Contains([]string{"\x36\x82", "\xe4\xb8", "\xec\x05"}, string(w)) {
					t.Errorf("%s: %x was written", name, w)
				}
			}
		})
	}
}

// A pause in measuring is no fault of the chip; that it never has anything new is one.
func TestSCD4xWithNothingNew(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sensor, bus := chipOn(t, "scd4x", simulated.NewSCD4x(mild, always(700.0)))
		time.Sleep(time.Second)
		for range 3 {
			for range 7 {
				if _, err := read(t, sensor); err != nil && !errors.Is(err, sensors.ErrNotReady) {
					t.Error(err)
				}
				time.Sleep(time.Second)
			}
			time.Sleep(time.Hour)
			bus.Unplug(0x76)
			bus.Plug(0x76)
			time.Sleep(time.Second)
		}
		bus.Attach(0x76, mute{})
		began := time.Now()
		for errors.Is(readError(t, sensor), sensors.ErrNotReady) && time.Since(began) < time.Hour {
			time.Sleep(time.Second)
		}
		if after := time.Since(began); after < 25*time.Second || after > 65*time.Second {
			t.Errorf("an error after %v, want one within a minute", after)
		}
	})
}

func readError(t *testing.T, s sensors.Sensor) error {
	_, err := read(t, s)
	return err
}

// mute is an SCD4x that measures and never has anything new.
type mute struct{}

func (mute) PowerUp(time.Time) {}

func (mute) Tx(_ time.Time, w, r []byte) error {
	if string(w) == "\x36\x82" {
		return simulated.ErrNoAnswer
	}
	copy(r, "\x80\x00\xa2")
	return nil
}

// A loss of power that no transaction has noticed: the SCD4x no longer measures, the SGP30 says 400 ppm for ever.
func TestGasSensorsThatForgot(t *testing.T) {
	t.Parallel()
	for _, s := range commandSpecimens {
		if s.warmUp == 0 {
			continue
		}
		for _, after := range []time.Duration{0, 3 * time.Second, 7 * time.Second, time.Minute} {
			synctest.Test(t, func(t *testing.T) {
				sensor, bus, addr := s.put(t)
				time.Sleep(time.Second)
				for range int(after / time.Second) {
					read(t, sensor)
					time.Sleep(time.Second)
				}
				bus.Unplug(addr)
				bus.Plug(addr)
				time.Sleep(100 * time.Millisecond)
				began, good := time.Now(), 0
				for time.Since(began) < s.warmUp+10*time.Second {
					values, err := read(t, sensor)
					if wrong := s.wrong(values); err == nil && wrong != "" {
						t.Errorf("%s without power after %v: %s", s.chip, after, wrong)
					}
					if err == nil {
						good++
					}
					time.Sleep(time.Second)
				}
				if good == 0 {
					t.Errorf("%s without power after %v: no value for %v", s.chip, after, time.Since(began))
				}
			})
		}
	}
}

func TestSGP30(t *testing.T) {
	t.Parallel()
	clean := func() *simulated.SGP30 { return simulated.NewSGP30(always(400.0), always(0.0)) }
	t.Run("nothing for 15 s, then also clean air", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			sensor, bus := chipOn(t, "sgp30", clean())
			time.Sleep(time.Second)
			for began := time.Now(); time.Since(began) < time.Minute; time.Sleep(time.Second) {
				since := time.Since(began)
				values, err := read(t, sensor)
				switch {
				case since == 0: // a baseline alone does not make it warm
					if err := bus.Tx(0x76, []byte{0x20, 0x1e, 0xbe, 0xef, 0x92, 0xbe, 0xef, 0x92}, nil); err != nil {
						t.Error(err)
					}
					time.Sleep(10 * time.Millisecond)
				case since < 15*time.Second && !errors.Is(err, sensors.ErrNotReady):
					t.Errorf("after %v: %v, %v", since, values, err)
				case since > 16*time.Second && (err != nil || values["co2_equivalent_ppm"] != 400):
					t.Errorf("after %v: %v, %v", since, values, err)
				}
			}
		})
	})
	t.Run("one at work is not started again", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			first, bus := chipOn(t, "sgp30", clean())
			time.Sleep(time.Second)
			for range 20 {
				read(t, first)
				time.Sleep(time.Second)
			}
			bus.Record()
			bus.NACK(0x76, 1)
			if _, err := read(t, first); !errors.Is(err, sensors.ErrNoAnswer) {
				t.Error(err)
			}
			if _, err := read(t, first); err != nil {
				t.Errorf("after a refusal: %v, want a value at once", err)
			}
			second := openChip(t, "sgp30", sensors.NewBus(1, bus), 0x76) // the gateway was started anew
			for range 20 {
				read(t, second)
				time.Sleep(time.Second)
			}
			if values, err := read(t, second); err != nil {
				t.Errorf("%v, %v", values, err)
			}
			for _, w := range bus.Written(0x76) {
				if string(w) == "\x20\x03" {
					t.Error("its baseline was thrown away")
				}
			}
		})
	})
}
