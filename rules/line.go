package rules

import (
	"math"
	"slices"
	"time"
)

// A line is the values of a sliding window as least squares need them. The window moves on in sixtieths of itself; each
// sixtieth keeps sums only, so that a window costs at most 60 × 64 bytes whatever the rate, and the line is still the one through
// all of its values.
type line []segment

// segments is how many make a window.
const segments = 60

// A segment is what is left of the values of a sixtieth: their number, mean time and mean value, and the sums of the
// squares and products of what they differ from these. Times are seconds since the segment's beginning.
type segment struct {
	At    int64   `json:"at"`    // which sixtieth, counted from the boot
	First int64   `json:"first"` // of its readings, µs since the boot
	N     float64 `json:"n"`
	T     float64 `json:"t"`
	V     float64 `json:"v"`
	TT    float64 `json:"tt"`
	TV    float64 `json:"tv"`
}

// A fit is the line through the values of a window.
type fit struct {
	n     float64       // values
	span  time.Duration // from the first of them to the last
	slope float64       // a second
	now   float64       // the line's value at the last of them
}

// add takes a value in and returns the line through the window that ends with it. It returns false where the values have
// no line, because they are all of one instant or too large to be squared. A value that comes late, from before the
// newest sixtieth, is left out. What full holds is not asked for again as long as it holds.
func (l *line) add(window time.Duration, mono int64, v float64, full *joined) (fit, bool) {
	width := window.Microseconds() / segments
	at := mono / width
	if n := len(*l); n > 0 && (*l)[n-1].At > at {
		return fit{}, false
	}
	if len(*l) > 0 && (*l)[0].At <= at-segments { // seldom: they are in order
		*l = slices.DeleteFunc(*l, func(s segment) bool { return s.At <= at-segments })
	}
	if n := len(*l); n == 0 || (*l)[n-1].At < at {
		*l = append(*l, segment{At: at, First: mono})
	}
	s := &(*l)[len(*l)-1]
	s.First = min(s.First, mono)
	s.add(seconds(mono-at*width), v)
	return l.fit(width, mono, full)
}

func seconds(µs int64) float64 { return float64(µs) / 1e6 }

// add is Welford's step.
func (s *segment) add(t, v float64) {
	s.N++
	dt, dv := t-s.T, v-s.V
	s.T += dt / s.N
	s.V += dv / s.N
	s.TT += dt * (t - s.T)
	s.TV += dt * (v - s.V)
}

// joined is the first segments of a line as one, whose times are counted from the beginning of the first.
type joined struct {
	segment
	from, to int64 // the first and the last of them
	count    int
}

// join adds a segment (Chan's formula for the moments of two sets).
func (j *joined) join(s *segment, width int64) {
	if j.count == 0 {
		j.from, j.First = s.At, s.First
	}
	t := s.T + seconds((s.At-j.from)*width)
	n := j.N + s.N
	dt, dv := t-j.T, s.V-j.V
	j.TT += s.TT + dt*dt*j.N*s.N/n
	j.TV += s.TV + dt*dv*j.N*s.N/n
	j.T += dt * s.N / n
	j.V += dv * s.N / n
	j.N = n
	j.to, j.count = s.At, j.count+1
}

// fit joins the segments and draws the line. All but the newest are the same from one reading to the next, mostly.
func (l *line) fit(width, mono int64, full *joined) (fit, bool) {
	first, last := &(*l)[0], len(*l)-1
	if full.count != last || last > 0 && (full.from != first.At || full.to != (*l)[last-1].At) {
		*full = joined{}
		for i := range last {
			full.join(&(*l)[i], width)
		}
	}
	all := *full
	all.join(&(*l)[last], width)
	f := fit{n: all.N, span: micros(mono - all.First), slope: all.TV / all.TT}
	f.now = all.V + f.slope*(seconds(mono-first.At*width)-all.T)
	for _, v := range []float64{f.slope, f.now, all.TV} {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			*l = slices.DeleteFunc(*l, segment.overflown)
			return fit{}, false
		}
	}
	return f, true
}

// overflown reports whether the segment's sums are none that values give, or grew beyond what a number holds: it would
// make every line worthless, and no checkpoint could keep it.
func (s segment) overflown() bool {
	return s.N <= 0 || math.IsInf(s.V, 0) || math.IsInf(s.TV, 0) || math.IsNaN(s.V) || math.IsNaN(s.TV)
}
