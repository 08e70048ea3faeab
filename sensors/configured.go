package sensors

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"holdfast"
)

// Configured is a sensor that is there by the word of the configuration: it need not be found, and its chip is believed as
// far as the chip itself does not contradict.
type Configured struct {
	Name     string        // of the sensor; chip-bus-address by default
	Chip     string        // a chip of the driver table; empty where there are registers
	Bus      int           // number of the bus
	Mux      string        // address and channel of the multiplexer on it that the chip is behind: 70.3; empty for none
	Address  uint16        // any, also one that the driver table does not have
	Interval time.Duration // the sampler's by default

	Registers []Register // what is to be read of a chip that the driver table does not have
	Identity  *Identity  // of such a chip; nil where it has none
}

// SensorName returns the name that its readings carry.
func (c Configured) SensorName() string {
	if len(c.Registers) > 0 {
		return cmp.Or(c.Name, SensorName(registerChip, c.bus(), c.Address))
	}
	return cmp.Or(c.Name, SensorName(c.Chip, c.bus(), c.Address))
}

// driver returns how the chip is read.
func (c Configured) driver() (Driver, bool) {
	if len(c.Registers) > 0 {
		return registerDriver(c.Registers, c.Identity), true
	}
	return driverOf(c.Chip)
}

// bus returns the bus, or the channel, as it stands in names.
func (c Configured) bus() string {
	r, _ := parseRoute(c.Mux)
	return r.name(c.Bus)
}

func (c Configured) where() string { return fmt.Sprintf("i2c-%s 0x%02x", c.bus(), c.Address) }

// CheckSensors returns an error that joins all mistakes in the list. Each names the sensor by its place, from 1.
func CheckSensors(list []Configured) error {
	var errs []error
	for i := range list {
		if err := checkSensor(list, i); err != nil {
			errs = append(errs, fmt.Errorf("sensor %d: %w", i+1, err))
		}
	}
	return errors.Join(errs...)
}

// checkSensor returns what is wrong with list[i], by itself or beside those before it.
func checkSensor(list []Configured, i int) error {
	c := list[i]
	if err := c.CheckChip(); err != nil {
		return err
	}
	if c.Address < 0x03 || c.Address > 0x77 {
		return fmt.Errorf("address 0x%02x: want 0x03 to 0x77", c.Address)
	}
	if _, err := parseRoute(c.Mux); err != nil {
		return err
	}
	if c.Interval < 0 {
		return fmt.Errorf("interval %v: want more than 0", c.Interval)
	}
	if err := holdfast.CheckSensor(c.SensorName()); err != nil {
		return err
	}
	return c.CheckBeside(list[:i])
}

// CheckBeside returns an error where one of the others has the same name, or is in the same place.
func (c Configured) CheckBeside(others []Configured) error {
	for i, other := range others {
		if other.SensorName() == c.SensorName() {
			return fmt.Errorf("name %s: sensor %d has it too", c.SensorName(), i+1)
		}
		if other.bus() == c.bus() && other.Address == c.Address {
			return fmt.Errorf("%s: sensor %d is there too", c.where(), i+1)
		}
	}
	return nil
}

// CheckChip returns what is wrong with what is said of the chip: it is one of the table, or registers.
func (c Configured) CheckChip() error {
	driver, ok := driverOf(c.Chip)
	switch {
	case len(c.Registers) > 0 && c.Chip != "":
		return fmt.Errorf("chip %q and registers: want one of the two", c.Chip)
	case len(c.Registers) > 0:
		return checkRegisters(c.Registers, c.Identity)
	case c.Identity != nil:
		return errors.New("identity: want registers beside it; a chip of the table has its own")
	case !ok:
		return fmt.Errorf("chip %q: want one of %s, or registers", c.Chip, strings.Join(chips(), ", "))
	case len(driver.Quantities) == 0:
		return fmt.Errorf("chip %q: measures nothing", c.Chip)
	}
	return nil
}

// chips returns the names of those that measure.
func chips() (names []string) {
	for _, d := range drivers {
		if len(d.Quantities) > 0 {
			names = append(names, d.Chip)
		}
	}
	return names
}

// configure takes in the configured sensors. Those with mistakes are left out, so that one of them stops no other.
func (s *Sampler) configure() {
	for i, c := range s.o.Sensors {
		if err := checkSensor(s.o.Sensors, i); err != nil {
			s.o.Log.Error("configured sensor is left out", "sensor", c.SensorName(), "err", err)
			continue
		}
		driver, _ := c.driver()
		t := &track{name: c.SensorName(), driver: driver, bus: c.bus(), addr: c.Address, configured: true}
		s.open(t, c)
		s.add(t)
		if c.Interval > 0 {
			s.own[c.SensorName()] = c.Interval
		}
	}
}

// open gives the track its sensor, or one whose every read says why it cannot be read.
func (s *Sampler) open(t *track, c Configured) {
	i := slices.IndexFunc(s.o.Buses, func(b *Bus) bool { return b.Number() == c.Bus })
	if i < 0 {
		t.sensor = unreadable{fmt.Errorf("there is no bus i2c-%d", c.Bus)}
		return
	}
	bus := s.o.Buses[i]
	if r, _ := parseRoute(c.Mux); r != (route{}) {
		bus.wire.know(r.mux, max(bus.wire.known()[r.mux], r.channel+1))
		bus, t.channel = bus.behind(r.mux, r.channel), r.channelName()
	}
	t.wire = bus.wire
	if owner := bus.owner(c.Address); owner != "" {
		t.sensor = unreadable{fmt.Errorf("%s belongs to the kernel's driver %s", c.where(), owner)}
		return
	}
	t.sensor = t.driver.open(Device{bus, c.Address})
}

// unreadable is a sensor that cannot be read, and why.
type unreadable struct{ err error }

func (u unreadable) Read(context.Context) (map[string]float64, error) { return nil, u.err }
