package rules

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"holdfast"
)

// derived writes what an engine makes of a reading of the given quantities: each derived value, and what failed.
func derived(t *testing.T, rules string, sensor string, values map[string]float64) string {
	t.Helper()
	set, err := Parse("f", []byte("version: 1\nrules:\n"+rules))
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	e := New(set, Options{Broken: func(rule string, err error) { out = append(out, rule+": "+err.Error()) }})
	at := instant(0)
	for _, record := range e.Apply(&holdfast.Reading{Time: at.Time, Mono: at.Mono, Sensor: sensor, Values: values}, at) {
		if err := record.Validate(); err != nil {
			t.Error(err)
		}
		for name, v := range record.(*holdfast.Reading).Values {
			out = append(out, fmt.Sprintf("%s=%.5g", name, v))
		}
	}
	return strings.Join(out, " ")
}

func TestExpressionDerive(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"7 / 2":                            "d=3.5",
		"9223372036854775807 + 1":          "d=9.2234e+18",
		"-a ** 2":                          "d=-4",
		"a ^ 2 - b":                        "d=4",
		"a < b ? 1 : -1":                   "d=1",
		"a < 0 and b == 0 ? 10 : 20":       "d=10",
		"not (a < 0) || !(b >= 0) ? 1 : 2": "d=2",
		"abs(a) + ceil(0.2) + floor(0.7) + round(2.5)":     "d=6",
		"max(a, b) + min(a, 1)":                            "d=-2",
		"sqrt(4) + exp(0) + ln(exp(1)) + log10(1000)":      "d=7",
		`sensor startsWith "bme" ? 1 : 0`:                  "d=1",
		`sensor endsWith "x" or sensor contains "-1-"?1:0`: "d=1",
		// Magnus: dew point of 20 °C at 50 %.
		"243.12 * (ln(h / 100) + 17.62 * c / (243.12 + c)) / (17.62 - ln(h / 100) - 17.62 * c / (243.12 + c))": "d=9.2552",
		// Nothing is derived from what is not there, and what no number is is a failure.
		"missing + 1":         "",
		"nan + 1":             "",
		"a < 0 ? a : missing": "",
		"1 / b":               "r: the result is no number that can be stored: +Inf",
		"ln(b)":               "r: the result is no number that can be stored: -Inf",
		"sqrt(a)":             "r: the result is no number that can be stored: NaN",
	} {
		rule := fmt.Sprintf("  - {name: r, expression: {derive: d, value: '%s'}}\n", text)
		values := map[string]float64{"a": -2, "b": 0, "c": 20, "h": 50, "nan": math.NaN()}
		if got := derived(t, rule, "bme280-1-76", values); got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
	if got := derived(t, "  - {name: r, expression: {sensor: s, derive: d, value: '1'}}\n", "unknown", map[string]float64{"a": 1}); got != "" {
		t.Errorf("unknown sensor: %q", got)
	}
}

// What is derived from a suspect value is suspect; from a bad one nothing is. Time and clock are those of the reading.
func TestExpressionQuality(t *testing.T) {
	t.Parallel()
	e := engine(t, 1, "  - {name: r, expression: {derive: d, value: temperature_celsius * 2}}\n")
	at := instant(3)
	at.Synchronized = false
	r := reading(at, "s", 21)
	for quality, want := range map[holdfast.Quality]int{holdfast.Good: 1, holdfast.Suspect: 1, holdfast.Bad: 0} {
		r.Quality = map[string]holdfast.Quality{"temperature_celsius": quality}
		records := e.Apply(r, at)
		if len(records) != want {
			t.Fatalf("%s: %d records, want %d", quality, len(records), want)
		}
		if want == 0 {
			continue
		}
		d := records[0].(*holdfast.Reading)
		if (d.Quality["d"] == holdfast.Suspect) != (quality == holdfast.Suspect) || d.Values["d"] != 42 || !d.Time.Equal(r.Time) || d.Mono != r.Mono || *d.Clock != *r.Clock || d.Sensor != "s" {
			t.Errorf("%s: %+v of %+v", quality, d, r)
		}
	}
}

// A derived reading goes through the rules behind, not through those before; and not for ever.
func TestExpressionChain(t *testing.T) {
	t.Parallel()
	chain := `
  - {name: early, expression: {derive: e, value: d + 1}}
  - {name: first, expression: {derive: d, value: a + 1}}
  - {name: second, expression: {derive: f, value: d * 10}}
`
	if got, want := derived(t, chain, "s", map[string]float64{"a": 1}), "d=2 f=20"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	limit := "  - {name: d, expression: {derive: d, value: a + 1}}\n  - {name: t, threshold: {quantity: d, above: 1}}\n"
	e := engine(t, 1, limit)
	at := instant(0)
	if got := e.Apply(&holdfast.Reading{Time: at.Time, Mono: at.Mono, Sensor: "s", Values: map[string]float64{"a": 1}}, at); len(got) != 2 {
		t.Errorf("%d records, want the derived reading and its alert", len(got))
	}
	var many strings.Builder
	for i := range 100 {
		fmt.Fprintf(&many, "  - {name: r%d, expression: {derive: d%d, value: '1'}}\n", i, i)
	}
	got := derived(t, many.String(), "s", map[string]float64{"a": 1})
	if n := strings.Count(got, "="); n != maxDerived || !strings.Contains(got, "more than 64 readings derived from one: s is left out") {
		t.Errorf("%d derived readings, want %d and a failure: %s", n, maxDerived, got)
	}
}

func TestExpressionFate(t *testing.T) {
	t.Parallel()
	e := engine(t, 1, `
  - {name: small, expression: {filter: "abs(temperature_celsius) > 5"}}
  - {name: odd, expression: {sensor: odd, filter: "temperature_celsius != 7"}}
  - {name: way, expression: {route: 'temperature_celsius > 30 ? "alarm" : sensor == "s" ? "slow" : "other"', routes: [alarm, slow]}}
  - {name: later, expression: {route: '"never"', routes: [never]}}
  - {name: hot, threshold: {quantity: temperature_celsius, below: 0}}
`)
	e.o.Broken = nil
	fate := func(r *holdfast.Reading) Fate {
		e.Apply(r, instant(0))
		return e.Fate()
	}
	tests := []struct {
		what string
		r    *holdfast.Reading
		want Fate
	}{
		{"goes", reading(instant(0), "s", 31), Fate{Withheld: "", Route: "alarm"}},
		{"zero is a value", reading(instant(0), "s", 0), Fate{Withheld: "small", Route: "slow"}},
		{"negative", reading(instant(0), "s", -6), Fate{Withheld: "", Route: "slow"}},
		{"NaN is left alone", reading(instant(0), "s", math.NaN()), Fate{Withheld: "", Route: "never"}},
		{"another sensor's rule, a way that is not listed", reading(instant(0), "odd", 7), Fate{Withheld: "odd", Route: "never"}},
		{"missing", &holdfast.Reading{Time: noon, Sensor: "s", Values: map[string]float64{"humidity_percent": 1}}, Fate{Withheld: "", Route: "never"}},
	}
	for _, tt := range tests {
		if got := fate(tt.r); got != tt.want {
			t.Errorf("%s: %+v, want %+v", tt.what, got, tt.want)
		}
	}
	if got := e.Failures(); len(got) != 1 || got["way"] != 1 {
		t.Errorf("failures %v, want one of way", got)
	}
	if got := explained(e.Apply(reading(instant(1), "x", -1), instant(1))); len(got) != 1 || e.Fate().Withheld != "small" {
		t.Errorf("a withheld reading raises %q, want an alert", got)
	}

	// What is derived can be withheld by itself, which is not held against the reading.
	e = engine(t, 1, "  - {name: d, expression: {derive: d, value: temperature_celsius + 1}}\n  - {name: f, expression: {filter: d > 10}}\n")
	if got := e.Apply(reading(instant(0), "s", 3), instant(0)); len(got) != 0 || e.Fate().Withheld != "" {
		t.Errorf("%d records, fate %+v, want the derived one left out and the reading not", len(got), e.Fate())
	}
	if got := e.Apply(reading(instant(0), "s", 30), instant(0)); len(got) != 1 {
		t.Errorf("%d records, want the derived one", len(got))
	}
	if data, _ := whole(e); strings.Contains(string(data), "expression") {
		t.Errorf("an expression remembers %s", data)
	}
}

func TestParseExpression(t *testing.T) {
	t.Parallel()
	const calls = "abs, ceil, exp, floor, ln, log10, max, min, round, sqrt"
	for text, want := range map[string]string{
		"{}": "f:4: rules[0].expression: 0 uses: want one of derive (with value), filter, route (with routes)",
		"{derive: d, value: '1', filter: 'true'}": "f:4: rules[0].expression: 2 uses: want one of derive (with value), filter, route (with routes)",
		"{derive: d}":                      "f:4: rules[0].expression.value: is missing",
		"{derive: D, value: '1'}":          `f:4: rules[0].expression.derive: invalid quantity: "D": want a letter a-z, then at most 63 of a-z 0-9 _`,
		"{derive: d, value: d + 1}":        "f:4: rules[0].expression.derive: d is what it is made from: want a new name",
		"{filter: a + 1}":                  "f:4: rules[0].expression.filter: expected bool, but got float64",
		"{derive: d, value: a > 1}":        "f:4: rules[0].expression.value: expected float64, but got bool",
		"{filter: 'a > '}":                 "f:4: rules[0].expression.filter: unexpected token EOF, at line 1, column 4 of the expression",
		"{filter: 'a and b'}":              "f:4: rules[0].expression.filter: invalid operation: and (mismatched types float64 and float64), at line 1, column 3 of the expression",
		"{filter: 'a > sensor'}":           "f:4: rules[0].expression.filter: invalid operation: > (mismatched types float64 and string), at line 1, column 3 of the expression",
		"{filter: 'Big > 1'}":              `f:4: rules[0].expression.filter: invalid quantity: "Big": want a letter a-z, then at most 63 of a-z 0-9 _`,
		"{filter: 'ln(a, b) > 1'}":         "f:4: rules[0].expression.filter: too many arguments to call ln, at line 1, column 1 of the expression",
		"{filter: 'len(sensor) > 1'}":      "f:4: rules[0].expression.filter: len: no such function: want one of " + calls,
		"{filter: 'exec(1)'}":              "f:4: rules[0].expression.filter: exec: no such function: want one of " + calls,
		"{filter: 'a % 2 > 1'}":            "f:4: rules[0].expression.filter: %: no such operator: want one of + - * / ** ^ == != < <= > >= and && or || not ! contains startsWith endsWith",
		"{filter: 'sensor matches \"a\"'}": "f:4: rules[0].expression.filter: matches: no such operator: want one of + - * / ** ^ == != < <= > >= and && or || not ! contains startsWith endsWith",
		"{route: sensor}":                  "f:4: rules[0].expression.routes: is missing: want the names that the expression can give",
		"{route: sensor, routes: [A]}":     `f:4: rules[0].expression.routes[0]: "A": want 1 to 64 of a-z 0-9 _ -`,
	} {
		expectMistakes(t, "expression: "+text, want)
	}
}

func TestAgainst(t *testing.T) {
	t.Parallel()
	set, err := Parse("f", []byte(`
version: 1
rules:
  - {name: a, threshold: {quantity: temperatur_celsius, above: 1}}
  - {name: b, threshold: {quantity: dew_point_celsius, above: 1}}
  - {name: c, expression: {sensor: "bme280-*", derive: dew_point_celsius, value: temperature_celsius - humidity_percent}}
  - {name: d, trend: {quantity: dew_point_celsius, window: 1m, rise: 1, per: 1m}}
  - {name: e, anomaly: {sensor: "scd30-*", quantity: co2_ppm}}
  - {name: f, anomaly: {sensor: "bmp180-*", quantity: dew_point_celsius}}
  - {name: g, aggregate: {window: 1m, functions: [mean], quantities: [temperature_celsius]}}
`))
	if err != nil {
		t.Fatal(err)
	}
	catalog := &holdfast.Catalog{Sensors: []holdfast.CatalogSensor{
		{Name: "bme280-1-76", Quantities: []holdfast.Quantity{{Name: "temperature_celsius"}, {Name: "humidity_percent"}}},
		{Name: "bmp180-1-77", Quantities: []holdfast.Quantity{{Name: "temperature_celsius"}}},
	}}
	want := `rule a: no sensor * measures temperatur_celsius: did you mean temperature_celsius?
rule b: no sensor * measures dew_point_celsius
rule e: there is no sensor scd30-*
rule f: no sensor bmp180-* measures dew_point_celsius`
	if err := set.Against(catalog); err == nil || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
}
