package rules

import (
	"errors"
	"strings"
	"time"

	"holdfast"
)

// An alerting is what the definition of a rule says about the alerts that it raises. Kinds that raise alerts embed it; its
// JSON stands in checkpoints.
type alerting struct {
	Quantity string            `json:"quantity"`
	For      time.Duration     `json:"for,omitempty"`
	Cooldown time.Duration     `json:"cooldown,omitempty"` // from one alert's end to the next one's beginning, at least
	Latch    bool              `json:"latch,omitempty"`    // an alert clears only once somebody has acknowledged it
	Severity holdfast.Severity `json:"severity"`
	Message  string            `json:"message,omitempty"`
}

// maxMessage is how many bytes the wire has for a message.
const maxMessage = 1024

// alerting reads what kinds that judge a quantity have.
func (f *fields) alerting() alerting {
	quantity := f.text("quantity", holdfast.CheckQuantity)
	hold := f.duration("for", 0, 24*time.Hour)
	a := f.alertingOf(quantity)
	a.For = hold
	return a
}

// alertingOf reads what every kind that raises alerts has.
func (f *fields) alertingOf(quantity string) alerting {
	return alerting{
		Quantity: quantity,
		Cooldown: f.duration("cooldown", 0, 7*24*time.Hour),
		Latch:    f.flag("latch"),
		Message: f.textOr("message", "", func(s string) error {
			if len(s) > maxMessage || strings.ContainsRune(s, 0) {
				return errors.New("want at most 1024 bytes without NUL")
			}
			return nil
		}),
		Severity: holdfast.Severity(f.textOr("severity", string(holdfast.Warning), func(s string) error {
			return holdfast.Severity(s).Validate()
		})),
	}
}

// changeIn is the quantity of alerts about how much another one changes in a time: temperature_celsius_per_minute.
func (f *fields) changeIn(quantity string, d time.Duration) string {
	names := map[time.Duration]string{time.Second: "second", time.Minute: "minute", time.Hour: "hour", 24 * time.Hour: "day"}
	name, ok := names[d]
	if !ok {
		name = d.String()
		if strings.HasSuffix(name, "m0s") {
			name = strings.TrimSuffix(name, "0s")
		}
		if strings.HasSuffix(name, "h0m") {
			name = strings.TrimSuffix(name, "0m")
		}
	}
	quantity += "_per_" + strings.ReplaceAll(name, ".", "_") // 1.5s
	if len(quantity) > 64 {
		f.badKey("quantity", "its change is called %s, which is longer than 64 characters", quantity)
	}
	return quantity
}

// explained is the message of an alert: the definition's own words and what the rule says of the value.
func (a *alerting) explained(why string) string {
	text := a.Message
	switch {
	case text == "":
		text = why
	case why != "":
		text += ": " + why
	}
	return strings.ToValidUTF8(text[:min(len(text), maxMessage)], "")
}
