package main

import (
	"fmt"
	"slices"
	"time"
)

// What the trial of a set is made of; see docs/adr/0033.
const (
	probationTime = 10 * time.Minute // of measuring
	longestGap    = time.Minute      // between two readings counts for no more
	maxStarts     = 3                // of a set on trial that do not end well
	maxRejected   = 16               // that are remembered
)

// A book decides which of the sets of rules that there are is in force, and whether it proves itself. It knows neither clock
// nor disk, and its JSON is what is kept of it.
type book struct {
	Good     *ruleSet    `json:"good,omitempty"`     // to go back to: the newest that proved itself, or before any did, the one before
	Proven   bool        `json:"proven,omitempty"`   // Good is
	Trial    *probation  `json:"trial,omitempty"`    // of the set in force; nil: none
	Rejected []rejection `json:"rejected,omitempty"` // newest last
}

// A probation is how a set gets on that has not proven itself.
type probation struct {
	Hash    string   `json:"hash"`
	Starts  int      `json:"starts"`            // of the gateway under the set that did not end well, and the one that runs
	Boot    string   `json:"boot,omitempty"`    // of the one that runs
	Excused []string `json:"excused,omitempty"` // rules that fail and are none of its doing: they stood and failed in the set before
	Failed  string   `json:"failed,omitempty"`  // why it can no more prove itself, though there is nothing to go back to

	passed time.Duration
}

// A rejection is a set that was taken back.
type rejection struct {
	Hash     string `json:"hash"`
	Revision int64  `json:"revision,omitempty"`
	Version  int    `json:"version"`
	Reason   string `json:"reason"`
}

// choose returns the set that is to be in force; nil for none. A set that somebody wrote goes before that of the
// configuration, and what was rejected before nothing.
func (b *book) choose(setting, config *ruleSet) *ruleSet {
	rejected := b.rejection(setting) != nil
	switch {
	case setting != nil && !rejected:
		return setting
	case rejected && b.Good.written():
		return b.Good
	case config != nil && b.rejection(config) == nil:
		return config
	case setting != nil || config != nil:
		return b.Good
	}
	return nil
}

// rejection returns that of a set, or nil. A text that somebody writes again is tried again; one of the configuration is not,
// whoever it was rejected for.
func (b *book) rejection(s *ruleSet) *rejection {
	if s == nil {
		return nil
	}
	for i, r := range b.Rejected {
		if r.Hash == s.hash() && (r.Revision == s.Revision || !s.written()) {
			return &b.Rejected[i]
		}
	}
	return nil
}

// begin notes that a set comes into force in the place of another, and puts it on trial unless it has proven itself. excused
// are rules that failed already.
func (b *book) begin(s, before *ruleSet, excused []string, boot string) {
	back := b.Good != nil && b.Good.hash() == s.hash()
	if !b.Proven && !back && before.hash() != s.hash() && (before == nil || b.fit(before)) {
		b.Good = before
	}
	b.try(s, excused, boot)
}

func (b *book) try(s *ruleSet, excused []string, boot string) {
	switch {
	case s == nil, b.isProven(s):
		b.Trial = nil
	case b.Trial == nil || b.Trial.Hash != s.hash():
		b.Trial = &probation{Hash: s.hash(), Starts: 1, Boot: boot, Excused: excused}
	}
}

// fit reports whether a set was not found wanting.
func (b *book) fit(s *ruleSet) bool {
	failed := b.Trial != nil && b.Trial.Hash == s.hash() && b.Trial.Failed != ""
	rejected := slices.ContainsFunc(b.Rejected, func(r rejection) bool { return r.Hash == s.hash() })
	return !failed && !rejected
}

func (b *book) isProven(s *ruleSet) bool { return b.Proven && b.Good.hash() == s.hash() }

// start is begin at the start of the gateway, which counts. It returns why the set is not to come into force, if so: there is
// another to go back to, and under this one the gateway did not end well too often. An end with which the machine's boot ended, too, is
// that of its power.
func (b *book) start(s *ruleSet, boot string) (reason string) {
	again := b.Trial != nil && b.Trial.Hash == s.hash()
	b.try(s, nil, boot)
	if b.Trial == nil || !again {
		return ""
	}
	rebooted := b.Trial.Boot != boot
	b.Trial.Boot = boot
	if rebooted && b.Trial.Starts > 0 {
		return ""
	}
	if b.Trial.Starts >= maxStarts && b.replaceable(s) {
		return fmt.Sprintf("the gateway did not end well %d times before they had proven themselves", b.Trial.Starts)
	}
	b.Trial.Starts = min(b.Trial.Starts+1, maxStarts)
	return ""
}

// end notes that the gateway ends well.
func (b *book) end() {
	if b.Trial != nil {
		b.Trial.Starts--
	}
}

// measured notes how long it is since the reading before, and reports whether the set in force has proven itself with this one.
func (b *book) measured(s *ruleSet, gap time.Duration) bool {
	if b.Trial == nil || s == nil {
		return false
	}
	if b.Trial.passed += min(gap, longestGap); b.Trial.passed < probationTime {
		return false
	}
	failed := b.Trial.Failed != ""
	b.Trial = nil
	if !failed {
		b.Good, b.Proven = s, true
		b.Rejected = slices.DeleteFunc(b.Rejected, func(r rejection) bool { return r.Hash == s.hash() })
	}
	return !failed
}

// failed notes that a rule of the set in force failed, and reports whether the set is to be rejected for that.
func (b *book) failed(s *ruleSet, rule, reason string) bool {
	if b.Trial == nil || s == nil || slices.Contains(b.Trial.Excused, rule) {
		return false
	}
	if b.replaceable(s) {
		return true
	}
	b.Trial.Failed = reason
	return false
}

// replaceable reports whether there is something to go back to from a set: from one that was written, what the configuration says.
func (b *book) replaceable(s *ruleSet) bool {
	return s.written() || b.Good != nil && b.Good.hash() != s.hash()
}

// reject takes a set back. What holds then, choose says.
func (b *book) reject(s *ruleSet, reason string) {
	if b.Good.hash() == s.hash() {
		b.Good, b.Proven = nil, false
	}
	b.Trial = nil
	b.Rejected = append(b.Rejected, rejection{Hash: s.hash(), Revision: s.Revision, Version: s.Version, Reason: reason})
	b.Rejected = b.Rejected[max(0, len(b.Rejected)-maxRejected):]
}
