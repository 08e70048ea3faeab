package rehearse

import (
	"encoding/json"

	"holdfast"
	"holdfast/rules"
)

// Past is what a device really did while it took the readings.
type Past struct {
	Fired      map[string]uint64 `json:"fired"` // by rule: alerts raised, windows told, instants of a schedule, readings derived
	Readings   uint64            `json:"readings"`
	Withheld   uint64            `json:"withheld"`
	Derived    uint64            `json:"derived"`
	Aggregates uint64            `json:"aggregates"`
	Alerts     uint64            `json:"alerts"` // records: an alert has one for each step
	Events     uint64            `json:"events"` // of rules

	derives map[string]string // rules of the active set by the quantity that they derive
}

// NewPast returns a count of nothing. active is the set that was in force, by which derived readings are known; nil
// where nobody knows it.
func NewPast(active *rules.Set) *Past {
	p := &Past{Fired: map[string]uint64{}, derives: map[string]string{}}
	if active == nil {
		return p
	}
	for _, d := range active.Rules() {
		if d.Derives != "" {
			p.derives[d.Derives] = d.Name
		}
	}
	return p
}

// See counts a record of the history. Which rule withheld a reading is not known there. It returns the reading where that is what a sensor measured, to be rehearsed with,
// and nil for what a rule made. withheld says that the reading did not go up.
func (p *Past) See(record holdfast.Record, withheld bool) *holdfast.Reading {
	switch r := record.(type) {
	case *holdfast.Reading:
		if rule := p.derivedBy(r); rule != "" {
			p.Derived++
			p.Fired[rule]++
			return nil
		}
		if withheld {
			p.Withheld++
		} else {
			p.Readings++
		}
		return r
	case *holdfast.Aggregate:
		p.Aggregates++
		p.Fired[r.Rule]++
	case *holdfast.Alert:
		p.Alerts++
		if r.State == holdfast.Raised {
			p.Fired[r.Rule]++
		}
	case *holdfast.Event:
		var s holdfast.Schedule
		if r.Event == holdfast.EventSchedule && json.Unmarshal(r.Data, &s) == nil {
			p.Events++
			if s.State == holdfast.ScheduleFired || s.State == holdfast.ScheduleLate {
				p.Fired[s.Rule]++
			}
		}
	}
	return nil
}

// derivedBy returns the rule that made the reading; empty for a reading of a sensor. A derived reading has one quantity,
// the rule's.
func (p *Past) derivedBy(r *holdfast.Reading) string {
	if len(r.Values) != 1 {
		return ""
	}
	for quantity := range r.Values {
		return p.derives[quantity]
	}
	return ""
}
