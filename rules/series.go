package rules

import "holdfast"

// A series is what an aggregate over tumbling windows remembers of one sensor: the open window, and where the last one
// ended.
type series struct {
	aggregate *aggregate
	needs     needs

	Open *window `json:"open,omitempty"`
	tally
	Grid grid `json:"grid,omitzero"`
}

// apply closes the window that the reading lies behind, and counts the reading into the next one.
func (s *series) apply(o origin, r *holdfast.Reading, at holdfast.Instant) []holdfast.Record {
	if !s.aggregate.wants(r) {
		return nil
	}
	records := s.tick(o, at)
	if s.Open == nil {
		s.Open = s.Grid.open(s.aggregate.Window, at)
	}
	s.add(s.aggregate, s.needs, r, at.Mono)
	s.Open.Last = max(s.Open.Last, at.Mono)
	return records
}

func (s *series) tick(o origin, at holdfast.Instant) []holdfast.Record {
	if s.Open == nil || at.Mono < s.Open.End {
		return nil
	}
	return s.close(o, s.Open.whole(at))
}

func (s *series) reboot(o origin, at holdfast.Instant) []holdfast.Record {
	s.Grid.Loose = true
	if s.Open == nil {
		return nil
	}
	return s.close(o, s.Open.part(at))
}

func (s *series) retire(o origin, at holdfast.Instant) []holdfast.Record { return s.reboot(o, at) }

// close makes the record of the open window, with the bounds as they are known now.
func (s *series) close(o origin, b bounds) []holdfast.Record {
	records := s.records(s.aggregate, o, b)
	s.Grid.closed(s.Open, b.partial)
	s.Open, s.tally = nil, tally{}
	return records
}
