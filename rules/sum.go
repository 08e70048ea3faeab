package rules

import "math"

// A sum adds values up. It carries what single additions lose (Neumaier's summation), so that a day of small values on a
// large one keeps its mean.
type sum struct {
	N    uint64  `json:"n"`
	S    float64 `json:"s"`
	Lost float64 `json:"lost,omitempty"`
	Min  float64 `json:"min"`
	Max  float64 `json:"max"`
}

func (s *sum) add(v float64) {
	if s.N == 0 {
		s.Min, s.Max = v, v
	}
	s.N++
	s.Min, s.Max = min(s.Min, v), max(s.Max, v)
	t := s.S + v
	if math.Abs(s.S) >= math.Abs(v) {
		s.Lost += (s.S - t) + v
	} else {
		s.Lost += (v - t) + s.S
	}
	s.S = t
}

func (s *sum) total() float64 { return s.S + s.Lost }
func (s *sum) mean() float64  { return s.total() / float64(s.N) }

// merge adds the values of another sum.
func (s *sum) merge(o *sum) {
	if s.N == 0 {
		*s = *o
		return
	}
	n := s.N + o.N
	least, most := min(s.Min, o.Min), max(s.Max, o.Max)
	s.add(o.S)
	s.N, s.Min, s.Max = n, least, most
	s.Lost += o.Lost
}
