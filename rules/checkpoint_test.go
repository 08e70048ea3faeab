package rules

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"holdfast"
)

const twoRules = "  - {name: a, threshold: {sensor: a, quantity: temperature_celsius, above: 1}}\n  - {name: b, aggregate: {sensor: b, window: 1h, functions: [sum]}}\n"

// stored keeps what a checkpoint changed, and returns the names of what did.
func stored(t *testing.T, e *Engine, in map[string][]byte) string {
	t.Helper()
	changed, err := e.Checkpoint()
	if err != nil {
		t.Error(err)
	}
	var said []string
	for _, name := range slices.Sorted(maps.Keys(changed)) {
		if changed[name] == nil {
			name, in[name] = "-"+name, nil
			delete(in, name[1:])
		} else {
			in[name] = changed[name]
		}
		said = append(said, name)
	}
	return strings.Join(said, " ")
}

// A checkpoint says what changed: rules at work whose state is another one, and rules that are gone.
func TestCheckpointSaysWhatChanged(t *testing.T) {
	t.Parallel()
	in := make(map[string][]byte)
	e := engine(t, 1, twoRules)
	says := func(what, want string) {
		t.Helper()
		if got := stored(t, e, in); got != want {
			t.Errorf("%s: %q, want %q", what, got, want)
		}
	}
	says("nothing happened", "")
	e.Apply(reading(instant(0), "a", 2), instant(0))
	says("an alert", "a")
	e.Tick(instant(1))
	says("a tick that does nothing", "")
	e.Apply(reading(instant(2), "b", 2), instant(2))
	says("a window", "b")
	e.Apply(reading(instant(3), "a", 0), instant(3))
	says("the alert is over", "a") // and stays as an empty part, should damage bring the one before back
	e.Apply(reading(instant(4), "c", 0), instant(4))
	says("of no rule", "")

	e = engine(t, 1, twoRules)
	if records, err := e.Restore(in, instant(5)); err != nil || records != nil {
		t.Fatal(records, err)
	}
	says("after a restart", "a b") // once: it does not know that they are there
	says("and again", "")

	e = engine(t, 2, "  - {name: a, threshold: {sensor: a, quantity: temperature_celsius, above: 1}}\n")
	records, err := e.Restore(in, instant(6))
	if err != nil || len(records) != 1 {
		t.Errorf("%d records, %v; want the window of the rule that is gone", len(records), err)
	}
	says("a rule is gone", "a -b")
	if len(in) != 1 {
		t.Errorf("%d parts are kept", len(in))
	}
	e.rules[0].off = true
	e.rules[0].written = false
	says("a rule is off", "-a")
}

// Each part stands alone: one that is damaged, missing or of an earlier boot does nothing to the others.
func TestPartsStandAlone(t *testing.T) {
	t.Parallel()
	first, second := make(map[string][]byte), make(map[string][]byte)
	e := engine(t, 1, twoRules)
	e.Apply(reading(instant(0), "a", 2), instant(0))
	e.Apply(reading(instant(0), "b", 2), instant(0))
	stored(t, e, first)
	later := instant(1)
	later.Boot, later.Mono = "boot-2", 5e6
	e = engine(t, 1, twoRules)
	if records, err := e.Restore(first, later); err != nil || len(records) != 1 {
		t.Fatal(records, err)
	}
	e.Apply(reading(later, "b", 3), later)
	stored(t, e, second)
	for name, parts := range map[string]map[string][]byte{
		"one is of the boot before": {"a": second["a"], "b": first["b"]},
		"both are of this one":      second,
		"one is missing":            {"b": first["b"]},
		"one is damaged":            {"a": []byte("{"), "b": first["b"]},
		"one is another's":          {"a": first["b"], "b": first["b"]},
		"one is of a later version": {"a": []byte(`{"v":2,"name":"a"}`), "b": first["b"]},
	} {
		e := engine(t, 1, twoRules)
		records, err := e.Restore(parts, later)
		if bad := strings.Contains(name, "damaged") || strings.Contains(name, "another") || strings.Contains(name, "version"); bad != (err != nil) {
			t.Errorf("%s: %v", name, err)
		}
		partial := 1
		if name == "both are of this one" {
			partial = 0
		}
		if len(records) != partial {
			t.Errorf("%s: %d records, want %d", name, len(records), partial)
		}
	}
}

// A part that is too long for a store is left out, with the reason; what the store had of it goes.
func TestPartIsBounded(t *testing.T) {
	t.Parallel()
	e := engine(t, 1, "  - {name: big, aggregate: {quantities: [temperature_celsius], sliding: 24h, every: 24m, functions: [mean]}}\n")
	in := make(map[string][]byte)
	e.Apply(reading(instant(0), "s", 1), instant(0))
	if got := stored(t, e, in); got != "big" {
		t.Fatalf("%q changed", got)
	}
	for i := range 60 {
		for s := range 999 {
			at := instant(i * 24 * 60)
			e.Apply(reading(at, fmt.Sprint("s", s), float64(i)), at)
		}
	}
	changed, err := e.Checkpoint()
	if part, ok := changed["big"]; !ok || part != nil || err == nil || !strings.Contains(err.Error(), "rule big") {
		t.Errorf("%d parts, one of %d bytes, %v", len(changed), len(part), err)
	}
}

// A checkpoint that holds all rules in one comes over.
func TestPartsOfOneCheckpoint(t *testing.T) {
	t.Parallel()
	e := engine(t, 4, twoRules)
	parts, err := Parts([]byte(`{"v":1,"boot":"boot-1","version":3,"rules":[
		{"name":"a","kind":"threshold","program":` + definition(t, e, 0) + `,"sensors":{"a":{"since":{"time":"2026-05-01T12:00:00Z","mono":1},"id":"a1","peak":2}}},
		{"name":"gone","kind":"aggregate","program":{"sensor":"s","window":60000000000,"functions":["mean"]},"sensors":{}}]}`))
	if err != nil || len(parts) != 2 {
		t.Fatal(parts, err)
	}
	if _, err := e.Restore(parts, instant(1)); err != nil {
		t.Fatal(err)
	}
	changed, err := e.Checkpoint()
	if gone, ok := changed["gone"]; err != nil || !ok || gone != nil || !strings.Contains(string(changed["a"]), `"a1"`) {
		t.Errorf("%s, %v", changed, err)
	}
	for _, bad := range []string{"", "x", `{"v":2}`} {
		if _, err := Parts([]byte(bad)); err == nil {
			t.Errorf("%q: no error", bad)
		}
	}
}

func definition(t *testing.T, e *Engine, i int) string {
	t.Helper()
	data, err := json.Marshal(e.rules[i].program)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// A part says what json.Marshal would.
func TestPartIsJSON(t *testing.T) {
	t.Parallel()
	for _, p := range []part{
		{V: 1, Boot: `b"`, Version: 7, Name: "a", Kind: "k", Program: json.RawMessage(`{"x":[1]}`), Sensors: map[string]json.RawMessage{}, Actions: []Action{{Kind: ActionOutput, Output: "fan"}}, Raised: []raising{{}}},
		{V: 1, Boot: "b", Program: json.RawMessage("{}"), Sensors: map[string]json.RawMessage{"s-2": json.RawMessage("1"), "s1": json.RawMessage("{}"), "": json.RawMessage("null")}},
	} {
		got, err := p.encode()
		want, failed := json.Marshal(p)
		var a, b map[string]any
		failed = errors.Join(failed, json.Unmarshal(got, &a), json.Unmarshal(want, &b))
		if err != nil || failed != nil || !reflect.DeepEqual(a, b) || strings.Count(string(got), `"program"`) != 1 {
			t.Errorf("%s, want %s; %v, %v", got, want, err, failed)
		}
	}
}

// A part with many panes is written when its rule has made a record, and every ten seconds; all of it is there when it has to be.
func TestLargePartsWait(t *testing.T) {
	t.Parallel()
	const rules = "  - {name: large, aggregate: {sensor: s, sliding: 1h, every: 30s, functions: [p50, p95]}}\n  - {name: small, aggregate: {sensor: s, sliding: 1h, every: 30s, functions: [sum]}}\n"
	e := engine(t, 1, rules)
	values := map[string]float64{}
	for i := range 8 {
		values[fmt.Sprintf("q%d_celsius", i)] = 1
	}
	parts := make(map[string][]byte)
	writes, told := 0, 0
	second := 0
	step := func() []holdfast.Record {
		second++
		for q := range values {
			values[q] = float64(second % 97)
		}
		at := instant(second)
		return e.Apply(&holdfast.Reading{Time: at.Time, Mono: at.Mono, Sensor: "s", Values: values}, at)
	}
	for range 1200 {
		records := step()
		changed, err := e.Changes()
		if err != nil {
			t.Fatal(err)
		}
		if changed["small"] == nil {
			t.Fatalf("second %d: the small part is not written", second)
		}
		maps.Copy(parts, changed)
		if second <= 600 {
			continue
		}
		if len(records) > 0 {
			told++
			if changed["large"] == nil {
				t.Errorf("second %d: a record came of the large part, and it is not written", second)
			}
		}
		if changed["large"] != nil {
			writes++
		}
	}
	if len(parts["large"]) < largePart || told < 15 || writes < 600/10 || writes > 600/10+told+1 {
		t.Errorf("%d bytes, %d writes and %d records in 600 s, want a write for each record and every 10 s", len(parts["large"]), writes, told)
	}
	step()
	changed, err := e.Checkpoint()
	if err != nil || changed["large"] == nil {
		t.Errorf("a whole checkpoint lacks the large part, %v", err)
	}
	maps.Copy(parts, changed)
	next := engine(t, 1, rules)
	if _, err := next.Restore(parts, instant(second)); err != nil {
		t.Fatal(err)
	}
	for range 100 {
		second++
		at := instant(second)
		r := &holdfast.Reading{Time: at.Time, Mono: at.Mono, Sensor: "s", Values: map[string]float64{"q0_celsius": float64(second % 7)}}
		if got, want := lines(next.Apply(r, at)), lines(e.Apply(r, at)); !slices.Equal(got, want) {
			t.Fatalf("second %d: %q after a restart, want %q", second, got, want)
		}
	}
}
