package rules

import (
	"time"

	"holdfast"
)

// A slide is what an aggregate over sliding windows remembers of one sensor. A window reaches from a reading back over its
// size; it comes out with the reading, or where the rule says every, once that has passed since the last one. Readings at
// one instant make one window, and a later one at that instant counts into the next.
//
// Memory is bounded: a window is kept in slidePanes panes, each of which begins with a reading and is forgotten as a whole,
// with its first. So what a window holds reaches back over 59 sixtieths of it at least, and never beyond it. It is exact
// where readings come at most 60 times in a window.
//
// After a reboot readings that no window has told yet come out as a partial one.
type slide struct {
	aggregate *aggregate
	needs     needs

	Panes panes `json:"panes,omitzero"`
	Open  *pane `json:"open,omitempty"` // the one that fills
	Last  *mark `json:"last,omitempty"` // the last reading
	Told  int64 `json:"told,omitempty"` // monotonic µs of the last window
	Owed  bool  `json:"owed,omitempty"` // a reading came since
}

func (s *slide) apply(o origin, r *holdfast.Reading, at holdfast.Instant) []holdfast.Record {
	if !s.aggregate.wants(r) {
		return nil
	}
	s.forget(at.Mono)
	grain := max(1, s.aggregate.Sliding.Microseconds()/slidePanes)
	if s.Open != nil && at.Mono >= s.Open.Start+grain {
		s.Panes.push(s.Open.Start, s.Open.tally, s.needs)
		s.Open = nil
	}
	if s.Open == nil {
		s.Open = &pane{Start: at.Mono}
	}
	s.Open.add(s.aggregate, s.needs, r, at.Mono)
	if s.Last == nil {
		s.Last = new(mark)
	}
	*s.Last, s.Owed = *newMark(at), true
	return s.due(o, at, 1)
}

// forget drops the panes that began before the window which ends at mono.
func (s *slide) forget(mono int64) {
	begin := mono - s.aggregate.Sliding.Microseconds() + 1
	s.Panes.forget(begin, s.needs)
	if s.Open != nil && s.Open.Start < begin {
		s.Open = nil
	}
}

// tick tells a reading that the window before it left no room for.
func (s *slide) tick(o origin, at holdfast.Instant) []holdfast.Record {
	s.forget(at.Mono)
	return s.due(o, at, time.Second.Microseconds())
}

// due makes the record of the window that ends now, where one is owed and the last one is long enough ago.
func (s *slide) due(o origin, at holdfast.Instant, least int64) []holdfast.Record {
	if !s.Owed || s.Told != 0 && at.Mono-s.Told < max(least, s.aggregate.Every.Microseconds()) {
		return nil
	}
	s.Told, s.Owed = at.Mono, false
	return s.tell(o, *newMark(at), at, false)
}

// tell makes the record of the window that ends right behind the given mark.
func (s *slide) tell(o origin, end mark, at holdfast.Instant, partial bool) []holdfast.Record {
	b := bounds{to: end.wall(at).Add(micros(1)), partial: partial}
	if !end.Sync && !(at.Synchronized && at.Boot == end.Boot) {
		b.clock = &holdfast.Clock{Boot: end.Boot, Mono: end.Mono + 1}
	}
	var filling tally
	if s.Open != nil {
		filling = s.Open.tally
	}
	return s.Panes.union(&filling, s.needs).records(s.aggregate, o, b.reaching(s.aggregate.Sliding))
}

func (s *slide) reboot(o origin, at holdfast.Instant) []holdfast.Record {
	var records []holdfast.Record
	if s.Owed && s.Last != nil {
		records = s.tell(o, *s.Last, at, true)
	}
	*s = slide{aggregate: s.aggregate, needs: s.needs}
	return records
}

func (s *slide) retire(o origin, at holdfast.Instant) []holdfast.Record { return s.reboot(o, at) }
