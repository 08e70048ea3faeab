package main

import (
	"testing"
	"time"

	"holdfast/internal/testenv"
)

// A calibration from a desk holds from the next sample on, for that quantity alone; the catalog says so.
func TestCalibrationFromADesk(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	const cold, quantity = "tmp102-1-48", "temperature_celsius"
	celsius := func() (v float64) {
		for _, s := range d.gateway.world.source.Sensors() {
			if s.Name == cold {
				v = s.Values[quantity]
			}
		}
		return v
	}
	revision := func() (n int64) {
		for _, s := range d.gateway.world.source.Catalog().Sensors {
			if s.Name == cold && s.Quantities[0].Calibrated != nil {
				n = s.Quantities[0].Calibrated.Revision
			}
		}
		return n
	}
	testenv.Poll(t.Context(), t, time.Minute, "the cold room is cold", func() bool { v := celsius(); return v > 2 && v < 6 })

	var set struct{ Revision int64 }
	d.result(&set, "pi-7", "set_config", `settings={"calibration.tmp102-1-48.temperature_celsius":{"points":[[0,20],[10,30]]}}`)
	testenv.Poll(t.Context(), t, time.Minute, "20 °C more", func() bool { v := celsius(); return v > 22 && v < 26 })
	if set.Revision == 0 || revision() != set.Revision {
		t.Errorf("the catalog says revision %d, the answer %d", revision(), set.Revision)
	}
	d.result(nil, "pi-7", "set_config", `settings={"calibration.tmp102-1-48.temperature_celsius":{}}`)
	testenv.Poll(t.Context(), t, time.Minute, "as the chip says", func() bool { v := celsius(); return v > 2 && v < 6 })
	if revision() != 0 {
		t.Error("the catalog still says that it is calibrated")
	}
	if out, err := d.operate("command", "pi-7", "set_config", `settings={"calibration.tmp102-1-48.temperature_celsius":{"scale":0}}`); err == nil {
		t.Errorf("a scale of 0 is taken: %s", out)
	}
}
