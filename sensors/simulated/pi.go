package simulated

import (
	"time"

	"holdfast/sensors"
)

// Options of a [Pi]. The zero value is the Pi of `gateway run --simulate`.
type Options struct {
	Seed  uint64    // of the weather's noise
	Start time.Time // from when on the weather's excursions count; now by default
}

// A Pi has one bus, i2c-1, with a BME280 in a room and a TMP102 in a cold room.
type Pi struct{ bus *Bus }

// Addresses of the chips.
const (
	BME280Address = 0x76
	TMP102Address = 0x48
)

// New returns a Pi that has just been switched on.
func New(o Options) *Pi {
	if o.Start.IsZero() {
		o.Start = time.Now()
	}
	weather := Weather(o)
	bus := NewBus(1)
	bus.Attach(BME280Address, NewBME280(weather.Room))
	bus.Attach(TMP102Address, NewThermometer(TMP102, weather.ColdRoom))
	return &Pi{bus}
}

// Buses returns the Pi's buses as the sampler takes them.
func (p *Pi) Buses() []*sensors.Bus {
	return []*sensors.Bus{sensors.NewBus(p.bus.number, p.bus)}
}

// Bus returns the Pi's bus, for the faults that it takes.
func (p *Pi) Bus() *Bus { return p.bus }
