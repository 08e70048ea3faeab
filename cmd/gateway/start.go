package main

import (
	"context"
	"time"

	"holdfast"
	"holdfast/buffer"
)

// bootEvent notes that the daemon has started, what the rules made of their last state, what became of a damaged file, and
// which mistakes the configuration has. It is the first change of the stream.
func (g *gateway) bootEvent() {
	at := g.now()
	records := []holdfast.Record{holdfast.NewEvent(at, holdfast.EventBoot, holdfast.Boot{
		Boot: g.boot, Version: version, Release: g.balena.Release, Previous: g.buffer.Previous(),
	})}
	if g.damage != nil {
		records = append(records, holdfast.NewEvent(at, holdfast.EventBuffer, *g.damage))
	}
	if lines := bounded(g.mistakes()); len(lines) > 0 {
		records = append(records, holdfast.NewEvent(at, holdfast.EventConfig, holdfast.ConfigMistakes{Mistakes: lines}))
	}
	records = append(records, g.rulesStarted(at)...)
	g.append(buffer.Change{Records: g.encode(records), Urgent: true})
	g.keep(g.restored)
	g.adoptActions(g.sets.active.set())
	g.stand()
}

// resume settles what the last end of the daemon left open.
func (g *gateway) resume(ctx context.Context) error {
	if err := g.control.Resume(ctx, g.respond); err != nil && ctx.Err() == nil {
		g.log.Error("commands of the last start could not be settled", "err", err)
	}
	return nil
}

// clockInterval is how often the clock is looked at.
const clockInterval = time.Second

// watchClock notes each anchor: the instant that maps this boot's monotonic time to wall time.
func (g *gateway) watchClock(ctx context.Context) error {
	if g.world.clock == nil {
		return nil
	}
	return g.world.clock.Watch(ctx, clockInterval, func(anchor holdfast.Anchor, at holdfast.Instant) {
		g.log.Info("clock is synchronised", "uncertainty_us", anchor.UncertaintyUS)
		g.append(buffer.Change{Records: g.encode([]holdfast.Record{holdfast.NewEvent(at, holdfast.EventAnchor, anchor)}), Urgent: true})
		g.uplink.Refresh()
	})
}
