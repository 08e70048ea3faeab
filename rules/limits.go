package rules

import (
	"strings"

	"go.yaml.in/yaml/v3"
)

// limits say which values raise an alert and which clear it.
//
// A value is compared either with a limit (above, below, at_least, at_most) or with a band (between, outside, and equal and
// not_equal with a band of no width). Zero and negative limits are limits like others.
type limits struct {
	Below     bool    `json:"below,omitempty"` // beyond means below the limit, not above
	Limit     float64 `json:"limit"`
	Clear     float64 `json:"clear"`
	Inclusive bool    `json:"inclusive,omitempty"` // the limit itself is beyond
	Band      *band   `json:"band,omitempty"`      // in place of the limit
}

// A band is a range of values with its ends.
type band struct {
	Outside   bool    `json:"outside,omitempty"` // beyond means outside the band, not inside
	Low       float64 `json:"low"`
	High      float64 `json:"high"`
	ClearLow  float64 `json:"clear_low"`
	ClearHigh float64 `json:"clear_high"`
}

// comparators are the keys that say what lies beyond. A rule has one of them.
var comparators = []string{"above", "below", "at_least", "at_most", "equal", "not_equal", "between", "outside"}

// limits reads the one comparator and clear.
func (f *fields) limits() (l limits) {
	var given []string
	for _, name := range comparators {
		if f.get(name) != nil {
			given = append(given, name)
		}
	}
	clear := f.get("clear")
	if len(given) != 1 {
		if given == nil {
			f.bad("no limit: want one of %s", strings.Join(comparators, ", "))
		} else {
			f.bad("%s: want one of them", strings.Join(given, " and "))
		}
		if clear != nil && clear.Kind == yaml.ScalarNode {
			f.number("clear")
		}
		return l
	}
	switch name := given[0]; name {
	case "above", "below", "at_least", "at_most":
		f.limit(&l, name)
	case "equal", "not_equal":
		f.value(&l, name)
	default:
		f.band(&l, name)
	}
	return l
}

func (f *fields) limit(l *limits, name string) {
	limit, ok := f.number(name)
	l.Limit, l.Clear = limit, limit
	l.Below, l.Inclusive = name == "below" || name == "at_most", strings.HasPrefix(name, "at_")
	clear, cleared := f.number("clear")
	if !ok || !cleared {
		return
	}
	l.Clear = clear
	if l.excess(clear, limit, limit) > 0 {
		f.badKey("clear", "%v lies beyond the limit %v: an alert would never clear", clear, limit)
	}
}

func (f *fields) value(l *limits, name string) {
	v, _ := f.number(name)
	l.Band = &band{Outside: name == "not_equal", Low: v, High: v, ClearLow: v, ClearHigh: v}
	l.Inclusive = name == "equal"
	if f.has("clear") {
		f.badKey("clear", "has no meaning with %s: want a comparator with a limit, or no clear", name)
	}
}

func (f *fields) band(l *limits, name string) {
	low, high, ok := f.pair(name)
	l.Band = &band{Outside: name == "outside", Low: low, High: high, ClearLow: low, ClearHigh: high}
	l.Inclusive = name == "between"
	clearLow, clearHigh, cleared := f.pair("clear")
	if !ok || !cleared {
		return
	}
	l.Band.ClearLow, l.Band.ClearHigh = clearLow, clearHigh
	within := clearLow >= low && clearHigh <= high
	around := clearLow <= low && clearHigh >= high
	if l.Band.Outside && !within {
		f.badKey("clear", "[%v, %v] reaches beyond [%v, %v]: want a range within it", clearLow, clearHigh, low, high)
	}
	if !l.Band.Outside && !around {
		f.badKey("clear", "[%v, %v] does not hold [%v, %v]: want a range around it", clearLow, clearHigh, low, high)
	}
}

// judge says how v stands to the limits.
func (l *limits) judge(v float64) finding {
	return finding{value: v, limit: l.nearest(v), excess: l.beyondBy(v), beyond: l.beyond(v), back: l.back(v)}
}

// beyond reports whether v raises an alert.
func (l *limits) beyond(v float64) bool {
	e := l.beyondBy(v)
	return e > 0 || e == 0 && l.Inclusive
}

// back reports whether v clears an alert: it lies at the clear value or on the far side of it.
func (l *limits) back(v float64) bool {
	low, high := l.Clear, l.Clear
	if l.Band != nil {
		low, high = l.Band.ClearLow, l.Band.ClearHigh
	}
	return !l.beyond(v) && l.excess(v, low, high) <= 0
}

// beyondBy is how far v lies beyond the limit or the band.
func (l *limits) beyondBy(v float64) float64 {
	if l.Band != nil {
		return l.excess(v, l.Band.Low, l.Band.High)
	}
	return l.excess(v, l.Limit, l.Limit)
}

// excess is how far v lies beyond low and high, by the comparator: negative where it does not.
func (l *limits) excess(v, low, high float64) float64 {
	switch {
	case l.Band == nil && l.Below:
		return low - v
	case l.Band == nil:
		return v - high
	case l.Band.Outside:
		return max(low-v, v-high)
	}
	return -max(low-v, v-high)
}

// nearest is the limit that an alert about v names: of a band, the end that v is closer to.
func (l *limits) nearest(v float64) float64 {
	switch {
	case l.Band == nil:
		return l.Limit
	case v-l.Band.Low < l.Band.High-v:
		return l.Band.Low
	}
	return l.Band.High
}
