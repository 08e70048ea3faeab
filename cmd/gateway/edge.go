package main

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"

	"holdfast"
	"holdfast/rules"
	"holdfast/uplink/policy"
)

// edgeRule is the rule that tells what the readings of a minute were where these do not go up and no rule of the user's
// summarises them.
const edgeRule = `rules: [{name: ` + holdfast.EdgeRule + `, aggregate: {window: 1m, functions: [mean, min, max]}}]`

// Of edgeRule: functions, and how many quantities of a sensor its records can hold.
const (
	edgeFunctions  = 3
	edgeQuantities = 64 / edgeFunctions
)

// byEdge names the policy as the one that keeps a reading back.
const byEdge = "edge"

// Routes of expressions that the gateway knows; others are names for people.
const (
	routeRaw       = "raw"
	routeAggregate = "aggregate"
)

// An edgePolicy is what of the readings goes up, and why.
type edgePolicy struct {
	decision atomic.Pointer[policy.Decision] // that holds
	made     atomic.Uint64                   // bytes of JSON of all readings of this start, sent or not

	minutes *rules.Engine // of edgeRule; for the measuring loop only

	meters // for watchEdge only
}

func newEdge() *edgePolicy {
	e := &edgePolicy{minutes: rules.New(edgeSet(), rules.Options{})}
	e.holds(policy.Decision{Mode: holdfast.EdgeRaw, Reason: holdfast.EdgeCloud})
	return e
}

func (e *edgePolicy) holds(d policy.Decision)        { e.decision.Store(&d) }
func (e *edgePolicy) is(mode holdfast.EdgeMode) bool { return e.decision.Load().Mode == mode }

// away reports whether the policy keeps back a reading that the rules have just seen, or would if nothing else sent it up. One of
// which nothing can tell but itself is not kept back.
func (g *gateway) away(r *holdfast.Reading) bool {
	return (g.edge.is(holdfast.EdgeAggregate) || g.rules.Fate().Route == routeAggregate) &&
		(len(r.Values) <= edgeQuantities || g.rules.Summarises(r))
}

// edgeWithholds returns the policy's name where it keeps a reading back that the rules have just seen, else nothing.
func (g *gateway) edgeWithholds(r *holdfast.Reading) (by string) {
	if g.rules.Fate().Route == routeRaw || !g.away(r) {
		return ""
	}
	return byEdge
}

// summarise counts a reading into its minute where that tells of it, and returns the summary of the minute that it ends. Readings that
// go up in spite of the mode count, too.
func (g *gateway) summarise(r *holdfast.Reading) []holdfast.Record {
	if !g.away(r) || g.rules.Summarises(r) {
		return nil
	}
	return g.edge.minutes.Apply(r, g.instant(r))
}

// edgeTick returns the summaries of minutes that have ended.
func (g *gateway) edgeTick() []holdfast.Record { return g.edge.minutes.Tick(g.now()) }

// edgeCheckpoint adds what has changed in what edgeRule remembers to the state that is to be kept.
func (g *gateway) edgeCheckpoint(state map[string][]byte) {
	changed, err := g.edge.minutes.Checkpoint()
	if err != nil {
		g.log.Error("the edge policy's rule cannot be checkpointed whole", "err", err)
	}
	for name, part := range changed {
		state[edgePrefix+name] = part
	}
}

func edgeSet() *rules.Set {
	set, _ := rules.Parse("edge", []byte(edgeRule)) // a test says that it has no mistake
	set.Version = holdfast.EdgeRuleVersion
	return set
}

// restoreEdge brings the policy back to where it was, and its rule to where the newest reading became durable.
func (g *gateway) restoreEdge() {
	if wanted := g.cfg.edgeWanted(); wanted != g.cfg.edgeMode() {
		g.warn(fmt.Sprintf("edge.mode is %s, and every reading goes up: the profile %s has no summaries", wanted, g.cfg.Profile))
	}
	g.edge.minutes = rules.New(edgeSet(), rules.Options{Log: g.log, Broken: func(rule string, err error) {
		g.event(holdfast.EventRules, holdfast.RulesChange{Rule: rule, State: "broken", Error: err.Error()})
	}})
	parts := make(map[string][]byte)
	for _, key := range g.buffer.StateKeys(edgePrefix) {
		parts[strings.TrimPrefix(key, edgePrefix)] = g.buffer.State(key)
	}
	records, err := g.edge.minutes.Restore(parts, g.now())
	g.restored = append(g.restored, records...)
	if err := errors.Join(err, g.edge.restore(g.buffer.State(edgeKey))); err != nil {
		g.log.Error("the edge policy did not find all of its state", "err", err)
	}
	g.edge.holds(cmp.Or(g.cfg.edgeOrder(), g.edge.switched.Decision)) // before the first reading
}

// edgeStatus is what a device says of the policy; nil where nobody has asked for one.
func (g *gateway) edgeStatus() *holdfast.EdgeStatus {
	d := holdfast.EdgeStatus(*g.edge.decision.Load())
	if g.cfg.edgeMode() == edgeRaw {
		return nil
	}
	return &d
}
