package policy

import (
	"math"
	"time"
)

// How stability is measured: by the past minutes, the nearer the more. A lost link costs as much as half a minute without one.
// A link on which something waits for an answer and none comes for half a minute is as good as none.
const (
	memory   = 5 * time.Minute
	lossCost = 30 * time.Second
	patience = 30 * time.Second
)

// A Sample is what there was to see of a link at an instant. The counters are of this start of the daemon.
type Sample struct {
	Up       bool
	Waiting  bool   // something was sent and not yet answered for
	Answered uint64 // what was answered for
	Losses   uint64 // times that the link was lost
}

// Stability is how much a link was there of late: an exponentially weighted share of time, 0 to 1. It begins with 1, since
// nothing speaks against a link that nobody has seen.
type Stability struct {
	Value float64

	last  Sample
	quiet time.Duration // how long nothing was answered for, though something waits
}

// NewStability returns a meter that goes on from a value, such as 1.
func NewStability(value float64) *Stability {
	if !(value >= 0 && value <= 1) {
		value = 1
	}
	return &Stability{Value: value}
}

// Observe takes a sample, so much time after the one before.
func (s *Stability) Observe(x Sample, passed time.Duration) {
	losses := x.Losses - min(s.last.Losses, x.Losses)
	if s.quiet += passed; !x.Up || !x.Waiting || x.Answered != s.last.Answered {
		s.quiet = 0
	}
	there := 0.0
	if x.Up && s.quiet < patience {
		there = 1
	}
	s.Value *= math.Exp(-float64(losses) * fraction(lossCost))
	s.Value += (there - s.Value) * (1 - math.Exp(-fraction(passed)))
	s.last = x
}

func fraction(d time.Duration) float64 { return float64(d) / float64(memory) }
