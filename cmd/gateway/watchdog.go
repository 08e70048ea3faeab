package main

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// The watchdog's ladder, see docs/adr/0020: a daemon that is ill for patience ends itself, so that it is started anew, but
// not more often than exitsPerHour. Beyond that it stays, says so, and stops feeding the hardware's watchdog, where one is
// configured, so that the Pi is reset; after resetsInRow boots that brought no hour of health the hardware is left alone.
const (
	patience     = 30 * time.Second
	exitsPerHour = 3
	resetsInRow  = 3
	feedInterval = 4 * time.Second // the Pi's own watchdog bites after 15 s
	recovered    = time.Hour       // so long in good health, and the ladder begins anew
	goodbye      = 5 * time.Second // for what still moves to end cleanly
)

// errStuck is why a daemon ends itself.
var errStuck = errors.New("the gateway is stuck")

// guarded is run, ended by the watchdog where a part of it hangs and ends for nobody.
func guarded(ctx context.Context, cfg Config, w world) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ended, hung := make(chan error, 1), make(chan error, 1)
	w.hung = func(err error) { hung <- err }
	go func() { ended <- run(ctx, cfg, w) }()
	select {
	case err := <-ended:
		return err
	case err := <-hung:
		cancel()
		select {
		case also := <-ended:
			return errors.Join(err, also)
		case <-time.After(goodbye):
			return err // what hangs is left behind; the exit ends it
		}
	}
}

// watchdog looks at the daemon's health until ctx ends, and does what the ladder says.
func (g *gateway) watchdog(ctx context.Context) error {
	if g.world.hung == nil {
		return nil
	}
	l := openLadder(ctx, g.cfg.DataDir, g.boot, g.now().Mono)
	d := g.openDog(l.mayReset())
	defer d.close()
	tick := time.NewTicker(feedInterval)
	defer tick.Stop()
	wellSince, illSince := time.Now(), time.Time{}
	for {
		select {
		case <-ctx.Done():
			if illSince.IsZero() {
				l.end(ctx)
			}
			return nil
		case <-tick.C:
		}
		ill, now := g.health(), time.Now()
		if ill == nil {
			illSince = time.Time{}
			if now.Sub(wellSince) >= recovered {
				l.well(ctx, g.now().Mono)
				wellSince = now
			}
			d.feed()
			continue
		}
		wellSince = now
		if illSince.IsZero() {
			illSince = now
			g.log.Error("the gateway is ill", "err", ill)
		}
		switch {
		case now.Sub(illSince) < patience:
			d.feed()
		case l.mayExit(g.now().Mono):
			err := fmt.Errorf("%w, and ends to be started anew: %w", errStuck, ill)
			g.log.Error("watchdog", "err", err)
			d.leave()
			g.stuck.Store(true)
			g.world.hung(err)
			return nil
		case d != nil:
			g.stays("does not feed the hardware's watchdog any more, which resets the Pi", ill)
		default:
			g.stays("stays as it is, for it was started anew often enough, or cannot count that", ill)
		}
	}
}

// stays tells once of a gateway that is ill and goes on.
func (g *gateway) stays(what string, ill error) {
	text := fmt.Sprintf("the gateway is stuck and %s", what)
	if g.notices.add(text) {
		g.log.Error(text, "err", ill)
	}
}
