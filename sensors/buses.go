package sensors

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"

	"periph.io/x/conn/v3/i2c"
	"periph.io/x/conn/v3/i2c/i2creg"
	"periph.io/x/host/v3"
)

// OpenBuses opens the machine's I²C buses: those with the given numbers, or all for none. Buses that open are returned in
// the order of their numbers even where others do not; the error joins what went wrong and names each bus. A machine
// without buses has no buses and no error.
func OpenBuses(log *slog.Logger, numbers ...int) ([]*Bus, error) {
	state, err := host.Init()
	if err != nil {
		return nil, fmt.Errorf("look for i2c buses: %w", err)
	}
	for _, f := range state.Failed { // its driver for the Pi's own registers fails where only /dev is given; /dev is enough
		log.Debug("periph driver is not usable", "driver", f.D.String(), "err", f.Err)
	}
	var buses []*Bus
	var errs []error
	missing := slices.Clone(numbers)
	for _, ref := range i2creg.All() {
		if ref.Number < 0 || len(numbers) > 0 && !slices.Contains(numbers, ref.Number) {
			continue
		}
		missing = slices.DeleteFunc(missing, func(n int) bool { return n == ref.Number })
		opened, err := ref.Open()
		if err != nil {
			errs = append(errs, fmt.Errorf("open i2c-%d: %w", ref.Number, err))
			continue
		}
		bus := NewBus(ref.Number, opened)
		bus.wire.reopen = func() (i2c.Bus, error) { return ref.Open() }
		bus.kernel = func(addr uint16) (kernelChip, bool) { return findKernelChip(sysfsDevices, ref.Number, addr) }
		bus.owner = func(addr uint16) string { return kernelDriver(sysfsDevices, ref.Number, addr) }
		buses = append(buses, bus)
	}
	for _, n := range missing {
		errs = append(errs, fmt.Errorf("open i2c-%d: there is no such bus; is I²C switched on?", n))
	}
	slices.SortFunc(buses, func(a, b *Bus) int { return a.Number() - b.Number() })
	return buses, errors.Join(errs...)
}

// sysfsDevices is where Linux lists the chips that it knows of.
const sysfsDevices = "/sys/bus/i2c/devices"

// kernelDriver returns which driver of the kernel owns the chip at addr, "" for none. The kernel itself does not keep
// transactions of a process away from such a chip.
func kernelDriver(devices string, bus int, addr uint16) string {
	target, err := os.Readlink(filepath.Join(devices, fmt.Sprintf("%d-%04x", bus, addr), "driver"))
	if err != nil {
		return ""
	}
	return filepath.Base(target)
}
