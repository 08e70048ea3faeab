package rules

import "holdfast"

// A stretch is what an aggregate over sessions, or over so many readings each, remembers of one sensor: the open window.
// It begins with a reading and ends right behind its last one. Readings at one instant never make two windows begin
// together: the second then begins where the first ended. (Where the wall clock is put back, a window may by chance begin at
// the very microsecond of one that has been, and takes its place in the database.)
type stretch struct {
	aggregate *aggregate
	needs     needs

	Open *window `json:"open,omitempty"`
	tally
	Past int64 `json:"past,omitempty"` // end of the last window in monotonic µs of this boot
}

func (s *stretch) apply(o origin, r *holdfast.Reading, at holdfast.Instant) []holdfast.Record {
	if !s.aggregate.wants(r) {
		return nil
	}
	records := s.tick(o, at)
	if s.Open == nil {
		start := max(at.Mono, s.Past)
		from := at.Time.Add(micros(start - at.Mono))
		s.Open = &window{From: from, Boot: at.Boot, Start: start, Last: start, Sync: at.Synchronized}
	}
	s.add(s.aggregate, s.needs, r, at.Mono)
	s.Open.Last = max(s.Open.Last, at.Mono)
	if s.aggregate.Each > 0 && s.Count >= s.aggregate.Each {
		records = append(records, s.close(o, at, false)...)
	}
	return records
}

// tick ends a session after its gap, or at its longest.
func (s *stretch) tick(o origin, at holdfast.Instant) []holdfast.Record {
	a := s.aggregate
	if s.Open == nil || a.Session == 0 {
		return nil
	}
	if at.Mono-s.Open.Last < a.Session.Microseconds() && at.Mono-s.Open.Start < a.Longest.Microseconds() {
		return nil
	}
	return s.close(o, at, false)
}

func (s *stretch) close(o origin, at holdfast.Instant, partial bool) []holdfast.Record {
	b := s.Open.part(at)
	b.partial = partial
	records := s.records(s.aggregate, o, b)
	s.Open, s.tally, s.Past = nil, tally{}, s.Open.Last+1
	return records
}

func (s *stretch) reboot(o origin, at holdfast.Instant) []holdfast.Record {
	var records []holdfast.Record
	if s.Open != nil {
		records = s.close(o, at, true)
	}
	s.Past = 0
	return records
}

func (s *stretch) retire(o origin, at holdfast.Instant) []holdfast.Record { return s.reboot(o, at) }
