package rehearse

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"holdfast"
	"holdfast/rules"
)

// An Action is what one action of a rule would have done.
type Action struct {
	What    string  `json:"what"`              // for people: output fan on
	Times   uint64  `json:"times"`             // it began, or was done
	Seconds float64 `json:"seconds,omitempty"` // how long it lasted in all
}

// doing is an action at work. What it makes sensors measure more often is not in the readings.
type doing struct {
	action Action
	since  map[string]int64 // by alert: since when it lasts, monotonic µs
	longer rules.Action
}

// order counts what a rule orders.
func (r *Rule) order(o *rules.Order) {
	if r.done == nil {
		r.done = make(map[int]*doing)
	}
	d := r.done[o.Place]
	if d == nil {
		d = &doing{action: Action{What: what(&o.Action)}, since: make(map[string]int64), longer: o.Action}
		r.done[o.Place] = d
	}
	switch o.Step {
	case rules.Begin:
		d.since[o.Alert] = o.At.Mono
		d.action.Times++
	case rules.End:
		d.action.Seconds += d.lasted(o.Alert, o.At.Mono) + o.Action.For.Seconds()
		delete(d.since, o.Alert)
	case rules.Once:
		d.action.Times++
		d.action.Seconds += max(o.Action.For, o.Action.Max).Seconds()
	}
}

// lasted is how long an action has lasted for an alert.
func (d *doing) lasted(alert string, now int64) float64 {
	since, ok := d.since[alert]
	if !ok {
		return 0
	}
	seconds := float64(now-since) / 1e6
	if d.longer.Max > 0 {
		seconds = min(seconds, d.longer.Max.Seconds())
	}
	return seconds
}

// acted returns what the actions of the rule have done up to an instant.
func (r *Rule) acted(now holdfast.Instant) (all []Action) {
	for _, place := range slices.Sorted(maps.Keys(r.done)) {
		d := r.done[place]
		a := d.action
		for _, alert := range slices.Sorted(maps.Keys(d.since)) {
			a.Seconds += d.lasted(alert, now.Mono)
		}
		all = append(all, a)
	}
	return all
}

// what names an action for people. A webhook's address may hold a secret.
func what(a *rules.Action) string {
	switch a.Kind {
	case rules.ActionOutput:
		return fmt.Sprintf("output %s %s", a.Output, a.State)
	case rules.ActionInterval:
		return fmt.Sprintf("interval %v", a.Every)
	}
	return a.Kind
}

// Order writes an order as one line for people.
func Order(o *rules.Order) string {
	step := map[rules.Step]string{rules.Once: "do", rules.Begin: "begin", rules.End: "end"}[o.Step]
	line := fmt.Sprintf("%s %-12s %s %s", when(o.At.Time), step, o.Rule, what(&o.Action))
	if limit := cmp.Or(o.Action.Max, o.Action.For); limit > 0 && o.Step != rules.End {
		line += ", at most " + limit.Round(time.Millisecond).String()
	}
	return line
}
