package main

import (
	"context"
	"sync"
	"time"

	"holdfast"
	"holdfast/rules"
)

// bursts have sensors sampled more often while rules want them to be. Its methods may be called from any goroutine and
// return at once.
type bursts struct {
	source source
	event  func(holdfast.ActionChange)
	now    func() time.Time

	mu      sync.Mutex
	all     map[wishKey]burst
	sampled map[string]time.Duration // the intervals that hold now, by sensor
}

// A burst is what one rule wants for one alert, or for one firing.
type burst struct {
	order rules.Order
	until time.Time // zero: until the alert is cleared
}

// maxBurstRate is how many readings a second all bursts may bring about. Where rules want more, each gets its share.
const maxBurstRate = 100

func newBursts(source source, event func(holdfast.ActionChange)) *bursts {
	return &bursts{source: source, event: event, now: time.Now, all: make(map[wishKey]burst), sampled: make(map[string]time.Duration)}
}

// order begins a burst, or lets one end after the time that the rule has for that, of which so much has passed. A burst that
// stands since before a restart goes on without an event.
func (b *bursts) order(o rules.Order, passed time.Duration, stands bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	key := wishKey{o.Rule, o.Alert, o.Place}
	_, there := b.all[key]
	wanted := burst{order: o}
	if o.Step != rules.Begin {
		wanted.until = b.now().Add(o.Action.For - passed)
	}
	switch {
	case o.Step == rules.End && !there && !stands:
		if o.Action.For == 0 { // its rule went with the last end of the daemon
			b.tell(o, holdfast.ActionEnded)
		}
		return
	case !there && !stands:
		b.tell(o, holdfast.ActionBegun)
	}
	b.all[key] = wanted
	b.settle()
}

// run ends bursts at their time, and takes in sensors that are found meanwhile, until ctx ends.
func (b *bursts) run(ctx context.Context) error {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			b.mu.Lock()
			if len(b.all) > 0 {
				b.settle()
			}
			b.mu.Unlock()
		}
	}
}

// on reports whether a sensor is in a burst: its readings are all to be kept and sent then.
func (b *bursts) on(sensor string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.sampled[sensor] > 0
}

// settle drops the bursts that are over and has the source do what the others want. b.mu is held.
func (b *bursts) settle() {
	now := b.now()
	for key, burst := range b.all {
		if !burst.until.IsZero() && !burst.until.After(now) {
			delete(b.all, key)
			b.tell(burst.order, holdfast.ActionEnded)
		}
	}
	wanted := b.wanted()
	for sensor := range b.sampled {
		if wanted[sensor] == 0 {
			delete(b.sampled, sensor)
			b.source.SetBurst(sensor, 0)
		}
	}
	for sensor, every := range wanted {
		if b.sampled[sensor] != every {
			b.sampled[sensor] = every
			b.source.SetBurst(sensor, every)
		}
	}
}

// wanted returns the intervals of all sensors that are in a burst. b.mu is held.
func (b *bursts) wanted() map[string]time.Duration {
	wanted := make(map[string]time.Duration)
	if len(b.all) == 0 {
		return wanted
	}
	rate := 0.0
	for _, s := range b.source.Catalog().Sensors {
		for _, burst := range b.all {
			if every := burst.order.Action.Every; burst.order.Covers(s.Name) && (wanted[s.Name] == 0 || every < wanted[s.Name]) {
				wanted[s.Name] = every
			}
		}
		if every := wanted[s.Name]; every > 0 {
			rate += 1 / every.Seconds()
		}
	}
	if rate > maxBurstRate {
		for sensor, every := range wanted {
			wanted[sensor] = time.Duration(float64(every) * rate / maxBurstRate).Round(time.Millisecond)
		}
	}
	return wanted
}

func (b *bursts) tell(o rules.Order, state string) {
	sensor := o.Sensor
	if o.Action.Sensor != "" {
		sensor = string(o.Action.Sensor)
	}
	b.event(holdfast.ActionChange{Rule: o.Rule, Action: rules.ActionInterval, State: state, Sensor: sensor, EveryS: o.Action.Every.Seconds()})
}
