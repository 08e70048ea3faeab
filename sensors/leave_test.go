package sensors_test

import (
	"strings"
	"testing"

	"holdfast/sensors"
)

func TestWhatIsLeftAloneIsNotTouched(t *testing.T) {
	t.Parallel()
	wires, _ := muxed()
	wires.Record()
	bus := sensors.NewBus(1, wires)
	list, err := sensors.ParseAddresses("0x48, 1:0x70,7:0x49")
	if err != nil {
		t.Fatal(err)
	}
	bus.LeaveAlone(list)
	found := sensors.Scan(t.Context(), []*sensors.Bus{bus})
	if len(found) != 2 || !strings.Contains(found[0].String(), "as configured") {
		t.Errorf("found %v, want two that are left alone", found)
	}
	for _, addr := range []uint16{0x48, 0x70} {
		if w := wires.Written(addr); len(w) > 0 {
			t.Errorf("%x was written to 0x%02x", w, addr)
		}
	}
	for _, wrong := range []string{"", "x", "0x78", "0x02", "a:0x40", "1:", "1:0x40,"} {
		if list, err := sensors.ParseAddresses(wrong); err == nil {
			t.Errorf("%q is read as %v", wrong, list)
		}
	}
}
