package simulated

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"holdfast/sensors"
)

// Each chip of the drawer is found under its own name when it is plugged in, and not before.
func TestDrawer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := New(Options{})
		parts := p.Parts()
		for _, part := range parts[:2] {
			do(t, p, part.Name, Unplug, "")
		}
		for _, part := range parts {
			wanted := []string{part.Name}
			if part.Behind != "" {
				do(t, p, "tca9548a", Plug, "")
				wanted = []string{"tca9548a", part.Name}
			}
			do(t, p, part.Name, Plug, "")
			time.Sleep(time.Second) // until it has woken up
			if found := chips(t, p); !slices.Equal(found, wanted) {
				t.Errorf("%s at 0x%02x is found as %v", part.Name, part.Address, found)
			}
			for _, name := range wanted {
				do(t, p, name, Unplug, "")
			}
		}
		if found := chips(t, p); len(found) > 0 {
			t.Errorf("everything is in the drawer, and %v are found", found)
		}
	})
}

// The drawer has every chip of the driver table.
func TestDrawerIsWhole(t *testing.T) {
	t.Parallel()
	var have, want []string
	for _, part := range New(Options{}).Parts() {
		have = append(have, part.Name)
	}
	for _, driver := range sensors.Drivers() {
		want = append(want, driver.Chip)
	}
	slices.Sort(have)
	slices.Sort(want)
	if !slices.Equal(have, want) {
		t.Errorf("drawer %v\ntable  %v", have, want)
	}
}

func TestPartsFail(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := New(Options{})
		bus := p.Buses()[0]
		read := func(addr uint16) (byte, error) {
			got := make([]byte, 1)
			err := bus.Tx(t.Context(), addr, []byte{0xd0}, got)
			return got[0], err
		}
		do(t, p, "bme281", Plug, "no chip")
		do(t, p, "bme280", Plug, "already")
		do(t, p, "bmp280", Hang, "in the drawer")
		do(t, p, "bme280", "paint", "want plug")
		do(t, p, "bmp180", Plug, "")
		do(t, p, "bmp280", Plug, "bmp180 is at 0x77")
		do(t, p, "bme280", Corrupt, "")
		if id, err := read(BME280Address); id != 0xff || err != nil {
			t.Errorf("corrupt: 0x%02x, %v", id, err)
		}
		do(t, p, "bme280", Hang, "")
		began := time.Now()
		if _, err := read(BME280Address); err == nil || time.Since(began) != hangTime {
			t.Errorf("hangs: %v after %v", err, time.Since(began))
		}
		if i := slices.IndexFunc(p.Parts(), func(part Part) bool { return part.Name == "bme280" && part.Fault == Hang }); i < 0 {
			t.Errorf("parts %+v", p.Parts())
		}
		do(t, p, "bme280", Mend, "")
		if id, err := read(BME280Address); id != 0x60 || err != nil {
			t.Errorf("mended: 0x%02x, %v", id, err)
		}
		do(t, p, "bme280", Hang, "")
		do(t, p, "bme280", Unplug, "")
		do(t, p, "bme280", Plug, "")
		if id, err := read(BME280Address); id != 0x60 || err != nil {
			t.Errorf("the drawer mends: 0x%02x, %v", id, err)
		}
	})
}

func do(t *testing.T, p *Pi, name, deed, wrong string) {
	t.Helper()
	if err := p.Do(name, deed); (err != nil) != (wrong != "") || err != nil && !strings.Contains(err.Error(), wrong) {
		t.Errorf("%s %s: %v, want %q", deed, name, err, wrong)
	}
}

func chips(t *testing.T, p *Pi) (found []string) {
	for _, f := range sensors.Scan(t.Context(), p.Buses()) {
		found = append(found, f.Chip)
	}
	return found
}
