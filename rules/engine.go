package rules

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"holdfast"
)

// Options are what an engine needs from outside.
type Options struct {
	Log    *slog.Logger                 // nil: none
	NewID  func() string                // mints the ID of an alert; nil: 16 random hex digits
	Broken func(rule string, err error) // called once for each rule that fails, on the caller's goroutine; may be nil
}

// An Engine runs the rules of a set. It is for one goroutine.
type Engine struct {
	o     Options
	set   *Set
	rules []*running
	boot  string           // of the last instant seen
	at    holdfast.Instant // of the last call

	watched map[string][]int // places of the rules that watch a sensor
	resting bool             // nothing is measured, so nothing is missed
	orders  []Order
	fate    Fate // of the reading that is being judged
	derived int  // readings that followed from it so far

	stored map[string][]byte // parts of the last checkpoint, by rule; nil for one that is not known
}

// running is one rule at work.
type running struct {
	rule
	version  int
	sensors  []string // sorted
	memories []memory // of sensors, in their order
	failures uint64
	failure  string // the first
	fired    uint64 // records made
	last     time.Time
	off      bool        // it panicked
	failed   func(error) // counts a failure that does not panic

	definition []byte    // JSON of the program, once it is asked for
	written    bool      // it has not been at work since its part was written
	writtenAt  int64     // when that was, monotonic µs
	told       bool      // it has made a record since
	raised     []raising // alerts whose actions last
}

// New returns an engine that remembers nothing yet. A nil set has no rules.
func New(set *Set, o Options) *Engine {
	if set == nil {
		set = new(Set)
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.NewID == nil {
		o.NewID = randomID
	}
	e := &Engine{watched: make(map[string][]int), o: o, set: set, stored: make(map[string][]byte)}
	for _, r := range set.rules {
		running := &running{rule: r, version: set.Version}
		running.failed = func(err error) { e.fail(running, err) }
		running.stand()
		e.rules = append(e.rules, running)
	}
	e.expect()
	return e
}

func randomID() string {
	var b [8]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

// Apply returns what follows from one reading, in the order of the rules; [Engine.Fate] then tells what becomes of the
// reading itself. The reading is placed in time by its own Time, Mono and Clock; at gives the boot, and the monotonic time
// of a reading that has none. A reading that a rule derives goes through the rules behind it.
func (e *Engine) Apply(r *holdfast.Reading, at holdfast.Instant) []holdfast.Record {
	e.boot, e.at, e.fate, e.derived = at.Boot, at, Fate{}, 0
	return e.pass(0, r, at)
}

// pass takes a reading through the rules from a place on.
func (e *Engine) pass(from int, r *holdfast.Reading, at holdfast.Instant) []holdfast.Record {
	when := holdfast.Instant{Time: r.Time, Boot: at.Boot, Mono: r.Mono, Synchronized: r.Clock == nil}
	if r.Mono == 0 {
		when.Mono = at.Mono
	}
	var records []holdfast.Record
	for _, i := range e.watchers(r.Sensor) {
		if rule := e.rules[i]; i >= from {
			made := e.guard(rule, func() []holdfast.Record {
				sensor := rule.key(r.Sensor)
				m, err := e.memory(rule, sensor)
				if err != nil {
					e.fail(rule, err)
					return nil
				}
				return m.apply(e.origin(rule, sensor), r, when)
			})
			records = append(records, e.follow(i+1, rule, made, at)...)
		}
	}
	return records
}

// maxWatched is of how many sensors the engine knows by heart which rules watch them.
const maxWatched = 4096

// watchers returns the places of the rules that watch a sensor, in their order.
func (e *Engine) watchers(sensor string) []int {
	places, known := e.watched[sensor]
	if known {
		return places
	}
	for i, rule := range e.rules {
		if rule.program.watches().matches(sensor) {
			places = append(places, i)
		}
	}
	if len(e.watched) == maxWatched {
		clear(e.watched)
	}
	e.watched[sensor] = places
	return places
}

// Tick returns what follows from time passing: windows that end, conditions that have held for long enough. It is to be
// called about once a second.
func (e *Engine) Tick(at holdfast.Instant) []holdfast.Record {
	e.boot, e.at = at.Boot, at
	var records []holdfast.Record
	for _, rule := range e.rules {
		rule.outlive(at)
		for i, m := range rule.memories {
			records = append(records, e.guard(rule, func() []holdfast.Record {
				return m.tick(e.origin(rule, rule.sensors[i]), at)
			})...)
		}
	}
	return records
}

// Rest tells the engine whether measuring is stopped. No sensor is missed then; what waits for one begins anew afterwards.
func (e *Engine) Rest(stopped bool) { e.resting = stopped }

// Failures returns how often each rule failed, for those that did.
func (e *Engine) Failures() map[string]uint64 {
	failures := make(map[string]uint64)
	for _, rule := range e.rules {
		if rule.failures > 0 {
			failures[rule.name] = rule.failures
		}
	}
	return failures
}

func (e *Engine) origin(r *running, sensor string) origin {
	o := origin{rule: r.name, version: r.version, sensor: sensor, newID: e.o.NewID, resting: e.resting, fate: &e.fate, failed: r.failed}
	if r.program.watches().glob() {
		o.group = sensor
	}
	return o
}

// guard runs one step of a rule. A panic switches the rule off; a record that the wire cannot carry is left out.
func (e *Engine) guard(r *running, step func() []holdfast.Record) (records []holdfast.Record) {
	if r.off {
		return nil
	}
	r.written = false
	defer func() {
		if p := recover(); p != nil {
			r.off, records = true, nil
			e.fail(r, fmt.Errorf("panic: %v", p))
			e.forget(r)
		}
	}()
	records = slices.DeleteFunc(step(), func(record holdfast.Record) bool {
		err := record.Validate()
		if err != nil {
			e.fail(r, err)
		}
		return err != nil
	})
	r.told = r.told || len(records) > 0
	r.made(records)
	e.act(r, records)
	return records
}

// fail counts a rule's failure and reports the first.
func (e *Engine) fail(r *running, err error) {
	r.failures++
	if r.failures > 1 {
		return
	}
	r.failure = err.Error()
	e.o.Log.Warn("rule failed", "rule", r.name, "off", r.off, "err", err)
	if e.o.Broken != nil {
		e.o.Broken(r.name, err)
	}
}

// remember puts m at place i, where sensor belongs.
func (r *running) remember(i int, sensor string, m memory) {
	r.sensors = slices.Insert(r.sensors, i, sensor)
	r.memories = slices.Insert(r.memories, i, m)
}
