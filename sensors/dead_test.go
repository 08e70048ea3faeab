package sensors_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"holdfast/sensors"
	"holdfast/sensors/simulated"
)

// Sixteen chips on one bus at 1 Hz, each transfer as long as it takes at 100 kHz, and one of the chips does not answer, or
// hangs the bus now and then: no schedule slips for a chip that is dead, and for one that hangs it only while it is not
// isolated yet.
func TestOneDeadChipAmongSixteen(t *testing.T) {
	t.Parallel()
	const transfer = 500 * time.Microsecond
	for name, hangs := range map[string]bool{"dead": false, "hangs": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				bus := simulated.NewBus(1)
				var list []sensors.Configured
				for i := range 16 {
					addr := uint16(0x20 + i)
					bus.Attach(addr, simulated.NewThermometer(simulated.TMP102, mild))
					bus.Slow(addr, transfer)
					list = append(list, sensors.Configured{Name: fmt.Sprint("chip", i), Chip: "tmp102", Bus: 1, Address: addr})
				}
				if hangs {
					bus.Slow(0x20, 5*time.Second)
				} else {
					bus.Unplug(0x20)
				}
				b := run(t, sensors.Options{Sensors: list, NoSearch: true}, bus)
				b.until(time.Hour)
				b.stop()
				time.Sleep(10 * time.Second) // until the last transfer has come back
				var skipped, samples uint64
				for i := 1; i < 16; i++ {
					s := b.state(fmt.Sprint("chip", i))
					skipped, samples = skipped+s.Skipped+s.Errors, samples+s.Samples
				}
				t.Logf("in an hour %d samples of the others were taken, %d were not", samples, skipped)
				if !hangs && skipped > 0 {
					t.Errorf("%d samples of the others slipped", skipped)
				}
				// Isolated for 10, 20, 40 … 600 s: about a dozen attempts of some seconds each in an hour.
				if hangs && skipped > samples/50 {
					t.Errorf("%d samples of the others slipped, of %d", skipped, samples)
				}
			})
		})
	}
}
