package rules

import (
	"fmt"

	"holdfast"
)

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
		if e.fate.settled().Withheld == "" {
			records = append(records, reading)
		}
		e.fate = outer
		records = append(records, more...)
	}
	return records
}
