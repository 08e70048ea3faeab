package rules

import (
	"time"

	"holdfast"
)

// A State tells how a rule of an engine gets on.
type State struct {
	Rule
	Raised   int       // alerts that stand
	Fired    uint64    // records that it made, since the engine began
	Last     time.Time // of the newest of them; zero: none
	Failures uint64
	Failure  string // the first
	Off      bool   // it panicked, and does nothing any more
}

// States tells how each rule gets on, in the order of the file.
func (e *Engine) States() []State {
	states := make([]State, len(e.rules))
	for i, about := range e.set.Rules() {
		r := e.rules[i]
		states[i] = State{Rule: about, Fired: r.fired, Last: r.last, Failures: r.failures, Failure: r.failure, Off: r.off}
		for _, m := range r.memories {
			if a, ok := m.(alerter); ok && a.alertID() != "" {
				states[i].Raised++
			}
		}
	}
	return states
}

// made counts what a rule made.
func (r *running) made(records []holdfast.Record) {
	if len(records) > 0 {
		r.fired += uint64(len(records))
		r.last = records[len(records)-1].When()
	}
}
