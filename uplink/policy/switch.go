package policy

import "time"

// Dwell is how long a mode holds at least.
const Dwell = time.Minute

// A Switch is the decision that holds. The zero Switch has decided nothing; a decision that was kept from an earlier start is
// put into a new one.
type Switch struct {
	Decision
	held time.Duration // since the mode changed
}

// Step takes a decision, so much time after the one before, and reports whether the mode changes with it. Within [Dwell] of a
// change it does not; another reason for the same mode is taken at once.
func (s *Switch) Step(d Decision, passed time.Duration) (changed bool) {
	s.held += passed
	switch {
	case d.Mode == s.Mode:
		s.Decision = d
		return false
	case s.Mode != "" && s.held < Dwell:
		return false
	}
	s.Decision, s.held = d, 0
	return true
}
