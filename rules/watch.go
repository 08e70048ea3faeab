package rules

import "holdfast"

// A watch follows one value through an alarm: since when it has lain beyond, the alert that was raised, the quiet time
// after it. An alert keeps its ID from raised to cleared.
//
// It raises when the value has lain beyond for as long as `for` says and the cooldown after the alert before is over; what
// lies beyond during a cooldown is raised when that ends. A reboot ends a cooldown: one alert too many is better than
// one too few.
type watch struct {
	alarm    *alarm
	quantity string

	Since *mark   `json:"since,omitempty"` // when the value went beyond; nil while it is not
	Value float64 `json:"value,omitempty"` // the last one
	Peak  float64 `json:"peak,omitempty"`
	ID    string  `json:"id,omitempty"`    // of the alert; "" until it is raised
	Back  bool    `json:"back,omitempty"`  // the value of a latched alert is back
	By    string  `json:"by,omitempty"`    // who acknowledged the alert
	Quiet int64   `json:"quiet,omitempty"` // monotonic µs: no alert is raised before it
}

// judge takes the next value.
func (w *watch) judge(o origin, v float64, at holdfast.Instant) []holdfast.Record {
	beyond := w.alarm.beyond(v)
	if w.Since == nil {
		if !beyond {
			return nil
		}
		w.Since, w.Peak = newMark(at), v
	}
	w.Value = v
	if w.ID == "" && !beyond {
		w.forget()
		return nil
	}
	if w.alarm.beyondBy(v) > w.alarm.beyondBy(w.Peak) {
		w.Peak = v
	}
	if w.ID != "" {
		w.Back = w.alarm.back(v) || w.Back && !beyond
		if w.Back && w.released() {
			return w.clear(o, at)
		}
	}
	return w.tick(o, at)
}

// released reports whether nothing but the value keeps the alert.
func (w *watch) released() bool { return !w.alarm.Latch || w.By != "" }

// tick raises the alert once the condition has held for long enough, with or without another reading.
func (w *watch) tick(o origin, at holdfast.Instant) []holdfast.Record {
	if w.Quiet != 0 && at.Mono >= w.Quiet {
		w.Quiet = 0
	}
	if w.Since == nil || w.ID != "" || w.Quiet != 0 || at.Mono-w.Since.Mono < w.alarm.For.Microseconds() {
		return nil
	}
	w.ID = o.newID()
	return []holdfast.Record{w.alert(o, at, holdfast.Raised)}
}

// acknowledge notes who has seen the alert, and clears it where it was latched only for that.
func (w *watch) acknowledge(o origin, by string, at holdfast.Instant) []holdfast.Record {
	if w.By != "" {
		return nil
	}
	w.By = by
	record := w.alert(o, at, holdfast.Acknowledged)
	record.By = by
	if w.Back {
		return append([]holdfast.Record{record}, w.clear(o, at)...)
	}
	return []holdfast.Record{record}
}

func (w *watch) clear(o origin, at holdfast.Instant) []holdfast.Record {
	record := w.alert(o, at, holdfast.Cleared)
	if w.alarm.Cooldown > 0 {
		w.Quiet = at.Mono + w.alarm.Cooldown.Microseconds()
	}
	w.forget()
	return []holdfast.Record{record}
}

// forget leaves nothing but the quiet time.
func (w *watch) forget() { *w = watch{alarm: w.alarm, quantity: w.quantity, Quiet: w.Quiet} }

// reboot forgets a condition that had not held for long enough: nobody knows what happened in between. A raised alert stays.
func (w *watch) reboot(origin, holdfast.Instant) []holdfast.Record {
	w.Quiet = 0
	if w.ID == "" {
		w.forget()
	}
	return nil
}

func (w *watch) retire(o origin, at holdfast.Instant) []holdfast.Record {
	if w.ID == "" {
		return nil
	}
	return w.clear(o, at)
}

func (w *watch) alertID() string { return w.ID }

func (w *watch) alert(o origin, at holdfast.Instant, state holdfast.AlertState) *holdfast.Alert {
	return &holdfast.Alert{
		Time:        at.Time,
		ID:          w.ID,
		Rule:        o.rule,
		RuleVersion: o.version,
		State:       state,
		Severity:    w.alarm.Severity,
		Sensor:      o.sensor,
		Quantity:    w.quantity,
		Value:       w.Value,
		Threshold:   w.alarm.nearest(w.Peak),
		Since:       w.Since.wall(at),
		Peak:        w.Peak,
		Message:     w.alarm.Message,
		Clock:       at.Clock(),
	}
}
