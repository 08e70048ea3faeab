package sensors

import (
	"maps"
	"time"

	"holdfast"
)

// State is what is known of one sensor now.
type State struct {
	Name     string
	Chip     string
	State    holdfast.SensorState
	Interval time.Duration               // zero for a replayed sensor, whose rows have their own times
	Values   map[string]float64          // of the last reading, nil before the first
	Quality  map[string]holdfast.Quality // of those that are not good
	Time     time.Time                   // of the last reading, zero before the first
	Samples  uint64                      // readings handed out
	Skipped  uint64                      // samples that were due and not taken, or had nothing new, or were not taken over in time
	Errors   uint64                      // samples that failed
	Retries  uint64                      // samples that were taken again at once
	Bad      uint64                      // values that were no measurement and were left out
	Suspect  uint64                      // values that were handed out as suspect
	Error    string                      // why the last read failed, or values of it were left out; empty otherwise
}

// clone returns a copy that shares nothing.
func (s State) clone() State {
	s.Values, s.Quality = maps.Clone(s.Values), maps.Clone(s.Quality)
	return s
}

// lostAfter is how many reads in a row have to fail until a sensor counts as lost.
const lostAfter = 3

// lostAfterDisturbances is how many reads in a row have to fail for a bus that another one holds.
const lostAfterDisturbances = 60

// health follows the state of a sensor from read to read. The zero health is that of a sensor nobody has read yet.
type health struct {
	answered  bool // at least once
	failures  int  // in a row, counted up to lostAfter
	disturbed int  // of them, those that say nothing of the sensor
}

func (h *health) succeed() { *h = health{answered: true} }

func (h *health) fail() { h.failures = min(h.failures+1, lostAfter) }

// disturb is a failure that says nothing of the sensor: the bus was another's all the time. It is not lost for that, unless
// it goes on for long.
func (h *health) disturb() {
	h.failures = max(h.failures, 1)
	if h.disturbed++; h.disturbed >= lostAfterDisturbances {
		h.failures = lostAfter
	}
}

func (h *health) state() holdfast.SensorState {
	switch {
	case h.failures == lostAfter && !h.answered:
		return holdfast.SensorAbsent
	case h.failures == lostAfter:
		return holdfast.SensorLost
	case !h.answered:
		return holdfast.SensorIdentifying
	case h.failures > 0:
		return holdfast.SensorDegraded
	}
	return holdfast.SensorOK
}

// gone reports whether there is little point in asking the sensor at every sample.
func (h *health) gone() bool { return h.failures == lostAfter }
