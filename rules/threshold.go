package rules

import (
	"errors"
	"math"
	"strings"
	"time"

	"holdfast"
)

// A threshold raises an alert once a value has lain beyond a limit for a while, and clears it once the value is back at
// the clear value. A sensor's alert keeps its ID from raised to cleared. Values of quality bad are ignored.
type threshold struct {
	Sensor   pattern           `json:"sensor"`
	Quantity string            `json:"quantity"`
	Below    bool              `json:"below,omitempty"` // beyond means below the limit, not above
	Limit    float64           `json:"limit"`
	Clear    float64           `json:"clear"`
	For      time.Duration     `json:"for,omitempty"`
	Severity holdfast.Severity `json:"severity"`
	Message  string            `json:"message,omitempty"`
}

func parseThreshold(f *fields) program {
	t := &threshold{
		Sensor:   f.sensor(),
		Quantity: f.text("quantity", holdfast.CheckQuantity),
		For:      f.duration("for", 0, 24*time.Hour),
		Message:  f.textOr("message", "", checkMessage),
	}
	t.Severity = holdfast.Severity(f.textOr("severity", string(holdfast.Warning), func(s string) error {
		return holdfast.Severity(s).Validate()
	}))
	above, isAbove := f.number("above")
	below, isBelow := f.number("below")
	switch {
	case f.has("above") && f.has("below"):
		f.bad("above and below: want one of them")
	case !f.has("above") && !f.has("below"):
		f.bad("no limit: want above or below")
	}
	t.Below, t.Limit = isBelow, above
	if isBelow {
		t.Limit = below
	}
	t.Clear = t.Limit
	if clear, ok := f.number("clear"); ok && (isAbove || isBelow) {
		t.Clear = clear
		if t.beyond(clear) {
			f.badKey("clear", "%v lies beyond the limit %v: an alert would never clear", clear, t.Limit)
		}
	}
	return t
}

func checkMessage(s string) error {
	if len(s) > 1024 || strings.ContainsRune(s, 0) {
		return errors.New("want at most 1024 bytes without NUL")
	}
	return nil
}

func (t *threshold) watches() pattern { return t.Sensor }
func (t *threshold) begin() memory    { return &watch{threshold: t} }

func (t *threshold) beyond(v float64) bool {
	if t.Below {
		return v < t.Limit
	}
	return v > t.Limit
}

func (t *threshold) back(v float64) bool {
	if t.Below {
		return v >= t.Clear
	}
	return v <= t.Clear
}

// A watch is what a threshold remembers of one sensor: since when the value has been beyond the limit, and the alert.
type watch struct {
	threshold *threshold

	Since *mark   `json:"since,omitempty"` // when the value went beyond; nil while it is not
	Value float64 `json:"value,omitempty"` // the last one
	Peak  float64 `json:"peak,omitempty"`
	ID    string  `json:"id,omitempty"` // of the alert; "" until it is raised
}

func (w *watch) apply(o origin, r *holdfast.Reading, at holdfast.Instant) []holdfast.Record {
	v, ok := good(r, w.threshold.Quantity)
	if !ok {
		return nil
	}
	if w.Since == nil {
		if !w.threshold.beyond(v) {
			return nil
		}
		w.Since, w.Peak = newMark(at), v
	}
	w.Value = v
	switch {
	case w.ID != "" && w.threshold.back(v):
		return w.clear(o, at)
	case w.ID == "" && !w.threshold.beyond(v):
		*w = watch{threshold: w.threshold}
		return nil
	}
	if w.threshold.Below {
		w.Peak = min(w.Peak, v)
	} else {
		w.Peak = max(w.Peak, v)
	}
	return w.tick(o, at)
}

// tick raises the alert once the condition has held for long enough, with or without another reading.
func (w *watch) tick(o origin, at holdfast.Instant) []holdfast.Record {
	if w.Since == nil || w.ID != "" || at.Mono-w.Since.Mono < w.threshold.For.Microseconds() {
		return nil
	}
	w.ID = o.newID()
	return []holdfast.Record{w.alert(o, at, holdfast.Raised)}
}

func (w *watch) clear(o origin, at holdfast.Instant) []holdfast.Record {
	record := w.alert(o, at, holdfast.Cleared)
	*w = watch{threshold: w.threshold}
	return []holdfast.Record{record}
}

// reboot forgets a condition that had not held for long enough: nobody knows what happened in between. A raised alert stays.
func (w *watch) reboot(origin, holdfast.Instant) []holdfast.Record {
	if w.ID == "" {
		*w = watch{threshold: w.threshold}
	}
	return nil
}

func (w *watch) retire(o origin, at holdfast.Instant) []holdfast.Record {
	if w.ID == "" {
		return nil
	}
	return w.clear(o, at)
}

func (w *watch) alert(o origin, at holdfast.Instant, state holdfast.AlertState) *holdfast.Alert {
	return &holdfast.Alert{
		Time:        at.Time,
		ID:          w.ID,
		Rule:        o.rule,
		RuleVersion: o.version,
		State:       state,
		Severity:    w.threshold.Severity,
		Sensor:      o.sensor,
		Quantity:    w.threshold.Quantity,
		Value:       w.Value,
		Threshold:   w.threshold.Limit,
		Since:       w.Since.wall(at),
		Peak:        w.Peak,
		Message:     w.threshold.Message,
		Clock:       at.Clock(),
	}
}

// good returns the value of a quantity, unless the reading lacks it or grades it as bad.
func good(r *holdfast.Reading, quantity string) (float64, bool) {
	v, ok := r.Values[quantity]
	return v, ok && r.Quality[quantity] != holdfast.Bad && !math.IsNaN(v) && !math.IsInf(v, 0)
}
