package rules

import (
	"testing"

	"holdfast"
)

func TestSummarises(t *testing.T) {
	t.Parallel()
	two := &holdfast.Reading{Sensor: "hall", Values: map[string]float64{"temperature_celsius": 0, "humidity_percent": -1}}
	for _, c := range []struct {
		rules string
		want  bool
	}{
		{`- {name: a, threshold: {quantity: temperature_celsius, above: 1}}`, false},
		{`- {name: a, aggregate: {window: 1m, functions: [mean]}}`, true},
		{`- {name: a, aggregate: {sensor: "h*", window: 1h, functions: [mean]}}`, true},
		{`- {name: a, aggregate: {window: 61m, functions: [mean]}}`, false},
		{`- {name: a, aggregate: {window: 24h, every: 1h, functions: [mean]}}`, true},
		{`- {name: a, aggregate: {sliding: 1h, functions: [mean]}}`, true},
		{`- {name: a, aggregate: {sliding: 24h, functions: [mean]}}`, true},
		{`- {name: a, aggregate: {sliding: 24h, every: 2h, functions: [mean]}}`, false},
		{`- {name: a, aggregate: {session: 1m, functions: [mean]}}`, false},
		{`- {name: a, aggregate: {count: 10, functions: [mean]}}`, false},
		{`- {name: a, aggregate: {window: 1m, across: true, functions: [mean]}}`, false},
		{`- {name: a, aggregate: {sensor: cellar, window: 1m, functions: [mean]}}`, false},
		{`- {name: a, aggregate: {quantities: [temperature_celsius], window: 1m, functions: [mean]}}`, false},
		{`- {name: a, aggregate: {quantities: [temperature_celsius], window: 1m, functions: [mean]}}
- {name: b, aggregate: {quantities: [humidity_percent], window: 5m, functions: [last]}}`, true},
	} {
		if got := engine(t, 1, c.rules).Summarises(two); got != c.want {
			t.Errorf("%s: %v, want %v", c.rules, got, c.want)
		}
	}
	e := engine(t, 1, `- {name: a, aggregate: {window: 1m, functions: [mean]}}`)
	e.rules[0].off = true
	if e.Summarises(two) {
		t.Error("a rule that is switched off tells something")
	}
}
