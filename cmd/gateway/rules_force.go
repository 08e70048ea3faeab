package main

import (
	"context"
	"fmt"

	"holdfast"
	"holdfast/rules"
)

// How the sets of rules come into force in the measuring loop, and what is told of that.

// restoreRules puts the first set into force, and brings its rules back to where they were when the newest reading became durable.
func (g *gateway) restoreRules(ctx context.Context) {
	set := g.sets.start(g.now())
	g.saveRules(ctx) // a set that ends the gateway is counted before it runs
	g.rules = g.engine(set.set())
	records, err := g.rules.Restore(g.remembered(), g.now())
	if err != nil {
		g.log.Error("rules did not find all of their state", "err", err)
	}
	g.restored = records
	g.alerts.stand(g.rules.Raised(g.now()))
}

func (g *gateway) saveRules(ctx context.Context) {
	if err := g.sets.save(ctx); err != nil {
		g.log.Error("what is known about sets of rules is not kept", "err", err)
	}
}

// endRules notes that the gateway ends well, so that the set on trial is not blamed.
func (g *gateway) endRules(ctx context.Context) {
	if g.stuck.Load() {
		return
	}
	if err := g.sets.end(ctx); err != nil {
		g.log.Error("that the gateway ends well is not kept", "err", err)
	}
}

// rulesStarted is what the boot tells of the rules.
func (g *gateway) rulesStarted(at holdfast.Instant) (records []holdfast.Record) {
	for _, change := range g.sets.fallen {
		records = append(records, holdfast.NewEvent(at, holdfast.EventRules, change))
		g.tellRejected(change)
	}
	if g.sets.active != nil {
		change := g.sets.active.told()
		change.State = "loaded"
		records = append(records, holdfast.NewEvent(at, holdfast.EventRules, change))
	}
	return records
}

func (g *gateway) engine(set *rules.Set) *rules.Engine {
	return rules.New(set, rules.Options{Log: g.log, Broken: func(rule string, err error) {
		g.event(holdfast.EventRules, holdfast.RulesChange{Rule: rule, State: "broken", Error: err.Error()})
		g.sets.failed(rule, err)
	}})
}

// adoptRules has the loop go on with the rules of a setting, or with those of the configuration where it was taken back.
func (g *gateway) adoptRules(s holdfast.Setting) {
	const notice = "rules that were set: "
	g.notices.removeAll(notice)
	set, err := ofSetting(s)
	if err != nil {
		g.log.Error("rules that were set are not all right any more", "err", err)
		g.notices.add(notice + err.Error())
	}
	g.sets.wrote(set)
	g.lookAtRules()
}

// lookAtRules has the loop look which set is to be in force.
func (g *gateway) lookAtRules() {
	select {
	case g.newRules <- struct{}{}:
	default: // it has not come to it
	}
}

// ruleNotice begins each notice about sets of rules.
const ruleNotice = "rules: "

// exchange puts the set that is to be in force in the place of the one before, if they differ. What the rules remember goes
// over, and what belongs to rules that are gone is closed. It belongs to the loop.
func (g *gateway) exchange() {
	set, before, differs := g.sets.turn()
	if !differs {
		return
	}
	g.handOver(true)
	var excused []string
	for _, name := range set.set().Unchanged(before.set()) {
		if g.rules.Failures()[name] > 0 {
			excused = append(excused, name)
		}
	}
	g.sets.begin(set, excused, g.now())
	g.rules = g.engine(set.set())
	records, err := g.rules.Restore(g.remembered(), g.now())
	if err != nil {
		g.log.Error("rules did not take over all of the state before", "err", err)
	}
	g.keep(records)
	change := set.told()
	change.State, change.Before = "loaded", before.before()
	g.event(holdfast.EventRules, change)
	g.adoptActions(set.set())
	g.log.Info("rules exchanged", "version", change.Version, "origin", change.Origin, "rules", change.Rules, "hash", change.Hash)
	g.notices.removeAll(ruleNotice)
	if set != nil && before != nil && set.Version == before.Version {
		g.warn(fmt.Sprintf("%sversion %d is another text than the version %d before it: records of both look alike; give each text a version of its own", ruleNotice, set.Version, before.Version))
	}
}

// judgeRules takes back a set on trial one of whose rules failed, and notes when it has proven itself. It belongs to the loop.
func (g *gateway) judgeRules() {
	change := g.sets.judge()
	if change == nil {
		return
	}
	g.event(holdfast.EventRules, *change)
	if change.State == "proven" {
		g.log.Info("rules have proven themselves", "version", change.Version, "origin", change.Origin)
		return
	}
	g.exchange()
	g.tellRejected(*change)
}

// tellRejected tells people of a set that was taken back.
func (g *gateway) tellRejected(c holdfast.RulesChange) {
	rule := ""
	if c.Rule != "" {
		rule = "rule " + c.Rule + ": "
	}
	until := "until it is written again"
	if c.Origin == originFile || c.Origin == originVariable {
		until = "until its text changes"
	}
	g.log.Error("rules are taken back", "version", c.Version, "origin", c.Origin, "rule", c.Rule, "err", c.Error)
	g.notices.add(fmt.Sprintf("%sversion %d (%s) was taken back, %s: %s%s", ruleNotice, c.Version, c.Origin, until, rule, c.Error))
}
