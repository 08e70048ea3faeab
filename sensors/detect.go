package sensors

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"sync"
	"time"
)

// A Finding is what a look at one address found: a chip, or something that answers and is left alone.
type Finding struct {
	Bus     int
	Address uint16
	Chip    string     // of the driver table; empty where it is not known
	Sensor  string     // the name that its readings carry; empty where it has none
	Sure    Confidence // of Chip
	Kernel  string     // the driver of the kernel that owns it, which is why it is left alone
	Err     error      // why it could not be told what it is, or, with no address, why the bus could not be looked at
}

// String says the finding in one line for people.
func (f Finding) String() string {
	where := fmt.Sprintf("i2c-%d 0x%02x", f.Bus, f.Address)
	switch {
	case f.Address == 0:
		return fmt.Sprintf("i2c-%d: %v", f.Bus, f.Err)
	case f.Chip != "" && f.Sensor == "":
		return fmt.Sprintf("%s: %s (%s), which measures nothing; left alone", where, f.Chip, f.Sure)
	case f.Chip != "":
		return fmt.Sprintf("%s: %s (%s), read as %s", where, f.Chip, f.Sure, f.Sensor)
	case f.Kernel != "":
		return fmt.Sprintf("%s: left to the kernel's driver %s", where, f.Kernel)
	case f.Err != nil:
		return fmt.Sprintf("%s: %v", where, f.Err)
	}
	return where + ": answers, but is no chip that is known here; left alone"
}

// SensorName returns the name that a chip's readings carry unless the configuration gives another: bme280-1-76.
func SensorName(chip string, bus int, addr uint16) string {
	return fmt.Sprintf("%s-%d-%02x", chip, bus, addr)
}

// Scan looks at every address of the driver table on every bus, all buses at once, and returns what it found in the order
// of buses and addresses. Nothing is written to any chip but the number of the register to be read.
func Scan(ctx context.Context, buses []*Bus) []Finding {
	found := make([][]Finding, len(buses))
	var scans sync.WaitGroup
	for i, bus := range buses {
		scans.Go(func() { found[i] = slices.Collect(scan(ctx, bus, nil)) })
	}
	scans.Wait()
	return slices.Concat(found...)
}

// probeTimeout bounds the look at one address.
const probeTimeout = 2 * time.Second

// scan looks at the addresses of the driver table on one bus, except those that are taken. It ends early when the bus is
// stuck, since every further address would only cost its time.
func scan(ctx context.Context, bus *Bus, taken func(addr uint16) bool) iter.Seq[Finding] {
	return func(yield func(Finding) bool) {
		for _, addr := range addresses() {
			if ctx.Err() != nil {
				return
			}
			if taken != nil && taken(addr) {
				continue
			}
			f, ok := look(ctx, Device{bus, addr})
			if errors.Is(f.Err, ErrBusStuck) {
				yield(Finding{Bus: bus.number, Err: f.Err})
				return
			}
			if ok && !yield(f) {
				return
			}
		}
	}
}

// look tries the drivers of one address until one knows the chip, those that send commands last. It reports false where
// nobody is.
func look(ctx context.Context, d Device) (Finding, bool) {
	f := Finding{Bus: d.Bus.number, Address: d.Addr, Kernel: d.Bus.owner(d.Addr)}
	if f.Kernel != "" {
		return f, true
	}
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	for _, driver := range candidates(d.Addr) {
		is, err := driver.probe(ctx, d)
		switch {
		case errors.Is(err, ErrNoAnswer), errors.Is(err, ErrTimeout), errors.Is(err, context.Canceled):
			return f, false
		case err != nil:
			f.Err = err
			return f, true
		case is:
			f.Chip, f.Sure = driver.Chip, driver.Confidence
			if len(driver.Quantities) > 0 {
				f.Sensor = SensorName(driver.Chip, d.Bus.number, d.Addr)
			}
			return f, true
		}
	}
	return f, true
}

// candidates returns the drivers of chips that can be at addr, in the order in which they are asked.
func candidates(addr uint16) (all []Driver) {
	for _, commands := range []bool{false, true} {
		for _, d := range drivers {
			if slices.Contains(d.Addresses, addr) && (d.Commands != nil) == commands {
				all = append(all, d)
			}
		}
	}
	return all
}

// addresses returns every address of the driver table, ascending.
func addresses() []uint16 {
	var all []uint16
	for _, d := range drivers {
		all = append(all, d.Addresses...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}
