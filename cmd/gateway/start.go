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
	if g.cfg.Rules != nil {
		records = append(records, holdfast.NewEvent(at, holdfast.EventRules, holdfast.RulesChange{State: "loaded"}))
	}
	g.append(buffer.Change{Records: g.encode(records), Urgent: true})
	g.keep(g.restored)
}

// resume settles what the last end of the daemon left open.
func (g *gateway) resume(ctx context.Context) error {
	if err := g.control.Resume(ctx, g.respond); err != nil && ctx.Err() == nil {
		g.log.Error("commands of the last start could not be settled", "err", err)
	}
	return nil
}

// watchButton carries out presses until ctx ends: each toggles measuring, durably before it takes effect.
func (g *gateway) watchButton(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case origin := <-g.world.presses:
			if _, err := g.control.Toggle(ctx, origin, "short press"); err != nil && ctx.Err() == nil {
				g.log.Error("press of the button could not be made durable, measuring stays as it was", "err", err)
			}
		}
	}
}

// runButton watches the line. A line that cannot be had is a fault of the configuration: it is told of, and measuring goes on.
func (g *gateway) runButton(ctx context.Context) error {
	if g.world.button == nil {
		return nil
	}
	if err := g.world.button.Run(ctx); err != nil {
		g.log.Error("button does not work", "err", err)
		g.notices.add("the button does not work: " + err.Error())
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
