package rules

import (
	"fmt"

	"holdfast"
)

// A Fate is what the rules decided about a reading itself. Rules never keep a reading from one another: a reading that is
// withheld still raises alerts and fills windows.
type Fate struct {
	Withheld string // the first rule that wants the reading not to go up; empty: it goes
	Route    string // the way that the first rule with an opinion chose; empty: none did
}

// Fate returns what was decided about the reading of the last [Engine.Apply].
func (e *Engine) Fate() Fate { return e.fate }

func (f *Fate) withhold(rule string) {
	if f.Withheld == "" {
		f.Withheld = rule
	}
}

func (f *Fate) route(to string) {
	if f.Route == "" {
		f.Route = to
	}
}

// maxDerived is how many readings may follow from one.
const maxDerived = 64

// follow hands each reading that a rule derived to the rules behind it, and returns everything that follows. A derived
// reading that is withheld in turn is left out.
func (e *Engine) follow(behind int, r *running, made []holdfast.Record, at holdfast.Instant) []holdfast.Record {
	var records []holdfast.Record
	for _, record := range made {
		reading, ok := record.(*holdfast.Reading)
		if !ok {
			records = append(records, record)
			continue
		}
		if e.derived == maxDerived {
			e.fail(r, fmt.Errorf("more than %d readings derived from one: %s is left out", maxDerived, reading.Sensor))
			continue
		}
		e.derived++
		outer := e.fate
		e.fate = Fate{}
		more := e.pass(behind, reading, at)
		if e.fate.Withheld == "" {
			records = append(records, reading)
		}
		e.fate = outer
		records = append(records, more...)
	}
	return records
}
