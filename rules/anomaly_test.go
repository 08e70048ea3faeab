package rules

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"holdfast"
)

// explained writes alerts as one line each: with limit and message.
func explained(records []holdfast.Record) []string {
	var out []string
	for _, record := range records {
		a := record.(*holdfast.Alert)
		out = append(out, fmt.Sprintf("%s %s %s %s value %.5g limit %.5g peak %.5g: %s", clock(a.Time), a.ID, a.State, a.Sensor, a.Value, a.Threshold, a.Peak, a.Message))
	}
	return out
}

// everySecond gives an engine one value a second, and returns what follows.
func everySecond(e *Engine, from int, values ...float64) []string {
	var out []string
	for i, v := range values {
		at := instant(from + i)
		out = append(out, explained(e.Apply(reading(at, "s", v), at))...)
	}
	return out
}

func TestAnomalyHampel(t *testing.T) {
	t.Parallel()
	e := engine(t, 1, `
  - {name: r, anomaly: {quantity: temperature_celsius, window: 5, deviations: 3, clear: 2, message: odd}}`)
	expect(t, "warm-up", everySecond(e, 0, 20, 21, 100, 19, 18))
	expect(t, "near", everySecond(e, 5, 20)) // expects 20, spread 1.4826
	// Of 21 100 19 18 20: median 20, deviations 0 1 1 2 80, spread 1.4826.
	expect(t, "far", everySecond(e, 6, 10), "12:00:36 a1 raised s value 10 limit 15.552 peak 10: odd: hampel/1: 6.745 deviations of 1.4826 from 20")
	// Of 100 19 18 20 10: median 19, deviations 0 1 1 9 81.
	expect(t, "farther, on the other side", everySecond(e, 7, 40))
	// Of 19 18 20 10 40: median 19, deviations 0 1 1 9 21.
	expect(t, "not near enough", everySecond(e, 8, 22.5))
	// Of 18 20 10 40 22.5: median 20, deviations 0 2 2.5 10 20.
	expect(t, "back", everySecond(e, 9, 21), "12:00:39 a1 cleared s value 21 limit 23.448 peak 40: odd: hampel/1: 0.2698 deviations of 3.7065 from 20")
}

func TestAnomalyEwma(t *testing.T) {
	t.Parallel()
	e := engine(t, 1, `
  - {name: r, anomaly: {quantity: temperature_celsius, method: ewma, window: 9, warmup: 4, deviations: 3}}`)
	expect(t, "warm-up", everySecond(e, 0, 0, 50, -10, 10))
	got := everySecond(e, 4, -80)
	if len(got) != 1 || !strings.Contains(got[0], "ewma/1") || !strings.Contains(got[0], "raised s value -80") {
		t.Errorf("far: %q, want one alert that names the model", got)
	}
	expect(t, "back", everySecond(e, 5, -5)[:1], "12:00:35 a1 cleared s value -5 limit -46 peak -80: ewma/1: 0.1458 deviations of 38.122 from -10.56")
}

// A value among equal ones is anomalous unless the floor says that such a difference is nothing.
func TestAnomalyOfConstants(t *testing.T) {
	t.Parallel()
	for _, method := range []string{"hampel", "ewma"} {
		for floor, want := range map[string]int{"0": 1, "0.1": 0} {
			e := engine(t, 1, fmt.Sprintf("  - {name: r, anomaly: {quantity: temperature_celsius, method: %s, window: 5, floor: %s}}\n", method, floor))
			if got := everySecond(e, 0, 0, 0, 0, 0, 0, 0, 0.3); len(got) != want {
				t.Errorf("%s, floor %s: %q, want %d alerts", method, floor, got, want)
			}
		}
	}
	// More than half of the values are equal: their mean deviation counts.
	h := &hampel{Values: []float64{1, 1, 1, 1, 3}}
	if centre, spread := h.expect(); centre != 1 || math.Abs(spread-1.2533*0.4) > 1e-9 {
		t.Errorf("expects %v ± %v, want 1 ± %v", centre, spread, 1.2533*0.4)
	}
}

// Whatever is no good value of the quantity changes nothing: not the alert, not the model.
func TestAnomalyIgnores(t *testing.T) {
	t.Parallel()
	const rule = `
  - {name: r, anomaly: {sensor: s, quantity: temperature_celsius, method: METHOD, window: 5, deviations: 3}}`
	for _, method := range []string{"hampel", "ewma"} {
		e := engine(t, 1, strings.Replace(rule, "METHOD", method, 1))
		everySecond(e, 0, 0, -1, 1, 0, -1, 1)
		before, _ := whole(e)
		for i, v := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
			expect(t, fmt.Sprint(v), everySecond(e, 6+i, v))
		}
		at := instant(9)
		bad := reading(at, "s", 900)
		bad.Quality = map[string]holdfast.Quality{"temperature_celsius": holdfast.Bad}
		expect(t, "bad", explained(e.Apply(bad, at)))
		expect(t, "unknown sensor", explained(e.Apply(reading(at, "unknown", 900), at)))
		expect(t, "missing quantity", explained(e.Apply(&holdfast.Reading{Time: at.Time, Sensor: "s", Values: map[string]float64{"humidity_percent": 900}}, at)))
		if after, _ := whole(e); string(after) != string(before) {
			t.Errorf("%s: %s became %s", method, before, after)
		}
		if got := everySecond(e, 10, 900); len(got) != 1 {
			t.Errorf("%s: %q, want one alert", method, got)
		}
	}
}

// An alert needs its condition to hold, survives a restart and a reboot, and is cleared with its rule.
func TestAnomalyRestart(t *testing.T) {
	t.Parallel()
	const rule = `
  - {name: r, anomaly: {quantity: temperature_celsius, window: 9, deviations: 3, for: 2s}}`
	calm := []float64{20, 21, 20, 19, 20, 21, 20, 19, 20}
	e := engine(t, 1, rule)
	everySecond(e, 0, calm...)
	expect(t, "not for long enough", everySecond(e, 9, 50, 50))
	next := engine(t, 1, rule)
	expect(t, "restart", restarted(t, e, next, instant(11)))
	raised := explained(next.Tick(instant(11)))
	if len(raised) != 1 || !strings.HasPrefix(raised[0], "12:00:41 a1 raised s value 50") {
		t.Fatalf("after the restart %q, want an alert", raised)
	}
	at := holdfast.Instant{Time: noon, Boot: "boot-2", Mono: 5, Synchronized: true}
	booted := engine(t, 1, rule)
	expect(t, "reboot", restarted(t, next, booted, at))
	got := booted.Apply(reading(at, "s", 20), at)
	if len(got) != 1 || got[0].(*holdfast.Alert).State != holdfast.Cleared || got[0].(*holdfast.Alert).ID != "a1" {
		t.Errorf("after the reboot %q, want the alert cleared by the model from before", explained(got))
	}
	if got := restarted(t, next, engine(t, 2, " []"), instant(12)); len(got) != 1 || !strings.Contains(got[0], "a1 r v1 cleared") {
		t.Errorf("rule gone: %q, want the alert cleared", got)
	}
	pending := engine(t, 1, rule)
	restarted(t, e, pending, at)
	at.Mono += 2000e6
	expect(t, "what had not held for long enough begins anew", explained(pending.Tick(at)))
}

// Both models against the plain formulas over all values, with restarts in between; no size of value breaks them.
func TestAnomalyModels(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		window := rapid.IntRange(1, 12).Draw(t, "window")
		tenths := rapid.SliceOfN(rapid.IntRange(-30, 30), 1, 60).Draw(t, "tenths")
		h, e := new(hampel), new(ewma)
		var all []float64
		for i, n := range tenths {
			v := float64(n) / 10
			all = append(all, v)
			h.learn(v, window)
			e.learn(v, window)
			if i%7 == 6 {
				h = &hampel{Values: slices.Clone(h.Values)}
			}
			centre, spread := h.expect()
			wantCentre, wantSpread := plainHampel(all[max(0, len(all)-window):])
			closeTo(t, "hampel's centre", centre, wantCentre)
			closeTo(t, "hampel's spread", spread, wantSpread)
			centre, spread = e.expect()
			wantCentre, wantSpread = plainEwma(all, window)
			closeTo(t, "ewma's centre", centre, wantCentre)
			closeTo(t, "ewma's spread", spread, wantSpread)
		}
	})
	for _, method := range []string{"hampel", "ewma"} {
		e := engine(t, 1, "  - {name: r, anomaly: {quantity: temperature_celsius, window: 5, warmup: 3, method: "+method+"}}\n")
		huge := math.MaxFloat64
		everySecond(e, 0, 0, 5e-324, -huge, huge, huge, -huge, 0, huge, -huge, 1, 2, 3, 4, 5, 6, 7, 8, huge)
		if _, err := whole(e); err != nil {
			t.Errorf("%s: %v", method, err)
		}
	}
}

type fataler interface{ Fatalf(string, ...any) }

func closeTo(t fataler, what string, got, want float64) {
	if math.Abs(got-want) > 1e-9*max(1, math.Abs(want)) {
		t.Fatalf("%s: %v, want %v", what, got, want)
	}
}

func plainHampel(values []float64) (centre, spread float64) {
	median := func(of []float64) float64 {
		of = slices.Sorted(slices.Values(of))
		return (of[(len(of)-1)/2] + of[len(of)/2]) / 2
	}
	centre = median(values)
	var off []float64
	var sum float64
	for _, v := range values {
		off = append(off, math.Abs(v-centre))
		sum += math.Abs(v - centre)
	}
	if m := median(off); m > 1e-12 {
		return centre, 1.4826 * m
	}
	return centre, 1.2533 * sum / float64(len(values))
}

// plainEwma weighs each value by its age, the first one by what is left of 1.
func plainEwma(values []float64, window int) (mean, deviation float64) {
	a := 2 / float64(window+1)
	weight := func(i int) float64 {
		w := math.Pow(1-a, float64(len(values)-1-i))
		if i > 0 {
			w *= a
		}
		return w
	}
	for i, v := range values {
		mean += weight(i) * v
	}
	for i, v := range values {
		deviation += weight(i) * (v - mean) * (v - mean)
	}
	return mean, math.Sqrt(deviation)
}

func TestParseAnomaly(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"{}":                            "f:4: rules[0].anomaly.quantity: is missing",
		"{quantity: q, method: median}": `f:4: rules[0].anomaly.method: "median": want hampel or ewma`,
		"{quantity: q, window: 302}":    `f:4: rules[0].anomaly.window: "302": want a whole number from 5 to 301`,
		"{quantity: q, warmup: 62}":     `f:4: rules[0].anomaly.warmup: "62": want a whole number from 3 to 61`,
		"{quantity: q, deviations: 0}":  "f:4: rules[0].anomaly.deviations: 0: want 0.1 to 1000",
		"{quantity: q, clear: 5}":       "f:4: rules[0].anomaly.clear: 5 is more than the 4 deviations that raise an alert: want at most these",
		"{quantity: q, floor: -1}":      "f:4: rules[0].anomaly.floor: -1: want 0 to 1.7976931348623157e+308",
		"{quantity: q, floor: .nan}":    `f:4: rules[0].anomaly.floor: ".nan": want a number`,
		"{quantity: q, mesage: x}":      "f:4: rules[0].anomaly.mesage: no such key: did you mean message?",
		"{quantity: q, message: " + strings.Repeat("x", 1025) + "}": "f:4: rules[0].anomaly.message: want at most 1024 bytes without NUL",
		"{quantity: q, method: ewma, window: 9999, warmup: 10000}":  "",
	} {
		expectMistakes(t, "anomaly: "+text, want)
	}
}

// expectMistakes parses a set of one rule; an empty want is none.
func expectMistakes(t *testing.T, kind, want string) {
	t.Helper()
	_, err := Parse("f", []byte("version: 1\nrules:\n  - name: a\n    "+kind+"\n"))
	got := ""
	if err != nil {
		got = err.Error()
	}
	if got != want {
		t.Errorf("%s:\ngot  %s\nwant %s", kind, got, want)
	}
}
