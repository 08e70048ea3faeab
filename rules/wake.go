package rules

import (
	"math"

	"holdfast"
)

// Never is what [Engine.Wake] returns where nothing is due without another reading.
const Never = math.MaxInt64

// A waker is a memory whose tick does nothing before a monotonic time in µs, if no reading comes and the wall clock runs
// steadily. One that is not a waker never does anything in a tick.
type waker interface {
	wake(at holdfast.Instant) int64
}

// Wake returns the monotonic time in µs before which [Engine.Tick] has nothing to do, if no reading comes and the wall
// clock runs steadily from the given instant on: so that whoever makes time pass may skip ticks. It may be too early, and lie in
// the past, but is never too late.
func (e *Engine) Wake(at holdfast.Instant) int64 {
	if e.resting {
		return at.Mono // every tick moves on what waits for a sensor
	}
	first := int64(Never)
	for _, rule := range e.rules {
		if rule.off {
			continue
		}
		for _, m := range rule.memories {
			if w, ok := m.(waker); ok {
				first = min(first, w.wake(at))
			}
		}
	}
	return first
}

func (r *raiser) wake(holdfast.Instant) int64 {
	if r.Since == nil || r.ID != "" {
		return Never
	}
	return max(r.Since.Mono+r.alerting.For.Microseconds(), r.Quiet)
}

// wake of a silence: a raised alert is left to the next reading, unless it is latched and the sensor was heard meanwhile.
func (s *silence) wake(at holdfast.Instant) int64 {
	switch {
	case s.Last == nil, s.ID != "" && s.Back:
		return at.Mono
	case s.ID != "":
		return Never
	}
	return max(s.Last.Mono+s.absence.After.Microseconds(), s.Quiet)
}

func (s *series) wake(holdfast.Instant) int64 {
	if s.Open == nil {
		return Never
	}
	return s.Open.End
}

func (h *hops) wake(holdfast.Instant) int64 {
	switch {
	case h.Open != nil:
		return h.Open.End
	case h.Past == nil || h.Panes.empty():
		return Never
	}
	return h.Past.End + h.aggregate.Every.Microseconds()
}

// wake of a slide: what it forgets in a tick it would forget with the next reading too.
func (s *slide) wake(holdfast.Instant) int64 {
	if !s.Owed {
		return Never
	}
	return s.Told + s.aggregate.Every.Microseconds()
}

func (s *stretch) wake(holdfast.Instant) int64 {
	a := s.aggregate
	if s.Open == nil || a.Session == 0 {
		return Never
	}
	return min(s.Open.Last+a.Session.Microseconds(), s.Open.Start+a.Longest.Microseconds())
}

// wake of a timetable: each minute is judged for itself.
func (t *timetable) wake(at holdfast.Instant) int64 {
	if !at.Synchronized || t.Last == 0 {
		return at.Mono
	}
	next := minuteTime(t.Last + 1)
	return at.Mono + next.Sub(at.Time).Microseconds()
}
