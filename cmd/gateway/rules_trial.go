package main

import (
	"bytes"
	"context"
	"encoding/json"
	"maps"
	"sync"
	"time"

	"holdfast"
	"holdfast/buffer"
)

// goodRulesKey is where the buffer keeps the value of the setting rules under which a record was answered for last.
const goodRulesKey = "rules/good"

// rulesTrial is whether rules that were set are on trial: until a record that is younger than they are is answered for.
type rulesTrial struct {
	mu     sync.Mutex
	heads  map[holdfast.Lane]uint64 // the newest numbers when they came; nil where none are on trial
	proven bool                     // they are not any more, and that is to be kept
	silent time.Duration            // how long no answer came though one could have
}

// begin puts rules on trial. Whatever is behind these heads was made under them.
func (t *rulesTrial) begin(heads map[holdfast.Lane]uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.heads, t.proven, t.silent = heads, false, 0
}

// freed takes an answer for records of this start.
func (t *rulesTrial) freed(lane holdfast.Lane, ranges holdfast.Ranges) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.heads != nil && ranges[len(ranges)-1].Last > t.heads[lane] {
		t.heads, t.proven = nil, true
	}
}

// passed lets time pass, in which an answer could have come or not. It reports whether the rules have proven themselves, which
// it does once, or have had their time.
func (t *rulesTrial) passed(d time.Duration, could bool, limit time.Duration) (proven, over bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	proven, t.proven = t.proven, false
	if t.heads == nil {
		return proven, false
	}
	if t.silent += d; !could {
		t.silent = 0
	}
	if over = t.silent >= limit; over {
		t.heads = nil
	}
	return proven, over
}

// tryRules puts rules that were set on trial, unless they are those that have proven themselves.
func (g *gateway) tryRules() {
	s, ok := g.control.Get(holdfast.SettingRules)
	if !ok || bytes.Equal(s.Value, g.buffer.State(goodRulesKey)) {
		g.rulesTrial.begin(nil)
		return
	}
	heads := make(map[holdfast.Lane]uint64)
	for lane, status := range g.buffer.Status().Lanes {
		heads[lane] = status.Head
	}
	g.rulesTrial.begin(maps.Clone(heads))
}

// watchRules takes back rules that do not prove themselves, until ctx ends.
func (g *gateway) watchRules(ctx context.Context) error {
	const every = time.Second
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		switch proven, over := g.rulesTrial.passed(every, g.couldAnswer(), 2*g.turn()); {
		case proven:
			if s, ok := g.control.Get(holdfast.SettingRules); ok {
				g.append(buffer.Change{State: map[string][]byte{goodRulesKey: s.Value}})
			}
		case over:
			g.rejectRules(ctx)
		}
		g.takeBackRules(ctx)
		g.saveRules(ctx)
	}
}

// couldAnswer reports whether an answer is due: records wait, the link is up and proven, and the receiver is there and takes them.
func (g *gateway) couldAnswer() bool {
	s := g.uplink.Status()
	if !s.Up || !g.sending() || s.Hold != "" || g.edge.is(holdfast.EdgeHold) || s.Mode == holdfast.AckReceipt && !s.Online || g.links.onTrial() {
		return false
	}
	for _, lane := range g.buffer.Status().Lanes {
		if lane.Pending > 0 {
			return true
		}
	}
	return false
}

// rejectRules goes back to the rules that proved themselves last, or else to those of the configuration.
func (g *gateway) rejectRules(ctx context.Context) {
	const reason = "connected, and no record was answered for since the rules came"
	s, _ := g.control.Get(holdfast.SettingRules)
	before := json.RawMessage(g.buffer.State(goodRulesKey))
	if before == nil {
		before = json.RawMessage("null")
	}
	g.log.Error("rules that were set are taken back", "err", reason)
	set, _ := ofSetting(s)
	good, _ := ofSetting(holdfast.Setting{Value: before, Origin: holdfast.OriginTrial, Revision: s.Revision})
	g.sets.demote(set, good)
	g.event(holdfast.EventRules, rejectedChange(set, "", reason))
	if _, err := g.control.TakeBack(ctx, holdfast.SettingRules, s.Revision, before, reason); err != nil {
		g.log.Error("the setting rules is not taken back", "err", err)
	}
}

// takeBackRules sets back the setting whose set was rejected since a rule of it failed, or the gateway with it.
func (g *gateway) takeBackRules(ctx context.Context) {
	set, back, reason, ok := g.sets.condemned()
	if !ok {
		return
	}
	if s, ok := g.control.Get(holdfast.SettingRules); ok && s.Revision == set.Revision && bytes.Equal(s.Value, g.buffer.State(goodRulesKey)) {
		g.append(buffer.Change{State: map[string][]byte{goodRulesKey: nil}}) // records under it were answered for; that does not make it good
	}
	if _, err := g.control.TakeBack(ctx, holdfast.SettingRules, set.Revision, back, reason); err != nil {
		g.log.Error("the setting rules is not taken back", "err", err)
	}
}
