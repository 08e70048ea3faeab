package sensors_test

import (
	"testing"
	"testing/synctest"
	"time"

	"holdfast/sensors"
)

// The health of a bus is a sensor: every minute it says how many transfers there were and what became of them.
func TestBusSensor(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		bus := thermometerBus()
		read := sensors.NewBus(1, bus)
		b := run(t, sensors.Options{Buses: []*sensors.Bus{read}, Others: []sensors.Other{sensors.BusSensor(read)}})
		b.until(61 * time.Second)
		if s := b.state("i2c-1"); s.Samples != 2 || s.Interval != time.Minute || s.Values["transfers_count"] < 100 || s.Values["nack_ratio"] != 0 {
			t.Errorf("after a minute: %+v", s)
		}
		for i := range 30 { // every other sample is refused once, and taken again
			bus.NACK(0x48, 1)
			b.until(time.Duration(63+2*i) * time.Second)
		}
		b.until(125 * time.Second)
		s := b.state("i2c-1")
		if s.Values["nack_ratio"] < 0.1 || s.Values["retry_ratio"] < 0.1 || s.Values["error_ratio"] != 0 {
			t.Errorf("after a disturbed minute: %+v", s.Values)
		}
		if s := b.state(thermometer); s.State != "ok" || s.Retries != 30 || s.Errors != 0 {
			t.Errorf("the thermometer: %+v, want each refusal made good at once", s)
		}
	})
}
