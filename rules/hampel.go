package rules

import (
	"math"
	"slices"
)

// A hampel is the model of the Hampel identifier: the last values, whose median is what to expect and whose median
// absolute deviation from it is how far values spread. Half of the values can be outliers before it is misled. It costs a
// fixed 16 bytes for each value of the window, and each value a walk over half of them.
type hampel struct {
	Values []float64 `json:"values"` // oldest first

	sorted []float64 // Values in order; made anew after a restore
}

const hampelModel = "hampel/1"

// Of normally distributed values these multiples of the median and the mean absolute deviation are the standard deviation.
const (
	perMedianDeviation = 1.4826
	perMeanDeviation   = 1.2533
)

func (h *hampel) count() int { return len(h.Values) }

// learn takes a value in and forgets the oldest of a full window.
func (h *hampel) learn(v float64, window int) {
	h.order()
	if over := len(h.Values) - window + 1; over > 0 {
		for _, old := range h.Values[:over] {
			i, _ := slices.BinarySearch(h.sorted, old)
			h.sorted = slices.Delete(h.sorted, i, i+1)
		}
		h.Values = slices.Delete(h.Values, 0, over)
	}
	h.Values = append(h.Values, v)
	i, _ := slices.BinarySearch(h.sorted, v)
	h.sorted = slices.Insert(h.sorted, i, v)
}

func (h *hampel) order() {
	if len(h.sorted) != len(h.Values) {
		h.sorted = slices.Sorted(slices.Values(h.Values))
	}
}

// expect returns the value to expect and the spread in standard deviations of 1. Where more than half of the values are
// the same, their median deviation is 0 and the mean deviation stands in for it.
func (h *hampel) expect() (centre, spread float64) {
	h.order()
	centre = middle(h.sorted)
	if spread = perMedianDeviation * h.medianDeviation(centre); spread > 0 {
		return centre, spread
	}
	for _, v := range h.sorted {
		spread += math.Abs(v-centre) / float64(len(h.sorted))
	}
	return centre, perMeanDeviation * spread
}

// medianDeviation walks outwards from the centre, always to the nearer neighbour, until half of the values lie behind it.
func (h *hampel) medianDeviation(centre float64) float64 {
	n := len(h.sorted)
	right, _ := slices.BinarySearch(h.sorted, centre)
	left := right - 1
	var last, before float64
	for range n/2 + 1 {
		before = last
		if left < 0 || right < n && h.sorted[right]-centre <= centre-h.sorted[left] {
			last = h.sorted[right] - centre
			right++
			continue
		}
		last = centre - h.sorted[left]
		left--
	}
	if n%2 == 0 {
		return before/2 + last/2
	}
	return last
}

// middle is the median of sorted values, of which there is at least one.
func middle(sorted []float64) float64 {
	n := len(sorted)
	if n%2 == 1 {
		return sorted[n/2]
	}
	return sorted[n/2-1]/2 + sorted[n/2]/2
}
