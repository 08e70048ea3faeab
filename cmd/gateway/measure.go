package main

import (
	"encoding/json"
	"slices"
	"time"

	"holdfast"
	"holdfast/buffer"
)

// rulesKey is where the buffer keeps what the rules remember; it commits with the readings that made it.
const rulesKey = "rules"

// measure is the loop: readings go through the rules into the buffer, until the channel is closed. It never waits for the
// card. Readings that wait together become one change.
func (g *gateway) measure(readings <-chan *holdfast.Reading) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case reading, ok := <-readings:
			if !ok {
				return
			}
			g.take(reading, readings)
		case change := <-g.world.sensorChanges:
			g.event(holdfast.EventSensor, change)
			g.uplink.Refresh()
		case taken := <-g.emptied:
			if reading := next(readings); reading != nil {
				g.take(reading, readings)
			}
			close(taken)
		case a := <-g.acknowledgements:
			a.done <- g.acknowledged(a)
		case set := <-g.newRules:
			g.exchange(set)
		case <-tick.C:
			g.rules.Rest(!g.measures.Load())
			g.keep(g.rules.Tick(g.now()))
		}
		g.progress.measured()
	}
}

// take keeps a reading, whatever waits behind it, and what the rules make of them.
func (g *gateway) take(first *holdfast.Reading, more <-chan *holdfast.Reading) {
	var records []holdfast.Record
	for reading := first; reading != nil; reading = next(more) {
		if !g.measures.Load() { // the sampler begins before the settings are read; what was on its way at a stop is kept
			continue
		}
		if g.ids != nil {
			reading.ID = g.ids.Next(reading.Time.UnixMilli())
		}
		records = append(records, reading)
		records = append(records, g.rules.Apply(reading, g.instant(reading))...)
		g.mirror.Value(reading)
	}
	g.keep(records)
}

// next returns a reading that waits already, or nil.
func next(more <-chan *holdfast.Reading) *holdfast.Reading {
	select {
	case reading := <-more: // nil once the channel is closed
		return reading
	default:
		return nil
	}
}

// instant is when a reading was taken.
func (g *gateway) instant(r *holdfast.Reading) holdfast.Instant {
	return holdfast.Instant{Time: r.Time, Boot: g.boot, Mono: r.Mono, Synchronized: r.Clock == nil}
}

// keep numbers the records and makes them durable, together with what the rules remember after them.
func (g *gateway) keep(records []holdfast.Record) {
	if len(records) == 0 {
		return
	}
	g.alerts.see(records)
	checkpoint, err := g.rules.Checkpoint()
	if err != nil {
		g.log.Error("rules cannot be checkpointed whole", "err", err)
	}
	state := map[string][]byte{rulesKey: checkpoint}
	if g.ids != nil {
		state[idsKey] = []byte(g.ids.Last())
	}
	g.append(buffer.Change{Records: g.encode(records), State: state, Urgent: g.late(records)})
}

// late reports whether a reading among records has waited for the buffer already, at the start of the daemon for example:
// then it must not wait for the rest of a window, which is promised from the moment of measuring.
func (g *gateway) late(records []holdfast.Record) bool {
	oldest := g.now().Mono - (g.cfg.BufferWindow / 4).Microseconds()
	return slices.ContainsFunc(records, func(r holdfast.Record) bool {
		reading, ok := r.(*holdfast.Reading)
		return ok && reading.Mono < oldest
	})
}

// event keeps an event that happened now.
func (g *gateway) event(name string, data any) {
	g.append(buffer.Change{Records: g.encode([]holdfast.Record{holdfast.NewEvent(g.now(), name, data)})})
}

func (g *gateway) append(c buffer.Change) {
	if err := g.buffer.Append(c); err != nil {
		g.log.Error("records are not kept", "records", len(c.Records), "err", err)
	}
}

// encode writes records as the buffer takes them. A record that breaks the wire's rules gets no number: the receiver
// would only set it aside.
func (g *gateway) encode(records []holdfast.Record) []buffer.Record {
	mono := g.now().Mono
	out := make([]buffer.Record, 0, len(records))
	for _, r := range records {
		if err := r.Validate(); err != nil {
			g.log.Error("record is not kept", "lane", r.Lane(), "err", err)
			continue
		}
		data, err := json.Marshal(r)
		if err != nil {
			g.log.Error("record is not kept", "lane", r.Lane(), "err", err)
			continue
		}
		at := mono
		if reading, ok := r.(*holdfast.Reading); ok {
			at = reading.Mono
		}
		out = append(out, buffer.Record{Lane: r.Lane(), Time: r.When(), Mono: at, Data: data})
	}
	return out
}
