package rules

import (
	"time"

	"holdfast"
)

// A mark is an instant that a memory keeps.
type mark struct {
	Time time.Time `json:"time"`
	Boot string    `json:"boot"`
	Mono int64     `json:"mono"`
	Sync bool      `json:"sync,omitempty"`
}

func newMark(at holdfast.Instant) *mark { return &mark{at.Time, at.Boot, at.Mono, at.Synchronized} }

func (m *mark) instant() holdfast.Instant {
	return holdfast.Instant{Time: m.Time, Boot: m.Boot, Mono: m.Mono, Synchronized: m.Sync}
}

// anew is the mark in the boot of another instant, with its monotonic time.
func (m *mark) anew(at holdfast.Instant) *mark { return &mark{m.Time, at.Boot, at.Mono, m.Sync} }

// wall returns the wall time of the mark as it is known at the given instant: a time that was a guess is corrected once
// the clock is synchronised within the same boot.
func (m *mark) wall(at holdfast.Instant) time.Time {
	if m.Sync || !at.Synchronized || m.Boot != at.Boot {
		return m.Time
	}
	return at.Time.Add(-micros(at.Mono - m.Mono))
}

// until returns how long the mark lies back: by monotonic time within a boot, else by what the wall clocks said.
func (m *mark) until(at holdfast.Instant) time.Duration {
	if m.Boot == at.Boot {
		return max(0, micros(at.Mono-m.Mono))
	}
	return max(0, at.Time.Sub(m.Time))
}

func micros(n int64) time.Duration { return time.Duration(n) * time.Microsecond }
