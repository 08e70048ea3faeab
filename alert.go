package holdfast

import (
	"encoding/json"
	"math"
	"time"
)

// An Alert is one step in the life of an alert that a rule raised. ID stays the same from raised to cleared.
type Alert struct {
	Time        time.Time  `json:"time"`
	ID          string     `json:"id"`
	Rule        string     `json:"rule"`
	RuleVersion int        `json:"rule_version"`
	State       AlertState `json:"state"`
	Severity    Severity   `json:"severity"`
	Sensor      string     `json:"sensor"`
	Quantity    string     `json:"quantity"`
	Value       float64    `json:"value"` // the value that caused this step, in the quantity's base unit
	Threshold   float64    `json:"threshold"`
	Since       time.Time  `json:"since"`               // when the condition first held
	DurationS   float64    `json:"duration_s,omitzero"` // how long it has held, by monotonic time within a boot
	Peak        float64    `json:"peak"`                // the value farthest beyond the threshold so far

	// Values are what else the reading says that caused this step; none where a step has no reading.
	Values  map[string]float64 `json:"values,omitempty"`
	Message string             `json:"message,omitempty"`
	By      string             `json:"by,omitempty"` // who acknowledged
	Clock   *Clock             `json:"clock,omitempty"`
}

// AlertState is a step of an alert's life.
type AlertState string

const (
	Raised       AlertState = "raised"
	Acknowledged AlertState = "acknowledged"
	Cleared      AlertState = "cleared"
)

// Severity says how much an alert matters.
type Severity string

const (
	Info     Severity = "info"
	Warning  Severity = "warning"
	Critical Severity = "critical"
)

// Validate returns an error unless s is info, warning or critical.
func (s Severity) Validate() error { return oneOf("severity", s, Info, Warning, Critical) }

func (a *Alert) Lane() Lane      { return LaneAlert }
func (a *Alert) When() time.Time { return a.Time }

// Validate returns an error unless names, states and values are what the wire allows.
func (a *Alert) Validate() error {
	if err := checkTime("time", a.Time); err != nil {
		return err
	}
	if a.ID == "" || len(a.ID) > 64 {
		return invalid("id", "%q: want 1 to 64 characters", cut(a.ID, 70))
	}
	if err := CheckRule(a.Rule); err != nil {
		return err
	}
	if err := oneOf("state", a.State, Raised, Acknowledged, Cleared); err != nil {
		return err
	}
	if err := a.Severity.Validate(); err != nil {
		return err
	}
	if err := CheckSensor(a.Sensor); err != nil {
		return err
	}
	if err := CheckQuantity(a.Quantity); err != nil {
		return err
	}
	for _, v := range []float64{a.Value, a.Threshold, a.Peak} {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return invalid("value", "%v is not a number that can be stored", v)
		}
	}
	if a.DurationS < 0 || math.IsNaN(a.DurationS) || math.IsInf(a.DurationS, 0) {
		return invalid("duration_s", "%v: want seconds from 0", a.DurationS)
	}
	if len(a.Values) > 0 {
		if err := checkValues(a.Values); err != nil {
			return err
		}
	}
	if err := checkText("message", a.Message, 1024); err != nil {
		return err
	}
	return a.Clock.Validate()
}

// MarshalJSON writes the record with its kind.
func (a Alert) MarshalJSON() ([]byte, error) {
	type plain Alert
	return json.Marshal(struct {
		Kind string `json:"kind"`
		plain
	}{"alert", plain(a)})
}
