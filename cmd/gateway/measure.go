package main

import (
	"encoding/json"
	"time"

	"holdfast"
	"holdfast/buffer"
)

// measure is the loop: readings go through the rules into the buffer, until the channel is closed. It never waits for the
// card. Readings that come soon after each other become one change.
func (g *gateway) measure(readings <-chan *holdfast.Reading) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case reading, ok := <-readings:
			if !ok {
				g.handOver(true)
				return
			}
			g.take(reading, readings)
		case <-g.batch.timer.C:
			g.keep(nil)
		case done := <-g.asked:
			g.keep(nil)
			close(done)
		case change := <-g.world.sensorChanges:
			g.event(holdfast.EventSensor, change)
			g.uplink.Refresh()
		case taken := <-g.emptied:
			for reading := next(readings); reading != nil; reading = next(readings) {
				g.take(reading, readings)
			}
			g.keep(nil)
			close(taken)
		case a := <-g.acknowledgements:
			a.done <- g.acknowledged(a)
		case <-g.newRules:
			g.exchange()
		case ask := <-g.questions:
			ask()
		case <-tick.C:
			if reading := next(readings); reading != nil { // it was measured before this instant
				g.take(reading, readings)
			}
			g.rules.Rest(!g.measures.Load())
			g.gather(g.rules.Tick(g.now()))
			g.gather(g.edgeTick())
		}
		if g.batch.full() {
			g.keep(nil)
		}
		g.judgeRules()
		g.progress.measured()
	}
}

// take gathers a reading, what waits behind it, and what the rules make of them, until the batch is full.
func (g *gateway) take(first *holdfast.Reading, more <-chan *holdfast.Reading) {
	for reading := first; reading != nil; reading = next(more) {
		if !g.measures.Load() { // the sampler begins before the settings are read; what was on its way at a stop is kept
			continue
		}
		if g.ids != nil {
			reading.ID = g.ids.Next(reading.Time.UnixMilli())
		}
		made := g.rules.Apply(reading, g.instant(reading))
		if by := g.destiny(reading); by != "" {
			g.withheld.count(by)
			g.shelve(reading)
		} else {
			g.gather([]holdfast.Record{reading})
		}
		g.gather(made)
		g.gather(g.summarise(reading))
		g.mirror.Value(reading)
		g.sets.measured(reading.Mono)
		if g.batch.full() {
			g.keep(nil)
			return
		}
	}
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

// keep makes what was gathered durable, and records behind it, together with what the rules remember after them.
func (g *gateway) keep(records []holdfast.Record) {
	if g.gather(records); g.batch.size() > 0 {
		g.handOver(false)
	}
}

// handOver gives the buffer what was gathered, and what has changed in what the rules remember, as far as it is to be kept now, or all
// of it.
func (g *gateway) handOver(all bool) {
	waited := time.Duration(0)
	if len(g.batch.records) > 0 {
		waited = time.Duration(g.now().Mono-g.batch.since) * time.Microsecond
	}
	records, withheld := g.batch.take()
	g.alerts.see(records)
	state := g.checkpoint(all)
	g.edgeCheckpoint(state)
	if g.ids != nil {
		state[idsKey] = []byte(g.ids.Last())
	}
	g.append(buffer.Change{Records: g.encode(records), Local: g.encode(withheld), State: state, Waited: waited})
	g.act(g.rules.Orders())
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
			g.edge.made.Add(uint64(len(data)))
		}
		out = append(out, buffer.Record{Lane: r.Lane(), Time: r.When(), Mono: at, Data: data})
	}
	return out
}
