package rules

import (
	"slices"
	"time"

	"holdfast"
)

// seldom is the longest time between two records of an aggregate that says how its sensors do.
const seldom = time.Hour

// Summarises reports whether aggregates of the set tell each quantity of the reading, of its sensor alone and at least once
// an hour, so that who is not sent the reading still hears of it. Windows that end with readings only, of a session or a
// count, do not count.
func (e *Engine) Summarises(r *holdfast.Reading) bool {
	for quantity := range r.Values {
		tells := func(rule *running) bool {
			a, ok := rule.program.(*aggregate)
			return ok && !rule.off && a.tells(r.Sensor, quantity)
		}
		if !slices.ContainsFunc(e.rules, tells) {
			return false
		}
	}
	return true
}

func (a *aggregate) tells(sensor, quantity string) bool {
	pace := a.Every
	if pace == 0 {
		pace = a.Window // sliding windows come out with each reading
	}
	return !a.Together && a.Session == 0 && a.Each == 0 && pace <= seldom && a.Sensor.matches(sensor) &&
		(len(a.Quantities) == 0 || slices.Contains(a.Quantities, quantity))
}
