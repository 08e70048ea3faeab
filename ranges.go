package holdfast

import (
	"encoding/json"
	"slices"
)

// A Range is a closed interval of sequence numbers, written [first,last] in JSON.
type Range struct{ First, Last uint64 }

// Len returns how many numbers r holds.
func (r Range) Len() uint64 { return r.Last - r.First + 1 }

// Validate returns an error unless 1 ≤ First ≤ Last ≤ [MaxInteger].
func (r Range) Validate() error {
	if r.First < 1 || r.Last < r.First || r.Last > MaxInteger {
		return invalid("range", "[%d,%d]: want 1 ≤ first ≤ last < 2^53", r.First, r.Last)
	}
	return nil
}

func (r Range) MarshalJSON() ([]byte, error) { return json.Marshal([2]uint64{r.First, r.Last}) }

func (r *Range) UnmarshalJSON(data []byte) error {
	var pair []uint64
	if err := json.Unmarshal(data, &pair); err != nil || len(pair) != 2 {
		return invalid("range", "%s: want [first,last]", cut(string(data), 60))
	}
	*r = Range{pair[0], pair[1]}
	return nil
}

// Ranges is a set of sequence numbers: ascending closed intervals that neither overlap nor touch. The zero value is the
// empty set. Methods that change the set do so in place; a Ranges is not for concurrent use.
type Ranges []Range

// Validate returns an error unless every interval is valid. It accepts intervals in any order; [Ranges.Normal] sorts them.
func (s Ranges) Validate() error {
	for _, r := range s {
		if err := r.Validate(); err != nil {
			return err
		}
	}
	return nil
}

// Normal returns the same numbers as ascending intervals that neither overlap nor touch. Intervals may come in any order.
func (s Ranges) Normal() Ranges {
	var out Ranges
	sorted := slices.Clone(s)
	slices.SortFunc(sorted, func(a, b Range) int {
		if a.First < b.First {
			return -1
		}
		return 1
	})
	for _, r := range sorted {
		if n := len(out); n > 0 && r.First <= out[n-1].Last+1 {
			out[n-1].Last = max(out[n-1].Last, r.Last)
			continue
		}
		out = append(out, r)
	}
	return out
}

// find returns the index of the first interval that ends at or behind seq.
func (s Ranges) find(seq uint64) int {
	i, _ := slices.BinarySearchFunc(s, seq, func(r Range, seq uint64) int {
		if r.Last < seq {
			return -1
		}
		return 1
	})
	return i
}

// Contains reports whether seq is in the set.
func (s Ranges) Contains(seq uint64) bool {
	i := s.find(seq)
	return i < len(s) && s[i].First <= seq
}

// Covers reports whether every number of r is in the set.
func (s Ranges) Covers(r Range) bool {
	i := s.find(r.First)
	return i < len(s) && s[i].First <= r.First && r.Last <= s[i].Last
}

// Count returns how many numbers the set holds.
func (s Ranges) Count() uint64 {
	var n uint64
	for _, r := range s {
		n += r.Len()
	}
	return n
}

// Add puts the numbers of r into the set. r must be valid.
func (s *Ranges) Add(r Range) {
	low := r.First
	if low > 0 {
		low-- // an interval that ends right before r is joined to it
	}
	i := s.find(low)
	j := i
	for j < len(*s) && (*s)[j].First <= r.Last+1 {
		r.First, r.Last = min(r.First, (*s)[j].First), max(r.Last, (*s)[j].Last)
		j++
	}
	*s = slices.Replace(*s, i, j, r)
}

// Remove takes the numbers of r out of the set. r must be valid.
func (s *Ranges) Remove(r Range) {
	i := s.find(r.First)
	j := i
	var rest Ranges
	for j < len(*s) && (*s)[j].First <= r.Last {
		if (*s)[j].First < r.First {
			rest = append(rest, Range{(*s)[j].First, r.First - 1})
		}
		if (*s)[j].Last > r.Last {
			rest = append(rest, Range{r.Last + 1, (*s)[j].Last})
		}
		j++
	}
	*s = slices.Replace(*s, i, j, rest...)
}

// Within returns the numbers of the set that lie in r.
func (s Ranges) Within(r Range) Ranges {
	var out Ranges
	for i := s.find(r.First); i < len(s) && s[i].First <= r.Last; i++ {
		out = append(out, Range{max(s[i].First, r.First), min(s[i].Last, r.Last)})
	}
	return out
}

// Missing returns the numbers of r that the set does not hold.
func (s Ranges) Missing(r Range) Ranges {
	var out Ranges
	next := r.First
	for _, held := range s.Within(r) {
		if held.First > next {
			out = append(out, Range{next, held.First - 1})
		}
		next = held.Last + 1
	}
	if next <= r.Last {
		out = append(out, Range{next, r.Last})
	}
	return out
}
