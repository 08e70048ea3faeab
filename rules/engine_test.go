package rules

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"holdfast"
)

// noon is when the tests begin: half a minute past a whole one, 1000 s after boot.
var noon = time.Date(2026, 5, 1, 12, 0, 30, 0, time.UTC)

// instant is so many seconds behind noon.
func instant(seconds int) holdfast.Instant {
	d := time.Duration(seconds) * time.Second
	return holdfast.Instant{Time: noon.Add(d), Boot: "boot-1", Mono: (1000*time.Second + d).Microseconds(), Synchronized: true}
}

func reading(at holdfast.Instant, sensor string, celsius float64) *holdfast.Reading {
	return &holdfast.Reading{Time: at.Time, Mono: at.Mono, Clock: at.Clock(), Sensor: sensor, Values: map[string]float64{"temperature_celsius": celsius}}
}

// engine returns an engine over the rules of a YAML text, whose alerts are named a1, a2 and so on.
func engine(t *testing.T, version int, rules string) *Engine {
	t.Helper()
	set, err := Parse("test", fmt.Appendf(nil, "version: %d\nrules:\n%s", version, rules))
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	return New(set, Options{
		NewID:  func() string { n++; return fmt.Sprint("a", n) },
		Broken: func(rule string, err error) { t.Errorf("rule %s: %v", rule, err) },
	})
}

// whole returns all that an engine remembers in one text, as gateways wrote it before; restore takes it over.
func whole(e *Engine) ([]byte, error) {
	_, err := e.Checkpoint()
	out := struct {
		V       int               `json:"v"`
		Boot    string            `json:"boot"`
		Version int               `json:"version"`
		Rules   []json.RawMessage `json:"rules,omitempty"`
	}{V: 1, Boot: e.boot, Version: e.set.Version}
	for _, name := range slices.Sorted(maps.Keys(e.stored)) {
		out.Rules = append(out.Rules, e.stored[name])
	}
	data, failed := json.Marshal(out)
	return data, errors.Join(err, failed)
}

func restore(e *Engine, data []byte, at holdfast.Instant) ([]holdfast.Record, error) {
	parts, err := Parts(data)
	if err != nil {
		return nil, err
	}
	return e.Restore(parts, at)
}

// restarted hands what e remembers to another engine.
func restarted(t *testing.T, e, into *Engine, at holdfast.Instant) []string {
	t.Helper()
	data, err := whole(e)
	if err != nil {
		t.Fatal(err)
	}
	records, err := restore(into, data, at)
	if err != nil {
		t.Fatal(err)
	}
	return lines(records)
}

// lines writes records as one line each.
func lines(records []holdfast.Record) []string {
	var out []string
	for _, record := range records {
		switch r := record.(type) {
		case *holdfast.Alert:
			out = append(out, fmt.Sprintf("%s %s %s v%d %s %s value %v peak %v since %s%s", clock(r.Time), r.ID, r.Rule, r.RuleVersion, r.State, r.Sensor, r.Value, r.Peak, clock(r.Since), guess(r.Clock)))
		case *holdfast.Aggregate:
			values, _ := json.Marshal(r.Values)
			partial := ""
			if r.Partial {
				partial = " partial"
			}
			out = append(out, fmt.Sprintf("%s-%s %s v%d [%s] %s count %d%s%s", clock(r.From), clock(r.To), r.Rule, r.RuleVersion, r.Group, strings.ReplaceAll(string(values), "temperature_celsius_", ""), r.Count, partial, guess(r.Clock)))
		}
	}
	return out
}

func clock(t time.Time) string { return t.Format("15:04:05.999999") }

func guess(c *holdfast.Clock) string {
	if c == nil {
		return ""
	}
	return fmt.Sprintf(" guess %s+%v", c.Boot, micros(c.Mono))
}

func expect(t *testing.T, when string, got []string, want ...string) {
	t.Helper()
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("%s:\ngot  %s\nwant %s", when, strings.Join(got, "\n     "), strings.Join(want, "\n     "))
	}
}

// failing is a rule that fails in whichever way the reading says.
type failing struct{}

func (failing) watches() pattern { return "*" }
func (failing) begin() memory    { return failing{} }
func (failing) apply(_ origin, r *holdfast.Reading, at holdfast.Instant) []holdfast.Record {
	if r.Values["temperature_celsius"] == 0 {
		panic("zero")
	}
	return []holdfast.Record{&holdfast.Alert{Time: at.Time}}
}
func (failing) tick(origin, holdfast.Instant) []holdfast.Record   { return nil }
func (failing) reboot(origin, holdfast.Instant) []holdfast.Record { return nil }
func (failing) retire(origin, holdfast.Instant) []holdfast.Record { return nil }

// A rule that fails is reported once, counted, and stops no other.
func TestBrokenRule(t *testing.T) {
	t.Parallel()
	set, err := Parse("test", []byte("version: 1\nrules:\n  - {name: good, threshold: {quantity: temperature_celsius, above: -1}}\n"))
	if err != nil {
		t.Fatal(err)
	}
	set.rules = append([]rule{{name: "bad", kind: "threshold", program: failing{}}}, set.rules...)
	var reports []string
	e := New(set, Options{NewID: func() string { return "id" }, Broken: func(rule string, err error) { reports = append(reports, rule+": "+err.Error()) }})

	for i, celsius := range []float64{-5, -5, 0, 0} {
		at := instant(i)
		got := e.Apply(reading(at, "s", celsius), at)
		if want := 0; celsius == 0 && i == 2 {
			want = 1
			if len(got) != want {
				t.Errorf("reading %d: %d records, want %d", i, len(got), want)
			}
		}
	}
	if len(reports) != 1 || !strings.HasPrefix(reports[0], "bad: invalid ") {
		t.Errorf("reports %q, want one of bad", reports)
	}
	if got := e.Failures(); got["bad"] != 3 || len(got) != 1 {
		t.Errorf("failures %v, want bad: 2 invalid records and 1 panic, then off", got)
	}
	if _, err := whole(e); err != nil {
		t.Error(err)
	}
}

func TestSensorsAreBounded(t *testing.T) {
	t.Parallel()
	set, _ := Parse("test", []byte("version: 1\nrules:\n  - {name: r, threshold: {quantity: temperature_celsius, above: 1}}\n"))
	var broken error
	e := New(set, Options{Broken: func(_ string, err error) { broken = err }})
	for i := range maxSensors + 1 {
		e.Apply(reading(instant(0), fmt.Sprint("s", i), 2), instant(0))
	}
	if broken == nil || len(e.rules[0].sensors) != maxSensors {
		t.Errorf("%d sensors remembered, reported %v", len(e.rules[0].sensors), broken)
	}
}

// A sum that no JSON can hold costs the checkpoint that one memory, not the rest.
func TestCheckpointOfOverflow(t *testing.T) {
	t.Parallel()
	e := engine(t, 1, `
  - {name: sums, aggregate: {window: 1m, functions: [sum]}}
  - {name: warm, threshold: {quantity: temperature_celsius, above: 26}}`)
	for range 2 {
		e.Apply(reading(instant(0), "s", math.MaxFloat64), instant(0))
	}
	data, err := whole(e)
	if err == nil || !strings.Contains(err.Error(), "rule sums, sensor s") {
		t.Errorf("error %v, want one about sums", err)
	}
	if !strings.Contains(string(data), `"warm"`) {
		t.Errorf("checkpoint %s lacks the other rule", data)
	}
}

func TestRestoreDamaged(t *testing.T) {
	t.Parallel()
	for _, data := range []string{"x", `{"v":2}`, `{"v":1,"rules":[{"name":"r","kind":"magic"}]}`, `{"v":1,"rules":[{"name":"r","kind":"aggregate","program":7}]}`,
		`{"v":1,"boot":"boot-1","rules":[{"name":"r","kind":"threshold","program":{},"sensors":{"s":7}}]}`} {
		e := engine(t, 1, "  - {name: r, threshold: {quantity: temperature_celsius, above: 26}}\n")
		if _, err := restore(e, []byte(data), instant(0)); err == nil {
			t.Errorf("%s: no error", data)
		}
		expect(t, "after "+data, lines(e.Apply(reading(instant(1), "s", 27), instant(1))), "12:00:31 a1 r v1 raised s value 27 peak 27 since 12:00:31")
	}
	if records, err := engine(t, 1, " []").Restore(nil, instant(0)); records != nil || err != nil {
		t.Errorf("no data: %v, %v", records, err)
	}

	// An alert that never began is none, also where its rule is gone.
	e := engine(t, 1, " []")
	records, err := restore(e, []byte(`{"v":1,"boot":"boot-1","rules":[{"name":"gone","kind":"threshold","program":{"quantity":"q"},"sensors":{"s":{"id":"a1"}}}]}`), instant(0))
	if records != nil || err != nil || len(e.Failures()) != 0 {
		t.Errorf("restored an alert that never began: %v, %v, failures %v", records, err, e.Failures())
	}
}

// A checkpoint is the same whether its rules were written before or not.
func TestCheckpointOfIdleRules(t *testing.T) {
	t.Parallel()
	rules := "  - {name: a, threshold: {sensor: a, quantity: temperature_celsius, above: 1}}\n  - {name: none, deadband: {absolute: 1, sensor: x}}\n  - {name: b, aggregate: {sensor: b, window: 1h, functions: [sum]}}\n"
	often, once := engine(t, 1, rules), engine(t, 1, rules)
	for i, sensor := range []string{"a", "b", "b", "a", "c"} {
		for _, e := range []*Engine{often, once} {
			e.Apply(reading(instant(i), sensor, 2), instant(i))
		}
		if _, err := whole(often); err != nil {
			t.Fatal(err)
		}
	}
	for _, e := range []*Engine{often, once} {
		e.Tick(instant(9))
		if _, err := e.Acknowledge("a1", "ann", instant(10)); err != nil {
			t.Fatal(err)
		}
	}
	got, err := whole(often)
	if err != nil {
		t.Fatal(err)
	}
	want, err := whole(once)
	if err != nil || string(got) != string(want) {
		t.Errorf("got  %s\nwant %s, %v", got, want, err)
	}
	if !json.Valid(got) || !strings.Contains(string(got), `"ann"`) {
		t.Errorf("checkpoint %s", got)
	}
	if empty, err := whole(engine(t, 1, " []")); err != nil || !json.Valid(empty) {
		t.Errorf("of nothing: %s, %v", empty, err)
	}
}
