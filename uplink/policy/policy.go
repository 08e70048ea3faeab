package policy

import (
	"time"

	"holdfast"
)

// Limits are what facts are held against.
type Limits struct {
	Latency   time.Duration // decisions that are needed sooner than this cannot be made in the cloud
	Cost      float64       // of a day of all readings, in the currency of Facts.Price
	Stability float64       // of the link, 0 to 1
}

// Facts are what a decision is made from. What is not known is 0, but for Stability, where it is 1; no number (NaN) decides
// nothing.
type Facts struct {
	Latency   time.Duration // how soon a decision about a reading is needed; 0: there is no such need
	Volume    float64       // MB (10^6 bytes) in a day that all readings make on the link
	Price     float64       // of a MB
	Stability float64       // of the link, 0 to 1
	Backlog   float64       // share of the buffer that waits to be sent, 0 to 1
}

// Cost is what a day of all readings costs.
func (f Facts) Cost() float64 { return f.Volume * f.Price }

// A Decision is what goes up, and why.
type Decision struct {
	Mode   holdfast.EdgeMode   `json:"mode"`
	Reason holdfast.EdgeReason `json:"reason"`
}

// A buffer is nearly full from nearlyFull on, until it has come down to roomAgain. Costs are too high until they have come down
// to cheapAgain of the limit.
const (
	nearlyFull = 0.8
	roomAgain  = 0.5
	cheapAgain = 0.8
)

// Decide returns what is to go up. The first of these that holds decides, whatever the others say:
//
//   - decisions are needed sooner than Limits.Latency: aggregate, for they are made on the device in any case
//   - a day of all readings costs more than Limits.Cost: aggregate
//   - the buffer is nearly full: aggregate, before the oldest readings have to go
//   - the link is less stable than Limits.Stability: hold
//   - else: raw
//
// Of before, the decision so far, the reason makes it harder to leave: see [Limits.leaving].
func (l Limits) Decide(f Facts, before Decision) Decision {
	l, full := l.leaving(before)
	switch {
	case f.Latency > 0 && f.Latency < l.Latency:
		return Decision{holdfast.EdgeAggregate, holdfast.EdgeLatency}
	case f.Cost() > l.Cost:
		return Decision{holdfast.EdgeAggregate, holdfast.EdgeCost}
	case f.Backlog >= full:
		return Decision{holdfast.EdgeAggregate, holdfast.EdgeRedundancy}
	case f.Stability < l.Stability:
		return Decision{holdfast.EdgeHold, holdfast.EdgeRedundancy}
	}
	return Decision{holdfast.EdgeRaw, holdfast.EdgeCloud}
}

// leaving returns the limits for who has decided so, and from which backlog on the buffer counts as nearly full: costs have to
// come down to four fifths of their limit, the buffer to a half; the link has to be better than its limit by a third of what
// is missing to 1.
func (l Limits) leaving(before Decision) (Limits, float64) {
	full := nearlyFull
	switch before.Reason {
	case holdfast.EdgeCost:
		l.Cost *= cheapAgain
	case holdfast.EdgeRedundancy:
		l.Stability += (1 - l.Stability) / 3
		if before.Mode == holdfast.EdgeAggregate {
			full = roomAgain
		}
	}
	return l, full
}

// Label is the name under which a decision is counted.
func (d Decision) Label() string {
	switch d.Reason {
	case holdfast.EdgeLatency:
		return "latency_critical"
	case holdfast.EdgeCost:
		return "bandwidth_cost"
	case holdfast.EdgeRedundancy:
		return "network_reliability"
	}
	return "cloud_processing"
}

// Labels are all that [Decision.Label] returns.
func Labels() []string {
	return []string{"latency_critical", "bandwidth_cost", "network_reliability", "cloud_processing"}
}
