package rehearse

import (
	"math"
	"slices"

	"holdfast/rules"
)

// bursts are the actions that have sensors sampled at another interval: all that these read meanwhile goes up.
type bursts []burst

type burst struct {
	order rules.Order
	until int64 // monotonic µs; MaxInt64: while the alert stands
}

// order takes an order in. What belongs to an action that is no interval is none of its business.
func (b *bursts) order(o *rules.Order) {
	if o.Action.Kind != rules.ActionInterval {
		return
	}
	*b = slices.DeleteFunc(*b, func(old burst) bool {
		same := old.order.Rule == o.Rule && old.order.Place == o.Place && old.order.Alert == o.Alert
		return same || old.until <= o.At.Mono
	})
	until := o.At.Mono + o.Action.For.Microseconds()
	if o.Step == rules.Begin {
		until = math.MaxInt64
	}
	*b = append(*b, burst{*o, until})
}

// on reports whether the sensor is in a burst.
func (b bursts) on(sensor string, now int64) bool {
	return slices.ContainsFunc(b, func(b burst) bool { return now < b.until && b.order.Covers(sensor) })
}
