package rules

import (
	"errors"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"holdfast"
)

// An alarm says which values raise an alert and which clear it. Kinds that raise alerts embed it; its JSON stands in
// checkpoints.
//
// A value is compared either with a limit (above, below, at_least, at_most) or with a band (between, outside, and equal and
// not_equal with a band of no width). Zero and negative limits are limits like others.
type alarm struct {
	Below    bool              `json:"below,omitempty"` // beyond means below the limit, not above
	Limit    float64           `json:"limit"`
	Clear    float64           `json:"clear"`
	For      time.Duration     `json:"for,omitempty"`
	Severity holdfast.Severity `json:"severity"`
	Message  string            `json:"message,omitempty"`

	Inclusive bool          `json:"inclusive,omitempty"` // the limit itself is beyond
	Band      *band         `json:"band,omitempty"`      // in place of the limit
	Cooldown  time.Duration `json:"cooldown,omitempty"`  // from one alert's end to the next one's beginning, at least
	Latch     bool          `json:"latch,omitempty"`     // the alert clears only once somebody has acknowledged it
}

// A band is a range of values with its ends.
type band struct {
	Outside   bool    `json:"outside,omitempty"` // beyond means outside the band, not inside
	Low       float64 `json:"low"`
	High      float64 `json:"high"`
	ClearLow  float64 `json:"clear_low"`
	ClearHigh float64 `json:"clear_high"`
}

// comparators are the keys that say what lies beyond. An alarm has one of them.
var comparators = []string{"above", "below", "at_least", "at_most", "equal", "not_equal", "between", "outside"}

// alarm reads what every kind that raises alerts has: cooldown, latch, severity, message.
func (f *fields) alarm() alarm {
	a := alarm{
		Cooldown: f.duration("cooldown", 0, 7*24*time.Hour),
		Latch:    f.flag("latch"),
		Message:  f.textOr("message", "", checkMessage),
	}
	a.Severity = holdfast.Severity(f.textOr("severity", string(holdfast.Warning), func(s string) error {
		return holdfast.Severity(s).Validate()
	}))
	return a
}

// limits reads the one comparator and clear.
func (f *fields) limits(a *alarm) {
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
		return
	}
	switch name := given[0]; name {
	case "above", "below", "at_least", "at_most":
		f.limit(a, name)
	case "equal", "not_equal":
		f.value(a, name)
	default:
		f.band(a, name)
	}
}

func (f *fields) limit(a *alarm, name string) {
	limit, ok := f.number(name)
	a.Limit, a.Clear = limit, limit
	a.Below, a.Inclusive = name == "below" || name == "at_most", strings.HasPrefix(name, "at_")
	clear, cleared := f.number("clear")
	if !ok || !cleared {
		return
	}
	a.Clear = clear
	if a.excess(clear, limit, limit) > 0 {
		f.badKey("clear", "%v lies beyond the limit %v: an alert would never clear", clear, limit)
	}
}

func (f *fields) value(a *alarm, name string) {
	v, _ := f.number(name)
	a.Band = &band{Outside: name == "not_equal", Low: v, High: v, ClearLow: v, ClearHigh: v}
	a.Inclusive = name == "equal"
	if f.has("clear") {
		f.badKey("clear", "has no meaning with %s: want a comparator with a limit, or no clear", name)
	}
}

func (f *fields) band(a *alarm, name string) {
	low, high, ok := f.pair(name)
	a.Band = &band{Outside: name == "outside", Low: low, High: high, ClearLow: low, ClearHigh: high}
	a.Inclusive = name == "between"
	clearLow, clearHigh, cleared := f.pair("clear")
	if !ok || !cleared {
		return
	}
	a.Band.ClearLow, a.Band.ClearHigh = clearLow, clearHigh
	within := clearLow >= low && clearHigh <= high
	around := clearLow <= low && clearHigh >= high
	if a.Band.Outside && !within {
		f.badKey("clear", "[%v, %v] reaches beyond [%v, %v]: want a range within it", clearLow, clearHigh, low, high)
	}
	if !a.Band.Outside && !around {
		f.badKey("clear", "[%v, %v] does not hold [%v, %v]: want a range around it", clearLow, clearHigh, low, high)
	}
}

func checkMessage(s string) error {
	if len(s) > 1024 || strings.ContainsRune(s, 0) {
		return errors.New("want at most 1024 bytes without NUL")
	}
	return nil
}

// beyond reports whether v raises an alert.
func (a *alarm) beyond(v float64) bool {
	e := a.beyondBy(v)
	return e > 0 || e == 0 && a.Inclusive
}

// back reports whether v clears an alert: it lies at the clear value or on the far side of it.
func (a *alarm) back(v float64) bool {
	low, high := a.Clear, a.Clear
	if a.Band != nil {
		low, high = a.Band.ClearLow, a.Band.ClearHigh
	}
	return !a.beyond(v) && a.excess(v, low, high) <= 0
}

// beyondBy is how far v lies beyond the limit or the band.
func (a *alarm) beyondBy(v float64) float64 {
	if a.Band != nil {
		return a.excess(v, a.Band.Low, a.Band.High)
	}
	return a.excess(v, a.Limit, a.Limit)
}

// excess is how far v lies beyond low and high, by the comparator: negative where it does not.
func (a *alarm) excess(v, low, high float64) float64 {
	switch {
	case a.Band == nil && a.Below:
		return low - v
	case a.Band == nil:
		return v - high
	case a.Band.Outside:
		return max(low-v, v-high)
	}
	return -max(low-v, v-high)
}

// nearest is the limit that an alert about v names: of a band, the end that v is closer to.
func (a *alarm) nearest(v float64) float64 {
	switch {
	case a.Band == nil:
		return a.Limit
	case v-a.Band.Low < a.Band.High-v:
		return a.Band.Low
	}
	return a.Band.High
}
