package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"holdfast"
	"holdfast/dashboard"
	"holdfast/rules"
)

// pageRules is the set of rules as the page shows it.
type pageRules struct{ *gateway }

// State implements dashboard.Rules.
func (p pageRules) State(ctx context.Context) (view dashboard.RulesView, err error) {
	if !p.isOpen() {
		return view, errOpening
	}
	var active *ruleSet
	var states []rules.State
	if err := p.inLoop(ctx, func() { active, states = p.sets.view(&view), p.rules.States() }); err != nil {
		return view, fmt.Errorf("the measuring loop does not answer: %w", err)
	}
	view.Rules = viewRules(active.set(), states)
	return view, nil
}

// viewRules tells of the rules of a set, and of their states.
func viewRules(set *rules.Set, states []rules.State) []dashboard.Rule {
	all := []dashboard.Rule{}
	for _, s := range states {
		x, _ := set.Explain(s.Name)
		all = append(all, dashboard.Rule{
			Name: s.Name, Kind: s.Kind, What: x.What, Clears: x.Clears, Does: x.Does,
			Raised: s.Raised, Made: s.Fired, Last: s.Last, Failures: s.Failures, Failure: s.Failure, Off: s.Off,
		})
	}
	return all
}

// inLoop has the measuring loop run f, and waits for it.
func (g *gateway) inLoop(ctx context.Context, f func()) error {
	done := make(chan struct{})
	select {
	case g.questions <- func() { f(); close(done) }:
	case <-ctx.Done():
		return ctx.Err()
	}
	<-done
	return nil
}

// view tells of the set in force, and returns it.
func (s *ruleSets) view(v *dashboard.RulesView) *ruleSet {
	s.mu.Lock()
	defer s.mu.Unlock()
	v.Since, v.Trial, v.Written = s.since, s.book.Trial != nil, s.setting != nil
	for _, r := range s.book.Rejected {
		v.Rejected = append(v.Rejected, fmt.Sprintf("version %d: %s", r.Version, r.Reason))
	}
	if s.active != nil {
		v.Version, v.Origin, v.Hash, v.Text = s.active.Version, s.active.Origin, s.active.hash(), holdfast.ConcealURLs(s.active.Text)
	}
	return s.active
}

// reveal puts back into a text what the page hid of it.
func (s *ruleSets) reveal(text string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.active == nil {
		return text
	}
	return holdfast.RevealURLs(text, s.active.Text)
}

// revealed is reveal for a value of the setting rules.
func (s *ruleSets) revealed(value json.RawMessage) json.RawMessage {
	var set holdfast.RuleSet
	if json.Unmarshal(value, &set) != nil {
		return value // control says what is wrong
	}
	set.YAML = s.reveal(set.YAML)
	if again, err := json.Marshal(set); err == nil {
		return again
	}
	return value
}

// Check implements dashboard.Rules.
func (p pageRules) Check(text string) dashboard.RulesCheck {
	if !p.isOpen() {
		return dashboard.RulesCheck{Mistakes: []dashboard.RulesMistake{{Text: errOpening.Error()}}}
	}
	set, err := rules.Parse("rules", []byte(p.sets.reveal(text)))
	check := dashboard.RulesCheck{Version: set.Version, Rules: len(set.Names()), Mistakes: []dashboard.RulesMistake{}}
	for _, one := range parts(err) {
		var problem *rules.Problem
		if errors.As(one, &problem) {
			check.Mistakes = append(check.Mistakes, dashboard.RulesMistake{Line: problem.Line, Key: problem.Key, Text: problem.Text})
			continue
		}
		check.Mistakes = append(check.Mistakes, dashboard.RulesMistake{Text: one.Error()})
	}
	catalog := p.world.source.Catalog()
	for _, one := range append(parts(set.Against(&catalog)), lacking(set, p.cfg.outputNames())...) {
		check.Warnings = append(check.Warnings, one.Error())
	}
	return check
}

// parts returns the errors that are joined in err.
func parts(err error) []error {
	if err == nil {
		return nil
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		return joined.Unwrap()
	}
	return []error{err}
}
