package sensors_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"holdfast"
	"holdfast/sensors"
	"holdfast/sensors/simulated"
)

// lazy is a bus that needs a while to find that nobody is at an address, as that of some controllers.
type lazy struct {
	*simulated.Bus
	absent time.Duration
}

func (l lazy) Tx(addr uint16, w, r []byte) error {
	if l.Bus.Tx(addr, w, r) == nil {
		return nil
	}
	time.Sleep(l.absent)
	return errors.New("connection timed out")
}

// On such a bus a chip is read in time from the moment in which it is found, long before the search has ended.
func TestSearchGivesWayToReads(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sim := simulated.NewBus(1)
		sim.Attach(0x18, simulated.NewMCP9808(mild))
		sim.Attach(0x76, simulated.NewDPS310(mild)) // a dozen transactions a read
		slow := lazy{sim, 300 * time.Millisecond}
		b := run(t, sensors.Options{Buses: []*sensors.Bus{sensors.NewBus(1, slow)}})
		b.until(12500 * time.Millisecond)
		for _, name := range []string{"dps310-1-76", "mcp9808-1-18"} {
			s := b.state(name)
			if s.Samples < 8 || s.Errors > 0 || s.Skipped > 0 || s.State != holdfast.SensorOK {
				t.Errorf("%s while the search goes on: %+v", name, s)
			}
		}
		b.stop()
		time.Sleep(time.Second) // until the last look has come back
	})
}
