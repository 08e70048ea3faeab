package sensors

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"holdfast"
)

// A grader judges the values of one sensor by what the catalog says of their quantities. A value outside of its range is bad:
// it is no measurement, and what came with it is suspect. A value that moved faster than it can, or has not moved for longer
// than it can, is suspect. The sensor's own goroutine alone uses it.
type grader struct {
	quantities   []holdfast.Quantity
	calibrations map[string]holdfast.Calibrated // by quantity
	seen         map[string]seen                // what was last measured
}

// frozenTimes is how often at least a value has to be measured as the same until it counts as frozen.
const frozenTimes = 10

// seen is a value as it was last measured.
type seen struct {
	value float64
	at    time.Time
	since time.Time // when it took this value
	times int       // how often it was measured since
}

// sort takes the bad values out, and returns why they are. An error means that none is left.
func (g *grader) sort(values map[string]float64) (bad []string, err error) {
	for _, q := range g.quantities {
		if v, ok := values[q.Name]; ok && !(v >= q.Min && v <= q.Max) { // so it holds off what is no number, too
			bad = append(bad, fmt.Sprintf("%s is %g, outside of %g to %g", q.Name, v, q.Min, q.Max))
			delete(values, q.Name)
		}
	}
	if len(values) == 0 {
		return bad, fmt.Errorf("no value is left: %s", strings.Join(bad, "; "))
	}
	return bad, nil
}

// calibrate makes of what was measured what is right.
func (g *grader) calibrate(values map[string]float64) {
	for name, c := range g.calibrations {
		if v, ok := values[name]; ok {
			values[name] = v*c.Scale + c.Offset
		}
	}
}

// jumped returns the quantities that moved faster than they can since they were last measured.
func (g *grader) jumped(values map[string]float64, at time.Time) (names []string) {
	for _, q := range g.quantities {
		v, ok := values[q.Name]
		last, known := g.seen[q.Name]
		if ok && known && q.MaxRate > 0 && math.Abs(v-last.value) > q.MaxRate*max(at.Sub(last.at).Seconds(), 1) {
			names = append(names, q.Name)
		}
	}
	return names
}

// agree reports whether two measurements of a quantity are nearer to each other than it can move in a second.
func (g *grader) agree(name string, a, b map[string]float64) bool {
	for _, q := range g.quantities {
		if q.Name == name {
			return math.Abs(a[name]-b[name]) <= q.MaxRate
		}
	}
	return false
}

// grade returns the quality of the values that are not good, and remembers the values. Those that jumped, or have bad
// company, are suspect.
func (g *grader) grade(values map[string]float64, at time.Time, jumped []string, company bool) map[string]holdfast.Quality {
	if g.seen == nil {
		g.seen = make(map[string]seen)
	}
	var quality map[string]holdfast.Quality
	for _, q := range g.quantities {
		v, ok := values[q.Name]
		if !ok {
			continue
		}
		last, known := g.seen[q.Name]
		now := seen{v, at, at, 1}
		if known && last.value == v {
			now.since, now.times = last.since, last.times+1
		}
		g.seen[q.Name] = now
		frozen := q.FrozenAfter > 0 && now.times >= frozenTimes && at.Sub(now.since).Seconds() > q.FrozenAfter
		if company || frozen || slices.Contains(jumped, q.Name) {
			if quality == nil {
				quality = make(map[string]holdfast.Quality)
			}
			quality[q.Name] = holdfast.Suspect
		}
	}
	return quality
}

// forget makes the next values the first ones: between what a sensor measured before it was gone, or measuring was stopped,
// and what it measures now there is no rate.
func (g *grader) forget() { g.seen = nil }
