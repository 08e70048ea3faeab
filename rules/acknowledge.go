package rules

import (
	"fmt"
	"unicode/utf8"

	"holdfast"
)

// An alerter is a memory that may hold a raised alert.
type alerter interface {
	alertID() string // "" while none is raised
	standing(o origin, at holdfast.Instant) *holdfast.Alert
	acknowledge(o origin, by string, at holdfast.Instant) []holdfast.Record
}

// Acknowledge notes that somebody has seen the raised alert of the given ID, and returns the records that follow: the
// acknowledgement, and for a latched alert whose value is back, its end. An alert that was acknowledged before gives none.
// by is 1 to 64 bytes. The error says that no such alert is raised, or what is wrong with by.
func (e *Engine) Acknowledge(id, by string, at holdfast.Instant) ([]holdfast.Record, error) {
	if by == "" || len(by) > 64 || !utf8.ValidString(by) {
		return nil, fmt.Errorf("by: %.70q: want 1 to 64 bytes", by)
	}
	e.boot, e.at = at.Boot, at
	for _, rule := range e.rules {
		for i, m := range rule.memories {
			a, ok := m.(alerter)
			if !ok || rule.off || id == "" || a.alertID() != id {
				continue
			}
			return e.guard(rule, func() []holdfast.Record { return a.acknowledge(e.origin(rule, rule.sensors[i]), by, at) }), nil
		}
	}
	return nil, fmt.Errorf("alert: %.70q: no such alert is raised", id)
}

// Raised returns the alerts that are raised at that instant, acknowledged or not, as they then are: what was told of them, with
// their duration so far. It serves who shows them after a restart; none of them is a new record.
func (e *Engine) Raised(at holdfast.Instant) (all []*holdfast.Alert) {
	for _, rule := range e.rules {
		for i, m := range rule.memories {
			if a, ok := m.(alerter); ok && !rule.off && a.alertID() != "" {
				all = append(all, a.standing(e.origin(rule, rule.sensors[i]), at))
			}
		}
	}
	return all
}
