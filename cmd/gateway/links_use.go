package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"

	"holdfast"
	"holdfast/uplink"
)

// use takes a link into use, with what the gateway is bound to there. One that is unproven changes nothing that lasts.
func (g *gateway) use(to link, bound kept, unproven bool) {
	l := g.links
	l.mu.Lock()
	l.turn++
	l.using = to
	turn := l.turn
	l.mu.Unlock()
	answered := sync.OnceFunc(func() {
		select {
		case l.answers <- turn:
		default: // sixteen turns wait that are over
		}
	})
	broker := g.broker(to)
	if !g.cfg.native() {
		g.profile.Retarget(broker, answered) // its broker's word is all there is
		return
	}
	g.uplink.Retarget(uplink.Target{
		Broker: broker, Pin: to.Pin, First: bound.first(to), Bound: bound.Binding, Unproven: unproven,
		Bind: func(ctx context.Context, b uplink.Binding) error { return g.bind(ctx, to, b) },
		Freed: func(stream holdfast.Stream, lane holdfast.Lane, ranges holdfast.Ranges) {
			answered()
			if stream == g.buffer.Stream() {
				g.rulesTrial.freed(lane, ranges)
			}
		},
	})
	g.profile.Retarget(broker, nil)
}

// changed says that the setting has changed.
func (l *links) changed() {
	if l == nil {
		return // startLinks looks at it
	}
	select {
	case l.moved <- struct{}{}:
	default:
	}
}

// onTrial reports whether a trial goes on.
func (l *links) onTrial() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.trial != nil
}

// inUse returns the link in use.
func (l *links) inUse() link {
	if l == nil {
		return link{}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.using
}

// rebound notes that a link is bound anew, and returns what is to be kept of it, if it is the good one; nil otherwise.
func (l *links) rebound(to link, k kept) ([]byte, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.good == nil || !to.same(l.good.Link) {
		return nil, nil
	}
	good := *l.good
	good.Kept = k
	l.good = &good
	return json.Marshal(l.good)
}

// notice is what a person should know of a trial; empty where there is none.
func (l *links) notice() string {
	if l == nil {
		return ""
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.trial == nil:
		return ""
	case l.trial.candidate:
		return fmt.Sprintf("%s is on trial; %s worked last", l.wanted, l.good.Link)
	}
	return fmt.Sprintf("%s is wanted and did not prove itself (%s); %s is used and it is tried again", l.wanted, l.fault, l.good.Link)
}

// configuration is what get_config tells: the values, and beside them the link in use where it is not the one that is wanted.
func (g *gateway) configuration() []ConfigValue {
	values := slices.Clone(g.cfg.Values)
	if text := g.links.notice(); text != "" {
		values = append(values, ConfigValue{Key: "link", Value: g.links.inUse().String(), Source: text})
	}
	return values
}
