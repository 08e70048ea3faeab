package rules

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"holdfast"
)

// An Order says what is to be done because of an alert or a schedule. The engine does nothing itself.
type Order struct {
	Rule   string
	Place  int    // of the action among those of the rule; rule, place and alert tell one from all others
	Alert  string // its ID; empty: a schedule fired
	Sensor string // of the alert
	Step   Step
	Action Action
	At     holdfast.Instant // when the reason for it was there
	Record *holdfast.Alert  // what a webhook posts
}

// A Step is when in the life of its action an order comes.
type Step int

const (
	Once  Step = iota // nothing ends it but the action itself
	Begin             // an End follows
	End               // the alert is cleared, or its rule is gone
)

// Covers reports whether a sensor is one whose interval the order is about.
func (o *Order) Covers(sensor string) bool {
	if o.Action.Sensor != "" {
		return o.Action.Sensor.matches(sensor)
	}
	return o.Sensor == sensor
}

// maxOrders bounds how many orders wait for [Engine.Orders].
const maxOrders = 1 << 14

// Orders returns what is to be done since the last call, oldest first.
func (e *Engine) Orders() []Order {
	orders := e.orders
	e.orders = nil
	return orders
}

// BurstOrdered reports whether one of the orders that wait for [Engine.Orders] begins to have the sensor sampled at another
// interval: the reading that is the reason for it belongs to what is sampled then.
func (e *Engine) BurstOrdered(sensor string) bool {
	return slices.ContainsFunc(e.orders, func(o Order) bool {
		return o.Action.Kind == ActionInterval && o.Step != End && o.Covers(sensor)
	})
}

// Standing returns the orders that a restart must give again, since what they brought about ended with the process: Begin of
// each action that lasts while an alert stands, and End of each that goes on for a while behind one. At says since when.
// A pulse, a webhook and what a schedule began are done once and not among them.
func (e *Engine) Standing() (orders []Order) {
	for _, r := range e.rules {
		for _, raised := range r.raised {
			step, at := Begin, raised.Since
			if raised.Over != nil {
				step, at = End, raised.Over
			}
			for i, a := range r.actions {
				if !a.lasts() || step == End && a.For == 0 || r.off {
					continue
				}
				orders = append(orders, Order{Rule: r.name, Place: i, Alert: raised.ID, Sensor: raised.Sensor, Step: step, Action: a, At: at.instant()})
			}
		}
	}
	return orders
}

// A raising is an alert of a rule some of whose actions last. It is kept until the last of them is over.
type raising struct {
	ID     string `json:"id"`
	Sensor string `json:"sensor"`
	Since  *mark  `json:"since"`
	Over   *mark  `json:"over,omitempty"` // when it was cleared; nil while it stands
}

// act gives the orders that follow from what a rule has made.
func (e *Engine) act(r *running, records []holdfast.Record) {
	if len(r.actions) == 0 {
		return
	}
	for _, record := range records {
		switch record := record.(type) {
		case *holdfast.Alert:
			e.alerted(r, record)
		case *holdfast.Event:
			e.fired(r, record)
		}
	}
}

func (e *Engine) alerted(r *running, alert *holdfast.Alert) {
	for i, a := range r.actions {
		switch {
		case a.Kind == ActionWebhook:
			e.order(r, i, Order{Alert: alert.ID, Sensor: alert.Sensor, Step: Once, Record: alert})
		case alert.State == holdfast.Raised && a.lasts():
			e.order(r, i, Order{Alert: alert.ID, Sensor: alert.Sensor, Step: Begin})
		case alert.State == holdfast.Raised:
			e.order(r, i, Order{Alert: alert.ID, Sensor: alert.Sensor, Step: Once})
		case alert.State == holdfast.Cleared && a.lasts():
			e.order(r, i, Order{Alert: alert.ID, Sensor: alert.Sensor, Step: End})
		}
	}
	switch {
	case !slices.ContainsFunc(r.actions, func(a Action) bool { return a.lasts() }):
	case alert.State == holdfast.Raised:
		r.raised = append(r.raised, raising{ID: alert.ID, Sensor: alert.Sensor, Since: newMark(e.at)})
	case alert.State == holdfast.Cleared:
		r.cleared(alert, newMark(e.at))
	}
}

// cleared notes that an alert is over. What goes on behind it takes the place of what still went on behind an earlier one
// of the sensor.
func (r *running) cleared(alert *holdfast.Alert, at *mark) {
	r.raised = slices.DeleteFunc(r.raised, func(o raising) bool {
		return o.Over != nil && o.Sensor == alert.Sensor || o.ID == alert.ID && r.behind() == 0
	})
	for i := range r.raised {
		if r.raised[i].ID == alert.ID {
			r.raised[i].Over = at
		}
	}
}

// behind is how long the actions of a rule go on behind an alert.
func (r *running) behind() (longest time.Duration) {
	for _, a := range r.actions {
		if a.Kind == ActionInterval {
			longest = max(longest, a.For)
		}
	}
	return longest
}

// fired gives the orders of a schedule, at its time or late.
func (e *Engine) fired(r *running, event *holdfast.Event) {
	var s holdfast.Schedule
	if event.Event != holdfast.EventSchedule || json.Unmarshal(event.Data, &s) != nil {
		return
	}
	if s.State != holdfast.ScheduleFired && s.State != holdfast.ScheduleLate {
		return
	}
	for i := range r.actions {
		e.order(r, i, Order{Step: Once})
	}
}

func (e *Engine) order(r *running, place int, o Order) {
	o.Rule, o.Place, o.Action, o.At = r.name, place, r.actions[place], e.at
	e.give(o, r)
}

func (e *Engine) give(o Order, r *running) {
	if len(e.orders) == maxOrders {
		e.fail(r, fmt.Errorf("more than %d orders at once: some are left out", maxOrders))
		return
	}
	e.orders = append(e.orders, o)
}

// forget ends all that a rule has ordered, at once: it is gone, or has panicked.
func (e *Engine) forget(r *running) {
	for _, raised := range r.raised {
		for i, a := range r.actions {
			if a.lasts() && (raised.Over == nil || a.For > 0) {
				a.For = 0
				e.give(Order{Rule: r.name, Place: i, Alert: raised.ID, Sensor: raised.Sensor, Step: End, Action: a, At: e.at}, r)
			}
		}
	}
	r.raised = nil
}

// outlive drops the alerts behind which nothing goes on any more.
func (r *running) outlive(at holdfast.Instant) {
	if len(r.raised) == 0 {
		return
	}
	before := len(r.raised)
	behind := r.behind().Microseconds()
	r.raised = slices.DeleteFunc(r.raised, func(o raising) bool { return o.Over != nil && at.Mono-o.Over.Mono >= behind })
	if len(r.raised) != before {
		r.written = false
	}
}

// resume takes over the alerts that were saved. The time of those of an earlier boot counts from now, since what they had begun
// ended with it; the wall time is that of before.
func (r *running) resume(saved []raising, rebooted bool, at holdfast.Instant) {
	r.raised = nil
	for _, o := range saved {
		if o.ID == "" || o.Since == nil || len(r.raised) == maxSensors {
			continue
		}
		if rebooted {
			o.Since = o.Since.anew(at)
			if o.Over != nil {
				o.Over = o.Over.anew(at)
			}
		}
		r.raised = append(r.raised, o)
	}
}
