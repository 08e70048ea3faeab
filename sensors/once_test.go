package sensors_test

import (
	"testing"
	"testing/synctest"
	"time"

	"holdfast/sensors"
)

// A reading out of turn comes at once and leaves the schedule as it is.
func TestSample(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := run(t, sensors.Options{Interval: 10 * time.Second}, thermometerBus())
		b.until(12 * time.Second)
		for _, name := range []string{thermometer, ""} {
			got, err := b.Sample(t.Context(), name)
			if err != nil || len(got) != 1 || got[0] != (sensors.Sampled{Sensor: thermometer}) {
				t.Errorf("sample %q: %+v, %v", name, got, err)
			}
			b.until(13 * time.Second)
		}
		if got, err := b.Sample(t.Context(), "none"); err == nil {
			t.Errorf("a sensor that is not there: %+v", got)
		}
		b.until(25 * time.Second)
		b.SetMeasuring(false)
		got, err := b.Sample(t.Context(), "")
		if err != nil || len(got) != 1 || got[0].Error != "measuring is stopped" {
			t.Errorf("while stopped: %+v, %v", got, err)
		}
		b.stop()
		expect(t, "times", b.times(thermometer), []time.Duration{300 * time.Millisecond, 10 * time.Second, 12 * time.Second, 13 * time.Second, 20 * time.Second})
		if s := b.state(thermometer); s.Samples != 5 || s.Skipped != 0 {
			t.Errorf("%d samples, %d skipped", s.Samples, s.Skipped)
		}
	})
}

func TestSampleOfAChipThatIsGone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		bus := thermometerBus()
		b := run(t, sensors.Options{Interval: 10 * time.Second}, bus)
		b.until(12 * time.Second)
		bus.Unplug(0x48)
		got, err := b.Sample(t.Context(), "")
		if err != nil || len(got) != 1 || got[0].Error == "" {
			t.Errorf("got %+v, %v", got, err)
		}
		b.stop()
	})
}

// A scan names what is sampled without asking it, and goes on sampling.
func TestScanWhileSampling(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := run(t, sensors.Options{}, thermometerBus())
		b.until(5500 * time.Millisecond)
		found := b.Scan(t.Context())
		if len(found) != 1 || found[0].Sensor != thermometer || found[0].Chip != "tmp102" || found[0].Address != 0x48 || found[0].Bus != 1 {
			t.Errorf("found %+v", found)
		}
		b.until(30500 * time.Millisecond)
		b.stop()
		want := append([]time.Duration{300 * time.Millisecond}, seconds(1, 30, 1)...)
		expect(t, "times", b.times(thermometer), want)
	})
}
