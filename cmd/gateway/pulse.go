package main

import (
	"context"
	"time"

	"holdfast/sensors"

	"golang.org/x/sync/errgroup"
)

// pulseInterval is how often the parts are asked for a sign of life.
const pulseInterval = 5 * time.Second

// watchPulses watches the parts that have loops of their own, until ctx ends.
func (g *gateway) watchPulses(ctx context.Context) error {
	watchers, ctx := errgroup.WithContext(ctx)
	watchers.Go(func() error { return g.watchPulse(ctx, &g.progress.sampler, g.samplerAlive()) })
	watchers.Go(func() error { return g.watchPulse(ctx, &g.progress.writer, moves(g.buffer.Turns)) })
	watchers.Go(func() error { return g.watchPulse(ctx, &g.progress.uplink, moves(g.uplink.Turns)) })
	watchers.Go(func() error { return g.watchPulse(ctx, &g.progress.controls, g.controlAlive(ctx)) })
	return watchers.Wait()
}

// watchPulse notes a sign of life of a part whenever alive says that there is one, until ctx ends. Each part has a goroutine of
// its own for that: one that does not even answer is silent, and holds up no other.
func (g *gateway) watchPulse(ctx context.Context, of *part, alive func() bool) error {
	tick := time.NewTicker(pulseInterval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if alive() {
			g.progress.beat(of)
		}
	}
}

// samplerAlive reports whether every sensor's turn has come when it should: the sample was taken, failed, or was skipped. A
// chip that hangs fails; a sampler that hangs does nothing of it. Without measuring there is nothing to do.
func (g *gateway) samplerAlive() func() bool {
	type turn struct {
		count uint64
		at    time.Time
	}
	turns := map[string]turn{}
	return func() bool {
		now, measuring, alive := time.Now(), g.control.Measuring(), true
		for _, s := range g.world.source.Sensors() {
			count := s.Samples + s.Skipped + s.Errors
			last, known := turns[s.Name]
			if !known || last.count != count || !measuring {
				last = turn{count, now}
				turns[s.Name] = last
			}
			alive = alive && now.Sub(last.at) <= due(s)
		}
		return alive
	}
}

// due is how long a sensor's next turn may take: it is just over, and the next read takes all the time that it has.
func due(s sensors.State) time.Duration {
	if s.Interval == 0 {
		return 1<<63 - 1 // a replayed one, whose turns come as the file says
	}
	return 2*s.Interval + pulseInterval
}

// moves reports whether a counter has moved since it was asked last.
func moves(count func() uint64) func() bool {
	var last uint64
	return func() bool {
		now := count()
		moved := now != last
		last = now
		return moved
	}
}

// controlAlive reports whether a change of settings could be made.
func (g *gateway) controlAlive(ctx context.Context) func() bool {
	return func() bool { return g.control.Alive(ctx) == nil }
}
