package rules

import (
	"errors"
	"math"
	"strings"
	"time"

	"holdfast"
)

// An alerting is what the definition of a rule says about the alerts that it raises. The rule explains each of them in
// the message, behind the one of the definition.
type alerting struct {
	Quantity string            `json:"quantity"`
	For      time.Duration     `json:"for,omitempty"`
	Cooldown time.Duration     `json:"cooldown,omitempty"` // from one alert's end to the next one's beginning, at least
	Latch    bool              `json:"latch,omitempty"`    // an alert clears only once somebody has acknowledged it
	Severity holdfast.Severity `json:"severity"`
	Message  string            `json:"message,omitempty"`
}

// maxOwnMessage leaves an explanation 256 of the 1024 bytes that the wire has for a message.
const maxOwnMessage = 768

func (f *fields) alerting() alerting {
	return alerting{
		Quantity: f.text("quantity", holdfast.CheckQuantity),
		For:      f.duration("for", 0, 24*time.Hour),
		Cooldown: f.duration("cooldown", 0, 7*24*time.Hour),
		Latch:    f.yes("latch"),
		Severity: holdfast.Severity(f.textOr("severity", string(holdfast.Warning), func(s string) error {
			return holdfast.Severity(s).Validate()
		})),
		Message: f.textOr("message", "", func(s string) error {
			if len(s) > maxOwnMessage || strings.ContainsRune(s, 0) {
				return errors.New("want at most 768 bytes without NUL")
			}
			return nil
		}),
	}
}

// A finding is how a value stands to what a rule allows. All numbers are finite.
type finding struct {
	value  float64 // goes into the alert, as does limit
	limit  float64
	excess float64 // how far beyond, in whatever the rule counts; the largest makes the peak
	beyond bool    // raises an alert
	back   bool    // clears it
	why    string  // explains the value; only looked at where an alert is on or coming
}

// An episode is what a rule remembers of the alert of one sensor: since when its condition has held, and the last finding.
// A reboot ends a cooldown and forgets a condition that had not held for long enough; a raised alert stays.
type episode struct {
	Since *mark   `json:"since,omitempty"` // nil while the condition does not hold
	Value float64 `json:"value,omitempty"`
	Limit float64 `json:"limit,omitempty"`
	Peak  float64 `json:"peak,omitempty"`
	Worst float64 `json:"worst,omitempty"` // the excess at the peak
	Why   string  `json:"why,omitempty"`
	ID    string  `json:"id,omitempty"`    // "" until the alert is raised
	Back  bool    `json:"back,omitempty"`  // the value of a latched alert is back
	By    string  `json:"by,omitempty"`    // who acknowledged the alert
	Quiet int64   `json:"quiet,omitempty"` // monotonic µs: no alert is raised before it
}

// on reports whether the explanation of a finding would be looked at even if it is not beyond.
func (e *episode) on() bool { return e.Since != nil }

func (e *episode) see(p *alerting, o origin, at holdfast.Instant, f finding) []holdfast.Record {
	if e.Since == nil {
		if !f.beyond {
			return nil
		}
		e.Since, e.Peak, e.Worst = newMark(at), f.value, f.excess
	}
	if e.ID == "" && !f.beyond {
		e.forget()
		return nil
	}
	e.Value, e.Limit, e.Why = f.value, f.limit, f.why
	if f.excess > e.Worst {
		e.Peak, e.Worst = f.value, f.excess
	}
	if e.ID == "" {
		return e.tick(p, o, at)
	}
	e.Back = f.back || e.Back && !f.beyond
	if e.Back && (!p.Latch || e.By != "") {
		return e.clear(p, o, at)
	}
	return nil
}

// tick raises the alert once the condition has held for long enough, with or without another reading.
func (e *episode) tick(p *alerting, o origin, at holdfast.Instant) []holdfast.Record {
	if at.Mono >= e.Quiet {
		e.Quiet = 0
	}
	if e.Since == nil || e.ID != "" || e.Quiet != 0 || at.Mono-e.Since.Mono < p.For.Microseconds() {
		return nil
	}
	e.ID = o.newID()
	return []holdfast.Record{e.alert(p, o, at, holdfast.Raised)}
}

// acknowledge notes who has seen the raised alert, and clears it where it was latched only for that.
func (e *episode) acknowledge(p *alerting, o origin, by string, at holdfast.Instant) []holdfast.Record {
	if e.ID == "" || e.Since == nil || e.By != "" {
		return nil
	}
	e.By = by
	record := e.alert(p, o, at, holdfast.Acknowledged)
	record.By = by
	if e.Back {
		return append([]holdfast.Record{record}, e.clear(p, o, at)...)
	}
	return []holdfast.Record{record}
}

func (e *episode) clear(p *alerting, o origin, at holdfast.Instant) []holdfast.Record {
	record := e.alert(p, o, at, holdfast.Cleared)
	if p.Cooldown > 0 {
		e.Quiet = at.Mono + p.Cooldown.Microseconds()
	}
	e.forget()
	return []holdfast.Record{record}
}

// forget leaves nothing but the quiet time.
func (e *episode) forget() { *e = episode{Quiet: e.Quiet} }

func (e *episode) reboot() {
	e.Quiet = 0
	if e.ID == "" {
		e.forget()
	}
}

func (e *episode) retire(p *alerting, o origin, at holdfast.Instant) []holdfast.Record {
	if e.ID == "" || e.Since == nil {
		return nil
	}
	return e.clear(p, o, at)
}

func (e *episode) alert(p *alerting, o origin, at holdfast.Instant, state holdfast.AlertState) *holdfast.Alert {
	message := e.Why
	if p.Message != "" {
		message = p.Message + ": " + e.Why
	}
	return &holdfast.Alert{
		Time:        at.Time,
		ID:          e.ID,
		Rule:        o.rule,
		RuleVersion: o.version,
		State:       state,
		Severity:    p.Severity,
		Sensor:      o.sensor,
		Quantity:    p.Quantity,
		Value:       e.Value,
		Threshold:   e.Limit,
		Since:       e.Since.wall(at),
		Peak:        e.Peak,
		Message:     message,
		Clock:       at.Clock(),
	}
}

// bounded cuts off what no record can hold.
func bounded(v float64) float64 {
	if math.IsNaN(v) {
		return 0
	}
	return max(-math.MaxFloat64, min(math.MaxFloat64, v))
}
