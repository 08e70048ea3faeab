package rules

import (
	"maps"
	"math"
	"strings"
	"testing"
	"time"

	"holdfast"
)

// An alert says how long its condition has held, by monotonic time, and what else the reading of each step said; what is no
// number or bad is left out.
func TestAlertExplains(t *testing.T) {
	t.Parallel()
	const rule = "  - {name: r, threshold: {quantity: temperature_celsius, above: 26, for: 5s}}\n"
	e := engine(t, 1, rule)
	take := func(e *Engine, second int, values map[string]float64) []holdfast.Record {
		at := instant(second)
		at.Time = at.Time.Add(time.Duration(second) * time.Hour) // a clock that runs away
		return e.Apply(&holdfast.Reading{Time: at.Time, Mono: at.Mono, Sensor: "s", Values: values,
			Quality: map[string]holdfast.Quality{"bad": holdfast.Bad}}, at)
	}
	take(e, 0, map[string]float64{"temperature_celsius": 27, "old": 1})
	next := engine(t, 1, rule)
	restarted(t, e, next, instant(1))
	raised := take(next, 7, map[string]float64{"temperature_celsius": 28, "humidity_percent": 0, "bad": 1, "none": math.NaN()})
	cleared := take(next, 20, map[string]float64{"temperature_celsius": -1})
	for _, tt := range []struct {
		records  []holdfast.Record
		duration float64
		values   map[string]float64
	}{
		{raised, 7, map[string]float64{"temperature_celsius": 28, "humidity_percent": 0}},
		{cleared, 20, map[string]float64{"temperature_celsius": -1}},
	} {
		if len(tt.records) != 1 {
			t.Fatalf("%d records, want 1", len(tt.records))
		}
		a := tt.records[0].(*holdfast.Alert)
		if a.DurationS != tt.duration || !maps.Equal(a.Values, tt.values) {
			t.Errorf("%s after %v s with %v, want %v s with %v", a.State, a.DurationS, a.Values, tt.duration, tt.values)
		}
	}
}

// Cooldown keeps alerts apart; a latched alert waits for whoever acknowledges it.
func TestEpisode(t *testing.T) {
	t.Parallel()
	const rule = `
  - {name: r, anomaly: {quantity: temperature_celsius, window: 5, deviations: 3, floor: 1, KEYS}}`
	states := func(lines []string) string {
		var words []string
		for _, line := range lines {
			words = append(words, strings.Join(strings.Fields(line)[:3], " "))
		}
		return strings.Join(words, ", ")
	}
	cool := engine(t, 1, strings.Replace(rule, "KEYS", "cooldown: 10s", 1))
	got := states(everySecond(cool, 0, 0, 0, 0, 0, 0, 9, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9))
	if want := "12:00:35 a1 raised, 12:00:36 a1 cleared, 12:00:47 a2 raised"; got != want {
		t.Errorf("cooldown: %s, want %s", got, want)
	}

	latched := engine(t, 1, strings.Replace(rule, "KEYS", "latch: true", 1))
	if got, want := states(everySecond(latched, 0, 0, 0, 0, 0, 0, 9, 0, 0)), "12:00:35 a1 raised"; got != want {
		t.Errorf("latched: %s, want %s", got, want)
	}
	next := engine(t, 1, strings.Replace(rule, "KEYS", "latch: true", 1))
	restarted(t, latched, next, instant(8))
	m := next.rules[0].memories[0].(*expectation)
	if m.alertID() != "a1" {
		t.Errorf("raised %q, want a1", m.alertID())
	}
	o := next.origin(next.rules[0], "s")
	records := m.acknowledge(o, "ada", instant(9))
	if got, want := states(explained(records)), "12:00:39 a1 acknowledged, 12:00:39 a1 cleared"; got != want {
		t.Errorf("acknowledged: %s, want %s", got, want)
	}
	for _, r := range records {
		if err := r.Validate(); err != nil {
			t.Error(err)
		}
	}
	if again := m.acknowledge(o, "ada", instant(9)); again != nil {
		t.Errorf("acknowledged twice: %v", explained(again))
	}
}
