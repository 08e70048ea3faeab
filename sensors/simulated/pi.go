package simulated

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"holdfast/sensors"
)

// Options of a [Pi]. The zero value is the Pi of `gateway run --simulate`.
type Options struct {
	Seed  uint64    // of the weather's noise
	Start time.Time // from when on the weather's excursions count; now by default
}

// A Pi has one bus, i2c-1, with a BME280 in a room and a TMP102 in a cold room, and a drawer with one of each other chip.
type Pi struct {
	bus, behind *Bus // behind is channel 3 of the multiplexer

	mu    sync.Mutex
	parts []*part
}

// Addresses of the chips that are plugged in at the start.
const (
	BME280Address = 0x76
	TMP102Address = 0x48
)

// New returns a Pi that has just been switched on.
func New(o Options) *Pi {
	if o.Start.IsZero() {
		o.Start = time.Now()
	}
	mux := NewMux()
	p := &Pi{bus: NewBus(1), behind: mux.Channel(muxChannel)}
	p.parts = drawer(Weather(o), mux)
	for _, name := range []string{"bme280", "tmp102"} {
		if err := p.Do(name, Plug); err != nil {
			panic(err) // of two chips at two addresses
		}
	}
	return p
}

// Buses returns the Pi's buses as the sampler takes them.
func (p *Pi) Buses() []*sensors.Bus {
	return []*sensors.Bus{sensors.NewBus(p.bus.number, p.bus)}
}

// Bus returns the Pi's bus, for the faults that it takes.
func (p *Pi) Bus() *Bus { return p.bus }

// What can be done to a chip.
const (
	Plug    = "plug"    // from the drawer onto its bus
	Unplug  = "unplug"  // back into the drawer, which mends it
	Hang    = "hang"    // from now on each transaction with it holds the bus for three seconds
	Corrupt = "corrupt" // from now on it is read as ones, as with a broken wire
	Mend    = "mend"    // it works again
)

// A Part is a chip of the Pi, on its bus or in the drawer.
type Part struct {
	Name    string // of the chip, as the driver table has it
	About   string // what surrounds it
	Address uint16
	Behind  string // the multiplexer's channel; empty for the bus itself
	Plugged bool
	Fault   string // Hang or Corrupt; empty for none
}

// Parts returns all chips in order of their names, those on a bus first.
func (p *Pi) Parts() (all []Part) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, plugged := range []bool{true, false} {
		for _, one := range p.parts {
			if one.Plugged == plugged {
				all = append(all, one.Part)
			}
		}
	}
	return all
}

// Do does something to a chip: [Plug], [Unplug], [Hang], [Corrupt] or [Mend]. The error says what stands in the way.
func (p *Pi) Do(name, deed string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	i := slices.IndexFunc(p.parts, func(one *part) bool { return one.Name == name })
	if i < 0 {
		return fmt.Errorf("no chip %q: `gateway sensors` lists them", name)
	}
	one := p.parts[i]
	switch deed {
	case Plug:
		return p.plug(one)
	case Unplug, Hang, Corrupt, Mend:
		if !one.Plugged {
			return fmt.Errorf("%s is in the drawer: plug it in first", name)
		}
	default:
		return fmt.Errorf("%q: want plug, unplug, hang, corrupt or mend", deed)
	}
	bus := p.of(one)
	bus.Hang(one.Address, deed == Hang)
	bus.Garbage(one.Address, deed == Corrupt)
	one.Fault = ""
	switch deed {
	case Unplug:
		bus.Unplug(one.Address)
		one.Plugged = false
	case Hang, Corrupt:
		one.Fault = deed
	}
	return nil
}

func (p *Pi) plug(one *part) error {
	for _, other := range p.parts {
		if other.Plugged && other.Address == one.Address && other.Behind == one.Behind {
			if other == one {
				return fmt.Errorf("%s is plugged in already", one.Name)
			}
			return fmt.Errorf("%s is at 0x%02x, where %s wants to be: unplug it first", other.Name, one.Address, one.Name)
		}
	}
	if mux, ok := one.chip.(*Mux); ok {
		p.bus.AttachMux(one.Address, mux)
	} else {
		p.of(one).Attach(one.Address, one.chip)
	}
	one.Plugged = true
	return nil
}

func (p *Pi) of(one *part) *Bus {
	if one.Behind == "" {
		return p.bus
	}
	return p.behind
}
