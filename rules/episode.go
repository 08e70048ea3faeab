package rules

import (
	"maps"
	"math"

	"holdfast"
)

// A finding is how a value stands to what a rule allows. All numbers are finite.
type finding struct {
	value  float64 // goes into the alert, as does limit
	limit  float64
	excess float64 // how far beyond, in whatever the rule counts; the largest makes the peak
	beyond bool    // raises an alert
	back   bool    // clears it
	since  *mark   // when it began; nil: with this value
	why    string  // explains the value; only looked at where an alert is on or coming
}

// An episode is what a rule remembers of the alert of one sensor: since when its condition has held, the alert that was
// raised, the quiet time after it. An alert keeps its ID from raised to cleared.
//
// It raises when the condition has held for as long as `for` says and the cooldown after the alert before is over; what
// holds during a cooldown is raised when that ends. A reboot ends a cooldown, for one alert too many is better than one
// too few, and forgets a condition that had not held for long enough: nobody knows what happened in between. A raised
// alert stays.
type episode struct {
	Since  *mark              `json:"since,omitempty"` // nil while the condition does not hold
	Value  float64            `json:"value,omitempty"` // the last finding
	Why    string             `json:"why,omitempty"`
	Values map[string]float64 `json:"values,omitempty"` // of the reading with the last finding
	Peak   float64            `json:"peak,omitempty"`   // the worst finding
	Limit  float64            `json:"limit,omitempty"`
	Worst  float64            `json:"worst,omitempty"` // its excess
	ID     string             `json:"id,omitempty"`    // "" until the alert is raised
	Back   bool               `json:"back,omitempty"`  // the value of a latched alert is back
	By     string             `json:"by,omitempty"`    // who acknowledged the alert
	Quiet  int64              `json:"quiet,omitempty"` // monotonic µs: no alert is raised before it
}

// on reports whether the explanation of a finding would be looked at even if it is not beyond.
func (e *episode) on() bool { return e.Since != nil }

// see takes what was found in a reading; nil where there is none.
func (e *episode) see(p *alerting, o origin, r *holdfast.Reading, at holdfast.Instant, f finding) []holdfast.Record {
	if e.Since == nil {
		if !f.beyond {
			return nil
		}
		e.begin(at, f)
	}
	if e.ID == "" && !f.beyond {
		e.forget()
		return nil
	}
	e.Value, e.Why = f.value, f.why
	e.explain(r)
	if f.excess > e.Worst {
		e.Peak, e.Limit, e.Worst = f.value, f.limit, f.excess
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

func (e *episode) begin(at holdfast.Instant, f finding) {
	e.Peak, e.Limit, e.Worst = f.value, f.limit, f.excess
	e.Since = newMark(at)
	if f.since != nil {
		*e.Since = *f.since
	}
}

// explain keeps what else stands in the reading.
func (e *episode) explain(r *holdfast.Reading) {
	clear(e.Values)
	if r == nil {
		return
	}
	for quantity := range r.Values {
		v, ok := good(r, quantity)
		if !ok || len(e.Values) == maxValues {
			continue
		}
		if e.Values == nil {
			e.Values = make(map[string]float64)
		}
		e.Values[quantity] = v
	}
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
	if e.ID == "" || e.Since == nil { // the latter in a damaged checkpoint
		return nil
	}
	return e.clear(p, o, at)
}

func (e *episode) alert(p *alerting, o origin, at holdfast.Instant, state holdfast.AlertState) *holdfast.Alert {
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
		DurationS:   e.Since.until(at).Seconds(),
		Peak:        e.Peak,
		Values:      maps.Clone(e.Values),
		Message:     p.explained(e.Why),
		By:          e.By,
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
