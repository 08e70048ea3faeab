package sensors

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// search looks for sensors on one bus, now and every so often, and gives each that is new to follow. It takes at most a
// tenth of the bus's time, and where looks are slow gives way to reads: some controllers need a third of a second to find
// that nobody is at an address.
func (s *Sampler) search(ctx context.Context, bus *Bus, follow func(*track)) {
	taken := func(b *Bus, addr uint16) bool { return s.taken(b.name(), addr) }
	told := map[string]string{} // what was last said of an address, so that it is said once
	for ctx.Err() == nil {
		began := time.Now()
		for f := range scan(ctx, bus, taken) {
			if f.Sensor == "" {
				if said, where := f.String(), f.Channel+fmt.Sprint(f.Address); told[where] != said {
					told[where] = said
					s.o.Log.Info("chip is left alone", "finding", said)
				}
				continue
			}
			t := tracked(f)
			if s.add(t) {
				s.o.Log.Info("sensor found", "sensor", t.name)
				follow(t)
			}
		}
		wait(ctx, max(s.o.Rediscover, 9*time.Since(began)))
	}
}

// tracked returns the track of a sensor that was found: by its driver, or where the kernel has the chip, through the kernel's.
func tracked(f Finding) *track {
	at := Device{f.on, f.Address}
	t := &track{name: f.Sensor, bus: at.Bus.name(), channel: f.Channel, addr: at.Addr, wire: at.Bus.wire}
	if chip, ok := at.Bus.kernel(at.Addr); ok && f.Kernel != "" {
		t.driver, t.sensor = Driver{Chip: chip.name, Quantities: chip.quantities(), Confidence: Certain}, chip
		return t
	}
	t.driver, _ = driverOf(f.Chip)
	t.sensor = t.driver.open(at)
	return t
}

// add takes a sensor in, unless there is one of that name: a lost one tries by itself.
func (s *Sampler) add(t *track) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	i, found := slices.BinarySearchFunc(s.tracks, t.name, func(t *track, name string) int { return strings.Compare(t.name, name) })
	if found {
		return false
	}
	t.questions = make(chan question)
	t.filter, t.grader.quantities = s.o.Filters[t.name], t.driver.Quantities
	s.tracks = slices.Insert(s.tracks, i, t)
	s.revision++
	return true
}

// taken reports whether a sensor is known at the address. One that was found and is lost may have made room for another; while it
// is tried again no search asks it something else.
func (s *Sampler) taken(bus string, addr uint16) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.ContainsFunc(s.tracks, func(t *track) bool {
		return t.bus == bus && t.addr == addr && (t.configured || t.reading || !t.health.gone())
	})
}

// known returns the sensors there are.
func (s *Sampler) known() []*track {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.tracks)
}
