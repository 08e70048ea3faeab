package sensors_test

import (
	"testing"
	"testing/synctest"
	"time"

	"holdfast/sensors"
)

// A burst shortens a sensor's interval for a while, and what is set meanwhile holds behind it.
func TestBurst(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := run(t, sensors.Options{Interval: 10 * time.Second}, thermometerBus())
		b.until(15 * time.Second)
		b.SetBurst(thermometer, 2*time.Second)
		b.until(18 * time.Second)
		b.SetBurst(thermometer, 2*time.Second) // nothing new
		b.SetInterval(thermometer, time.Second)
		b.until(20500 * time.Millisecond)
		b.SetInterval(thermometer, 30*time.Second)
		b.until(23 * time.Second)
		if got := b.state(thermometer).Interval; got != 2*time.Second {
			t.Errorf("its interval is %v", got)
		}
		b.SetBurst(thermometer, 0)
		b.until(60 * time.Second)
		b.stop()
		expect(t, "times", b.times(thermometer), []time.Duration{
			300 * time.Millisecond, 10 * time.Second,
			15 * time.Second, 17 * time.Second,
			18 * time.Second, 19 * time.Second, 20 * time.Second, // the shorter one holds
			20500 * time.Millisecond, 22500 * time.Millisecond,
			23 * time.Second, 53 * time.Second,
		})
	})
}

// A chip that needs longer than a burst's interval is read as often as it can be, and is well.
func TestBurstOfASlowChip(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		bus := thermometerBus()
		bus.Slow(0x48, 250*time.Millisecond)
		b := run(t, sensors.Options{}, bus)
		b.until(10500 * time.Millisecond)
		b.SetBurst(thermometer, 100*time.Millisecond)
		b.until(20500 * time.Millisecond)
		b.SetBurst(thermometer, 0)
		b.stop()
		time.Sleep(time.Second) // what is under way on the bus
		s := b.state(thermometer)
		n := 0
		for _, at := range b.times(thermometer) {
			if at > 10500*time.Millisecond {
				n++
			}
		}
		if n < 10 || n > 40 || s.Errors != 0 || s.State != "ok" {
			t.Errorf("%d readings in 10 s, %d errors, state %s", n, s.Errors, s.State)
		}
		t.Logf("%d readings in 10 s, %d skipped", n, s.Skipped)
	})
}
