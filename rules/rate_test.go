package rules

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"holdfast"
)

func TestRate(t *testing.T) {
	t.Parallel()
	type step struct {
		at   int
		v    float64
		want string
	}
	tests := []struct {
		name, rule string
		steps      []step
	}{
		{"against the reading before", "above: 6", []step{
			{0, 0, ""}, {10, 1, ""},
			{20, 2.5, "12:00:50 a1 r v1 raised s value 9 peak 9 since 12:00:50"},
			{20, 99, ""}, // at the same instant: judged too
			{30, 2.5, "12:01:00 a1 r v1 cleared s value 0 peak 588 since 12:00:50"},
		}},
		{"falling, for each hour", "per: 1h, below: -360", []step{
			{0, 0, ""}, {10, -1, ""},
			{11, -2, "12:00:41 a1 r v1 raised s value -3600 peak -3600 since 12:00:41"},
		}},
		{"over a minute", "over: 1m, at_least: 6", []step{
			{0, 0, ""}, {30, 90, ""}, // nothing is a minute old
			{60, 5, ""},
			{90, 96, "12:02:00 a1 r v1 raised s value 6 peak 6 since 12:02:00"},
			{120, 10, "12:02:30 a1 r v1 cleared s value 5 peak 6 since 12:02:00"},
		}},
		{"for", "outside: [-1, 1], for: 20s", []step{
			{0, 0, ""}, {10, 5, ""}, {20, 0, ""},
			{30, 5, "12:01:00 a1 r v1 raised s value 30 peak 30 since 12:00:40"},
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			e := engine(t, 1, "  - {name: r, rate: {sensor: s, quantity: temperature_celsius, "+tt.rule+"}}\n")
			for _, s := range tt.steps {
				var want []string
				if s.want != "" {
					want = []string{s.want}
				}
				expect(t, clock(instant(s.at).Time), lines(e.Apply(reading(instant(s.at), "s", s.v), instant(s.at))), want...)
			}
		})
	}
}

// The change of a quantity is one of its own, named by its time.
func TestChangeIn(t *testing.T) {
	t.Parallel()
	for per, want := range map[string]string{"1s": "q_per_second", "1m": "q_per_minute", "60m": "q_per_hour", "24h": "q_per_day", "10s": "q_per_10s",
		"1500ms": "q_per_1_5s", "20m": "q_per_20m", "90m": "q_per_1h30m", "2h": "q_per_2h", "3610s": "q_per_1h0m10s"} {
		set, err := Parse("test", fmt.Appendf(nil, "version: 1\nrules:\n  - {name: r, rate: {quantity: q, above: 3, per: %s}}\n", per))
		if err != nil {
			t.Fatal(err)
		}
		if got := set.rules[0].program.(*rate).Quantity; got != want || holdfast.CheckQuantity(got) != nil {
			t.Errorf("per %s: %s, want %s", per, got, want)
		}
	}
	text := "version: 1\nrules:\n  - {name: r, rate: {quantity: " + strings.Repeat("q", 60) + ", above: 3}}\n"
	if _, err := Parse("test", []byte(text)); err == nil || !strings.Contains(err.Error(), "longer than 64 characters") {
		t.Errorf("a name too long: %v", err)
	}
}

func TestRateEffects(t *testing.T) {
	t.Parallel()
	e := engine(t, 1, "  - {name: r, rate: {sensor: s, quantity: temperature_celsius, above: 1}}\n")
	e.Apply(reading(instant(0), "s", 0), instant(0))
	bad := reading(instant(1), "s", 99)
	bad.Quality = map[string]holdfast.Quality{"temperature_celsius": holdfast.Bad}
	for _, r := range []*holdfast.Reading{bad, reading(instant(1), "s", math.NaN()), reading(instant(1), "s", math.Inf(1)), reading(instant(1), "x", 99),
		{Time: noon, Mono: instant(1).Mono, Sensor: "s", Values: map[string]float64{"humidity_percent": 99}}} {
		expect(t, "ignored", lines(e.Apply(r, instant(1))))
	}
	alert := e.Apply(reading(instant(1), "s", math.MaxFloat64), instant(1))[0].(*holdfast.Alert)
	if alert.Value != math.MaxFloat64 || alert.Quantity != "temperature_celsius_per_minute" || alert.Threshold != 1 {
		t.Errorf("got %+v", alert)
	}
}

func TestRateRestart(t *testing.T) {
	t.Parallel()
	const rule = "  - {name: r, rate: {sensor: s, quantity: temperature_celsius, above: 1}}\n"
	e, same, boot := engine(t, 1, rule), engine(t, 1, rule), engine(t, 1, rule)
	e.Apply(reading(instant(0), "s", 0), instant(0))
	restarted(t, e, same, instant(30))
	expect(t, "restart", lines(same.Apply(reading(instant(60), "s", 2), instant(60))), "12:01:30 a1 r v1 raised s value 2 peak 2 since 12:01:30")
	at := instant(60)
	at.Boot = "boot-2"
	restarted(t, e, boot, at)
	expect(t, "reboot", lines(boot.Apply(reading(at, "s", 2), at)))
}

// Against a model that keeps all values.
func TestRateModel(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		over := rapid.IntRange(0, 60).Draw(t, "over")
		set, err := Parse("test", fmt.Appendf(nil, "version: 1\nrules:\n  - {name: r, rate: {quantity: temperature_celsius, over: %ds, above: 3, per: 10s}}\n", over))
		if err != nil {
			t.Fatal(err)
		}
		e := New(set, Options{})
		var samples []sample
		second, raised := 0, false
		for range rapid.IntRange(1, 80).Draw(t, "length") {
			second += rapid.OneOf(rapid.IntRange(0, 3), rapid.IntRange(0, 100)).Draw(t, "seconds") // whole ones, as far apart as what is kept
			s := sample{int64(second), float64(rapid.IntRange(-9, 9).Draw(t, "v"))}
			got, want := short(e.Apply(reading(instant(second), "s", s.v), instant(second))), "-"
			var from *sample
			for i := range samples {
				age := s.us - samples[i].us
				if age >= int64(over) && age > 0 && (from == nil || samples[i].us > from.us) { // the first at its instant
					from = &samples[i]
				}
			}
			samples = append(samples, s)
			if from != nil {
				if fast := (s.v-from.v)*10/float64(s.us-from.us) > 3; fast != raised {
					raised, want = fast, map[bool]string{true: "r", false: "c"}[fast]
				}
			}
			if got != want {
				t.Fatalf("over %d s, second %d: %s, want %s", over, second, got, want)
			}
		}
		if n := len(e.rules[0].memories[0].(*pace).Points); n > 62 {
			t.Fatalf("%d values kept", n)
		}
	})
}
