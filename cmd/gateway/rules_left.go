package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"holdfast"
	"holdfast/buffer"
	"holdfast/control"
	"holdfast/dashboard"
	"holdfast/internal/clock"
	"holdfast/rules"
)

// left is what a gateway that does not run has left of its rules: those that would be in force at its next start, and the alerts that
// stand. What cannot be read is told to out, and is missing.
func (d device) left(out io.Writer) (view dashboard.View, set dashboard.RulesView) {
	view.Device = d.cfg.Device
	active := d.cfg.Rules
	var parts map[string][]byte
	err := buffer.Look(d.buffer(), func(b *buffer.Buffer) (err error) {
		if active, err = d.chosen(b); err != nil {
			return err
		}
		parts, err = rememberedIn(b)
		return err
	})
	if err != nil {
		fmt.Fprintf(out, "Its state cannot be read, and the rules are those of the configuration: %v\n", err)
	}
	engine := rules.New(active.set(), rules.Options{})
	now := clock.New().Now()
	if _, err := engine.Restore(parts, now); err != nil {
		fmt.Fprintf(out, "Not all of its state can be read: %v\n", err)
	}
	for _, a := range engine.Raised(now) {
		view.Alerts = append(view.Alerts, *a)
	}
	if active != nil {
		set.Version, set.Origin = active.Version, active.Origin
	}
	set.Rules = viewRules(active.set(), engine.States())
	return view, set
}

// chosen returns the set that would be in force.
func (d device) chosen(b *buffer.Buffer) (*ruleSet, error) {
	c, err := control.New(control.Options{Store: looked{b}, Now: func() (at holdfast.Instant) { return at }})
	if err != nil {
		return d.cfg.Rules, err
	}
	sets := openRuleSets(d.cfg.DataDir, d.cfg.Rules)
	if s, ok := c.Get(holdfast.SettingRules); ok {
		if sets.setting, err = ofSetting(s); err != nil {
			return d.cfg.Rules, err
		}
	}
	return sets.book.choose(sets.setting, sets.config), nil
}

// looked is a store of settings that nobody changes.
type looked struct{ *buffer.Buffer }

func (looked) Commit(context.Context, []*holdfast.Event, map[string][]byte) error {
	return errors.New("this file is only looked at")
}
