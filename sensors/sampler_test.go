package sensors_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"holdfast"
	"holdfast/sensors"
	"holdfast/sensors/simulated"
)

func TestIntervalChangesAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := run(t, sensors.Options{Interval: time.Hour}, thermometerBus())
		b.until(10 * time.Second)
		b.SetInterval("", 10*time.Second)
		b.until(35 * time.Second)
		b.SetInterval(thermometer, 500*time.Millisecond)
		b.SetInterval("", time.Minute) // not for one that has its own
		b.until(36 * time.Second)
		b.SetInterval(thermometer, 500*time.Millisecond) // nothing new
		b.until(36200 * time.Millisecond)
		if got := b.state(thermometer).Interval; got != 500*time.Millisecond {
			t.Errorf("its interval is %v", got)
		}
		b.SetInterval(thermometer, 0)
		b.until(100 * time.Second)
		b.SetInterval("", 0)
		b.until(2 * time.Hour)
		b.stop()
		expect(t, "times", b.times(thermometer), []time.Duration{
			300 * time.Millisecond, 10 * time.Second, 20 * time.Second, 30 * time.Second,
			35 * time.Second, 35500 * time.Millisecond, 36 * time.Second,
			36200 * time.Millisecond, 96200 * time.Millisecond,
			100 * time.Second, 3700 * time.Second,
		})
		if s := b.state(thermometer); s.Skipped != 0 {
			t.Errorf("%d skipped", s.Skipped)
		}
	})
}

func TestMeasuringStopsAndStartsAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		bus := thermometerBus()
		b := run(t, sensors.Options{}, bus)
		b.until(2500 * time.Millisecond)
		b.SetMeasuring(false)
		b.until(7300 * time.Millisecond)
		b.SetMeasuring(true)
		b.until(8500 * time.Millisecond)
		bus.Slow(0x48, 300*time.Millisecond)
		b.until(9500 * time.Millisecond) // in the middle of a read
		b.SetMeasuring(false)
		b.until(20 * time.Second)
		b.stop()
		expect(t, "times", b.times(thermometer), []time.Duration{
			300 * time.Millisecond, time.Second, 2 * time.Second, 7300 * time.Millisecond, 8300 * time.Millisecond,
		})
		if s := b.state(thermometer); s.Skipped != 0 || s.Errors != 0 {
			t.Errorf("state %+v", s)
		}
	})
}

func TestStoppedFromTheStart(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := sensors.New(sensors.Options{Buses: simulated.New(simulated.Options{}).Buses(), Now: func() holdfast.Instant { return holdfast.Instant{} }})
		s.SetMeasuring(false)
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		out := make(chan *holdfast.Reading, 1)
		if err := s.Run(ctx, out); err != nil || len(out) != 0 {
			t.Errorf("%v, %d readings", err, len(out))
		}
		if got := s.Sensors(); len(got) != 2 {
			t.Errorf("found %v, want the two that are there", got)
		}
	})
}
