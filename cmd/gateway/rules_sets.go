package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"holdfast"
)

// rulesFile is the name of what is kept about sets of rules in the data folder. It is a file of its own since it has to be
// durable before a rule runs, and before the buffer takes anything.
const rulesFile = "rules.json"

// ruleSets are the sets of rules that there are, and the one in force.
type ruleSets struct {
	path string

	mu       sync.Mutex
	book     book
	setting  *ruleSet // what somebody wrote while the gateway ran; nil: nothing
	config   *ruleSet // what file or variable say now; nil: nothing
	active   *ruleSet // in force; nil: no rules
	since    time.Time
	fallen   []holdfast.RulesChange // sets rejected at the start
	failures []ruleFailure          // since the loop looked
	last     int64                  // when the newest reading was taken, µs since the boot; 0: none yet
	proven   bool                   // since the loop looked
	unsaved  bool
}

type ruleFailure struct{ rule, reason string }

// openRuleSets reads what was kept. A file that is damaged counts as none.
func openRuleSets(folder string, config *ruleSet) *ruleSets {
	s := &ruleSets{path: filepath.Join(folder, rulesFile), config: config}
	if text, err := os.ReadFile(s.path); err == nil && json.Unmarshal(text, &s.book) != nil {
		s.book = book{}
	}
	return s
}

// wrote notes the value of the setting, and changed that of the configuration.
func (s *ruleSets) wrote(set *ruleSet) { s.mu.Lock(); defer s.mu.Unlock(); s.setting = set }

func (s *ruleSets) changed(set *ruleSet) { s.mu.Lock(); defer s.mu.Unlock(); s.config = set }

// start puts the first set into force.
func (s *ruleSets) start(at holdfast.Instant) *ruleSet {
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		s.active, s.since, s.unsaved = s.book.choose(s.setting, s.config), at.Time, true
		reason := s.book.start(s.active, at.Boot)
		if reason == "" {
			return s.active
		}
		s.fallen = append(s.fallen, rejectedChange(s.active, "", reason))
		s.book.reject(s.active, reason)
	}
}

func rejectedChange(s *ruleSet, rule, reason string) holdfast.RulesChange {
	c := s.told()
	c.State, c.Rule, c.Error = "rejected", rule, reason
	return c
}

// turn returns the set that is to be in force, and the one that is, unless they are the same.
func (s *ruleSets) turn() (next, before *ruleSet, differs bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	next, before = s.book.choose(s.setting, s.config), s.active
	if next.hash() != before.hash() {
		return next, before, true
	}
	if next != nil && next.Origin != string(holdfast.OriginTrial) { // the same text by somebody else
		s.active = next
	}
	return next, before, false
}

// begin puts a set into force.
func (s *ruleSets) begin(set *ruleSet, excused []string, at holdfast.Instant) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.book.begin(set, s.active, excused, at.Boot)
	s.active, s.since, s.failures, s.proven, s.unsaved = set, at.Time, nil, false, true
}

// failed notes that a rule of the set in force failed.
func (s *ruleSets) failed(rule string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failures = append(s.failures, ruleFailure{rule, err.Error()})
}

// measured notes that a reading was taken, µs since the boot.
func (s *ruleSets) measured(mono int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.book.Trial == nil {
		return
	}
	if s.last != 0 && s.book.measured(s.active, time.Duration(mono-s.last)*time.Microsecond) {
		s.proven, s.unsaved = true, true
	}
	s.last = mono
}

// judge returns what has become of the set in force since the last time: it is rejected, or has proven itself; nil: neither.
func (s *ruleSets) judge() *holdfast.RulesChange {
	s.mu.Lock()
	defer s.mu.Unlock()
	failures, proven := s.failures, s.proven
	s.failures, s.proven = nil, false
	for _, f := range failures {
		if s.book.failed(s.active, f.rule, f.reason) {
			change := rejectedChange(s.active, f.rule, f.reason)
			s.book.reject(s.active, fmt.Sprintf("rule %s: %s", f.rule, f.reason))
			s.unsaved = true
			return &change
		}
	}
	if !proven {
		return nil
	}
	change := s.active.told()
	change.State = "proven"
	return &change
}

// about says why a set of the configuration will not come into force, if so, and whether only because somebody wrote another.
func (s *ruleSets) about(set *ruleSet) (rejected string, held bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r := s.book.rejection(set); r != nil {
		return fmt.Sprintf("this text of version %d was taken back before (%s), and is not tried again", r.Version, r.Reason), false
	}
	return "", s.setting != nil
}

// demote has another set be what is gone back to in the place of this one, which did not prove itself after all.
func (s *ruleSets) demote(set, good *ruleSet) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.book.Good.hash() == set.hash() {
		s.book.Good, s.book.Proven, s.unsaved = good, good != nil, true
	}
}

// condemned returns why the setting was rejected, and to what it is to be set back; ok is false where it was not.
func (s *ruleSets) condemned() (setting *ruleSet, back json.RawMessage, reason string, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.book.rejection(s.setting)
	if r == nil {
		return nil, nil, "", false
	}
	back = json.RawMessage("null")
	if s.book.Good.written() {
		back = s.book.Good.value()
	}
	return s.setting, back, r.Reason, true
}

// save makes what is to be kept durable.
func (s *ruleSets) save(ctx context.Context) error {
	s.mu.Lock()
	text, err := json.Marshal(s.book)
	due := s.unsaved
	s.unsaved = false
	s.mu.Unlock()
	if err != nil || !due {
		return err
	}
	return replaceFileWithin(ctx, s.path, text)
}

// end notes that the gateway ends well.
func (s *ruleSets) end(ctx context.Context) error {
	s.mu.Lock()
	s.book.end()
	s.unsaved = true
	s.mu.Unlock()
	return s.save(ctx)
}
