package sensors

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"
	"time"
)

// A Finding is what a look at one address found: a chip, or something that answers and is left alone.
type Finding struct {
	Bus     int
	Channel string // mux70.3 where it is behind a multiplexer
	Address uint16
	Chip    string     // of the driver table; empty where it is not known
	Sensor  string     // the name that its readings carry; empty where it has none
	Sure    Confidence // of Chip
	Kernel  string     // the driver of the kernel that owns it, which is why it is left alone
	Left    bool       // it is left alone, as configured
	on      *Bus
	Err     error // why it could not be told what it is, or, with no address, why the bus could not be looked at
}

// String says the finding in one line for people.
func (f Finding) String() string {
	bus := strings.TrimSuffix(fmt.Sprintf("i2c-%d-%s", f.Bus, f.Channel), "-")
	where := fmt.Sprintf("%s 0x%02x", bus, f.Address)
	switch {
	case f.Address == 0:
		return fmt.Sprintf("%s: %v", bus, f.Err)
	case f.Chip == tca9548a.Chip:
		return fmt.Sprintf("%s: %s (%s), a multiplexer", where, f.Chip, f.Sure)
	case f.Kernel != "" && f.Sensor != "":
		return fmt.Sprintf("%s: %s, left to the kernel's driver %s and read through it as %s", where, f.Chip, f.Kernel, f.Sensor)
	case f.Chip != "" && f.Sensor == "":
		return fmt.Sprintf("%s: %s (%s), which measures nothing; left alone", where, f.Chip, f.Sure)
	case f.Chip != "":
		return fmt.Sprintf("%s: %s (%s), read as %s", where, f.Chip, f.Sure, f.Sensor)
	case f.Left:
		return where + ": left alone, as configured"
	case f.Kernel != "":
		return fmt.Sprintf("%s: left to the kernel's driver %s", where, f.Kernel)
	case f.Err != nil:
		return fmt.Sprintf("%s: %v", where, f.Err)
	}
	return where + ": answers, but is no chip that is known here; left alone"
}

// SensorName returns the name that a chip's readings carry unless the configuration gives another: bme280-1-76, or behind a
// channel of a multiplexer, which is the bus 1-mux70.3, bme280-1-mux70.3-76.
func SensorName(chip, bus string, addr uint16) string {
	return fmt.Sprintf("%s-%s-%02x", chip, bus, addr)
}

// Scan looks at every address of the driver table on every bus, all buses at once, and returns what it found in the order
// of buses and addresses. Nothing is written to any chip but the number of the register to be read, and where no chip of
// registers is known the commands by which others say what they are.
func Scan(ctx context.Context, buses []*Bus) []Finding {
	found := make([][]Finding, len(buses))
	var scans sync.WaitGroup
	for i, bus := range buses {
		scans.Go(func() { found[i] = slices.SortedFunc(scan(ctx, bus, nil), inOrder) })
	}
	scans.Wait()
	return slices.Concat(found...)
}

// inOrder compares what was found on one bus: by channel, then address.
func inOrder(a, b Finding) int {
	return cmp.Or(cmp.Compare(a.Channel, b.Channel), cmp.Compare(a.Address, b.Address))
}

// probeTimeout bounds the look at one address.
const probeTimeout = 2 * time.Second

// scan looks at the addresses of the driver table on one bus, and behind each multiplexer that it finds there, except those
// that are taken. It leaves a bus, or a channel, when it is stuck, since every further address would only cost its time.
func scan(ctx context.Context, bus *Bus, taken func(*Bus, uint16) bool) iter.Seq[Finding] {
	ctx = context.WithValue(ctx, searching{}, true)
	return func(yield func(Finding) bool) {
		above := map[uint16]bool{} // what answers on the bus itself: it answers behind every channel, too
		var channels []*Bus
		for f := range segment(ctx, bus, taken, nil, above) {
			if f.Chip == tca9548a.Chip {
				channels = append(channels, bus.channels(ctx, f.Address)...)
			}
			if !yield(f) {
				return
			}
		}
		for _, channel := range channels {
			for f := range segment(ctx, channel, taken, above, nil) {
				if !yield(f) {
					return
				}
			}
		}
	}
}

// segment looks at the addresses of one bus or channel, except those that are left out, and adds those that answer to found.
func segment(ctx context.Context, bus *Bus, taken func(*Bus, uint16) bool, except, found map[uint16]bool) iter.Seq[Finding] {
	return func(yield func(Finding) bool) {
		var took time.Duration // by the look before
		for _, addr := range addresses() {
			if ctx.Err() != nil {
				return
			}
			if except[addr] {
				continue
			}
			if took > quickLook {
				bus.wire.giveWay(ctx) // first: it may be this address that is read
			}
			if taken != nil && taken(bus, addr) {
				if found != nil {
					found[addr] = true
				}
				continue
			}
			began := time.Now()
			f, ok := bus.knownMux(ctx, addr)
			if bus.left[addr] {
				f, ok = Finding{Bus: bus.Number(), Channel: bus.route.channelName(), Address: addr, Left: true}, bus.route == route{}
			} else if !ok {
				f, ok = look(ctx, Device{bus, addr})
			}
			took = time.Since(began)
			if errors.Is(f.Err, ErrBusStuck) {
				yield(Finding{Bus: bus.Number(), Channel: bus.route.channelName(), Err: f.Err})
				return
			}
			if ok && found != nil {
				found[addr] = true
			}
			if ok && !yield(f) {
				return
			}
		}
	}
}

// look tries the drivers of one address until one knows the chip, those that send commands last. It reports false where
// nobody is: where no driver had an answer. One that had none proves nothing, since a chip that takes commands acknowledges
// no register.
func look(ctx context.Context, d Device) (Finding, bool) {
	f := Finding{Bus: d.Bus.Number(), Channel: d.Bus.route.channelName(), Address: d.Addr, Kernel: d.Bus.owner(d.Addr), on: d.Bus}
	if f.Kernel != "" {
		if chip, ok := d.Bus.kernel(d.Addr); ok {
			f.Chip, f.Sensor, f.Sure = chip.name, SensorName(chip.name, d.Bus.name(), d.Addr), Certain
		}
		return f, true
	}
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	answered := false
	for _, driver := range candidates(d.Addr) {
		is, err := driver.probe(ctx, d)
		switch {
		case errors.Is(err, ErrNoAnswer):
			continue
		case errors.Is(err, ErrTimeout), errors.Is(err, context.Canceled):
			return f, false
		case err != nil:
			f.Err = err
			return f, true
		case is:
			f.Chip, f.Sure = driver.Chip, driver.Confidence
			if len(driver.Quantities) > 0 {
				f.Sensor = SensorName(driver.Chip, d.Bus.name(), d.Addr)
			}
			return f, true
		}
		answered = true
	}
	return f, answered
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

// addresses returns every address of the driver table, those of multiplexers first: as long as a channel is open, what is
// behind it seems to be on the bus itself.
func addresses() []uint16 {
	var all []uint16
	for _, d := range drivers {
		all = append(all, d.Addresses...)
	}
	slices.Sort(all)
	all = slices.Compact(all)
	slices.SortStableFunc(all, func(a, b uint16) int {
		switch aMux, bMux := slices.Contains(muxAddresses, a), slices.Contains(muxAddresses, b); {
		case aMux && !bMux:
			return -1
		case bMux && !aMux:
			return 1
		}
		return 0
	})
	return all
}
