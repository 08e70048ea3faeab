package rules

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"holdfast"
)

// fates hands readings to an engine and writes + for each that goes up, - for each that is withheld.
func fates(e *Engine, from int, values ...float64) string {
	got := ""
	for i, v := range values {
		got += fate(e, from+i, reading(instant(from+i), "s", v))
	}
	return got
}

func fate(e *Engine, second int, r *holdfast.Reading) string {
	e.Apply(r, instant(second))
	if e.Fate().Withheld != "" {
		return "-"
	}
	return "+"
}

func TestDeadband(t *testing.T) {
	t.Parallel()
	tests := []struct {
		rule   string
		values []float64
		want   string
	}{
		{"absolute: 0.5", []float64{20, 20.5, 19.5, 20.6, 20.2, 20}, "+--+-+"},
		{"absolute: 0", []float64{0, 0, -1, -1, 0}, "+-+-+"},
		{"relative: 10", []float64{-100, -110, -89, -80}, "+-+" + "+"},
		{"relative: 10", []float64{0, 0, 0.001, 0.00105, -5}, "+-+-+"},
		{"relative: 10, absolute: 1", []float64{0, 1, -1, 1.5, 20, 21.9, 22.1}, "+--++-+"},
		{"absolute: 1e300", []float64{math.MaxFloat64, -math.MaxFloat64, -math.MaxFloat64}, "++-"},
		{"absolute: 5, heartbeat: 3s", []float64{1, 1, 1, 1, 1, 9, 9, 9, 9}, "+--+-+--+"},
	}
	for _, tt := range tests {
		e := engine(t, 1, "  - {name: d, deadband: {sensor: s, "+tt.rule+"}}\n")
		if got := fates(e, 0, tt.values...); got != tt.want {
			t.Errorf("%s: %v go %s, want %s", tt.rule, tt.values, got, tt.want)
		}
	}
}

// What is news beside a change, and what is none.
func TestDeadbandEffects(t *testing.T) {
	t.Parallel()
	e := engine(t, 1, "  - {name: d, deadband: {sensor: s, quantities: [temperature_celsius, pressure_pascal], absolute: 1}}\n")
	with := func(values map[string]float64, bad ...string) *holdfast.Reading {
		r := &holdfast.Reading{Time: noon, Sensor: "s", Values: values, Quality: make(map[string]holdfast.Quality)}
		for _, quantity := range bad {
			r.Quality[quantity] = holdfast.Bad
		}
		return r
	}
	temperature := func(v float64) map[string]float64 { return map[string]float64{"temperature_celsius": v} }
	for i, step := range []struct {
		what string
		r    *holdfast.Reading
		want string
	}{
		{"the first", with(temperature(1)), "+"},
		{"the same", with(temperature(1)), "-"},
		{"another quantity alone", with(map[string]float64{"humidity_percent": 1}), "+"},
		{"another quantity beside it", with(map[string]float64{"humidity_percent": 90, "temperature_celsius": 1}), "-"},
		{"a quantity more", with(map[string]float64{"pressure_pascal": 90, "temperature_celsius": 1}), "+"},
		{"a quantity is missing", with(temperature(1)), "-"},
		{"turned bad", with(temperature(1), "temperature_celsius"), "+"},
		{"bad still", with(temperature(9), "temperature_celsius"), "-"},
		{"not a number", with(temperature(math.NaN())), "-"},
		{"good again", with(temperature(1)), "+"},
		{"infinite", with(temperature(math.Inf(1))), "+"},
		{"infinite still", with(temperature(math.Inf(-1))), "-"},
		{"unknown sensor", &holdfast.Reading{Time: noon, Sensor: "x", Values: temperature(1)}, "+"},
	} {
		if got := fate(e, i, step.r); got != step.want {
			t.Errorf("%s: %s, want %s", step.what, got, step.want)
		}
	}
}

// One deadband that sees something new is enough, in either order; other rules see withheld readings.
func TestDeadbandsTogether(t *testing.T) {
	t.Parallel()
	wide, narrow := "  - {name: wide, deadband: {absolute: 5}}\n", "  - {name: narrow, deadband: {absolute: 1}}\n"
	for _, rules := range []string{wide + narrow, narrow + wide} {
		if got, want := fates(engine(t, 1, rules), 0, 0, 2, 2, 9), "++-+"; got != want {
			t.Errorf("%s: %s, want %s", rules, got, want)
		}
	}
	e := engine(t, 1, wide+"  - {name: warm, threshold: {quantity: temperature_celsius, above: 26}}\n")
	e.Apply(reading(instant(0), "s", 25), instant(0))
	if got := len(e.Apply(reading(instant(1), "s", 27), instant(1))); got != 1 || e.Fate().Withheld != "wide" {
		t.Errorf("%d alerts from a reading withheld by %q, want 1, wide", got, e.Fate().Withheld)
	}
}

func TestDeadbandRestart(t *testing.T) {
	t.Parallel()
	const rule = "  - {name: d, deadband: {absolute: 1}}\n"
	e, same, boot := engine(t, 1, rule), engine(t, 1, rule), engine(t, 1, rule)
	fates(e, 0, 20)
	restarted(t, e, same, instant(1))
	if got := fates(same, 1, 20.5); got != "-" {
		t.Errorf("after a restart: %s, want -", got)
	}
	at := instant(1)
	at.Boot = "boot-2"
	restarted(t, e, boot, at)
	if got := fates(boot, 1, 20.5); got != "+" {
		t.Errorf("after a reboot: %s, want +", got)
	}
}

func TestDeadbandIsBounded(t *testing.T) {
	t.Parallel()
	e := engine(t, 1, "  - {name: d, deadband: {absolute: 1}}\n")
	for i := range 3 * maxValues {
		r := &holdfast.Reading{Time: noon, Sensor: "s", Values: map[string]float64{fmt.Sprint("q", i): 1}}
		if got := fate(e, 0, r); got != "+" {
			t.Fatalf("quantity %d: %s, want +", i, got)
		}
	}
	if n := len(e.rules[0].memories[0].(*reported).Values); n != maxValues {
		t.Errorf("%d quantities remembered, want %d", n, maxValues)
	}
}

// What went up is never further from what is measured than the band, nor older than the heartbeat.
func TestDeadbandModel(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		set, err := Parse("test", []byte("version: 1\nrules:\n  - {name: d, deadband: {absolute: 0.5, relative: 10, heartbeat: 20s}}\n"))
		if err != nil {
			t.Fatal(err)
		}
		e := New(set, Options{})
		up, since := math.NaN(), 0
		var got, want strings.Builder
		second := 0
		for range rapid.IntRange(1, 60).Draw(t, "length") {
			second += rapid.IntRange(0, 12).Draw(t, "seconds")
			if rapid.IntRange(0, 4).Draw(t, "restart") == 0 {
				data, err := whole(e)
				if err != nil {
					t.Fatal(err)
				}
				e = New(set, Options{})
				restore(e, data, instant(second))
			}
			v := float64(rapid.IntRange(-40, 40).Draw(t, "v")) / 4
			got.WriteString(fate(e, second, reading(instant(second), "s", v)))
			if math.IsNaN(up) || second-since >= 20 || math.Abs(v-up) > 0.5 && math.Abs(v-up) > math.Abs(up)*10/100 {
				up, since = v, second
				want.WriteString("+")
			} else {
				want.WriteString("-")
			}
		}
		if got.String() != want.String() {
			t.Fatalf("got %s, want %s", got.String(), want.String())
		}
	})
}
