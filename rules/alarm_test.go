package rules

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"holdfast"
)

// Each comparator, at its limit and on both sides of it. The words say what the reading does to an alert: r raises, c
// clears, - neither.
func TestComparators(t *testing.T) {
	t.Parallel()
	tests := []struct {
		rule   string
		values []float64
		want   string
	}{
		{"above: 0", []float64{-1, 0, 0.1, 0}, "--rc"},
		{"below: 0", []float64{1, 0, -0.1, 0}, "--rc"},
		{"at_least: 0", []float64{-0.1, 0, 0.1, 0, -0.1}, "-r--c"},
		{"at_least: 0, clear: -2", []float64{0, -1, -2}, "r-c"},
		{"at_least: 5, clear: 5", []float64{5, 4.9}, "rc"},
		{"at_most: -5", []float64{-4.9, -5, -6, -5, -4.9}, "-r--c"},
		{"at_most: -5, clear: -3", []float64{-5, -4, -3}, "r-c"},
		{"equal: 0", []float64{1, 0, 0, -1}, "-r-c"},
		{"not_equal: 0", []float64{0, 1, -1, 0}, "-r-c"},
		{"between: [-1, 1]", []float64{-2, -1, 0, 1, 2}, "-r--c"},
		{"outside: [-1, 1]", []float64{-1, 1, 1.5, -1.5, 1}, "--r-c"},
	}
	for _, tt := range tests {
		e := engine(t, 1, "  - {name: r, threshold: {quantity: temperature_celsius, "+tt.rule+"}}\n")
		got := ""
		for i, v := range tt.values {
			got += short(e.Apply(reading(instant(i), "s", v), instant(i)))
		}
		if got != tt.want {
			t.Errorf("%s: %v make %s, want %s", tt.rule, tt.values, got, tt.want)
		}
	}
}

// short writes alerts as one letter each, and - for none.
func short(records []holdfast.Record) string {
	got := ""
	for _, r := range records {
		got += string(r.(*holdfast.Alert).State[0])
	}
	if got == "" {
		return "-"
	}
	return got
}

// An alert of a band names the end of it that is nearer to the peak.
func TestThresholdOfBand(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ v, want float64 }{{1, 2}, {9, 8}} {
		e := engine(t, 1, "  - {name: r, threshold: {quantity: temperature_celsius, outside: [2, 8]}}\n")
		alert := e.Apply(reading(instant(0), "s", tt.v), instant(0))[0].(*holdfast.Alert)
		if alert.Threshold != tt.want {
			t.Errorf("%v: threshold %v, want %v", tt.v, alert.Threshold, tt.want)
		}
	}
}

// A latched alert stays until somebody has acknowledged it and the value is back, in whichever order.
func TestLatch(t *testing.T) {
	t.Parallel()
	const rule = "  - {name: r, threshold: {quantity: temperature_celsius, above: 26, clear: 25, latch: true}}\n"
	acknowledge := func(e *Engine, id string, second int) string {
		records, err := e.Acknowledge(id, "ann", instant(second))
		if err != nil {
			t.Fatal(err)
		}
		return short(records)
	}
	apply := func(e *Engine, second int, v float64) string {
		return short(e.Apply(reading(instant(second), "s", v), instant(second)))
	}

	e := engine(t, 1, rule)
	got := apply(e, 0, 27) + apply(e, 1, 20) + apply(e, 2, 25.5)
	again := engine(t, 1, rule)
	restarted(t, e, again, instant(3))
	got += acknowledge(again, "a1", 3)
	if want := "r--ac"; got != want {
		t.Errorf("back, then acknowledged: %s, want %s", got, want)
	}

	e = engine(t, 1, rule)
	got = apply(e, 0, 27) + acknowledge(e, "a1", 1) + acknowledge(e, "a1", 2) + apply(e, 3, 20) + apply(e, 4, 27)
	if want := "ra-cr"; got != want {
		t.Errorf("acknowledged, then back: %s, want %s", got, want)
	}

	e = engine(t, 1, rule)
	got = apply(e, 0, 27) + apply(e, 1, 20) + apply(e, 2, 28) + acknowledge(e, "a1", 3) + apply(e, 4, 25.5) + apply(e, 5, 25)
	if want := "r--a-c"; got != want {
		t.Errorf("beyond again before it is acknowledged: %s, want %s", got, want)
	}
}

func TestAcknowledge(t *testing.T) {
	t.Parallel()
	e := engine(t, 1, "  - {name: r, threshold: {quantity: temperature_celsius, above: 26}}\n")
	e.Apply(reading(instant(0), "s", 27), instant(0))
	for _, tt := range []struct{ id, by, want string }{
		{"a2", "ann", `no such alert is raised`},
		{"", "ann", `no such alert is raised`},
		{"a1", "", "want 1 to 64 bytes"},
		{"a1", strings.Repeat("a", 65), "want 1 to 64 bytes"},
	} {
		if records, err := e.Acknowledge(tt.id, tt.by, instant(1)); err == nil || !strings.Contains(err.Error(), tt.want) || records != nil {
			t.Errorf("%q by %q: %v, %v, want %q", tt.id, tt.by, records, err, tt.want)
		}
	}
	records, err := e.Acknowledge("a1", "ann", instant(1))
	if err != nil || len(records) != 1 {
		t.Fatalf("got %v, %v", records, err)
	}
	if a := records[0].(*holdfast.Alert); a.State != holdfast.Acknowledged || a.By != "ann" || a.ID != "a1" {
		t.Errorf("got %+v", a)
	}
}

// A reboot ends a cooldown, a restart does not.
func TestCooldownRestart(t *testing.T) {
	t.Parallel()
	const rule = "  - {name: r, threshold: {quantity: temperature_celsius, above: 26, cooldown: 1m}}\n"
	before := engine(t, 1, rule)
	before.Apply(reading(instant(0), "s", 27), instant(0))
	before.Apply(reading(instant(1), "s", 20), instant(1))
	same, boot := engine(t, 1, rule), engine(t, 1, rule)
	restarted(t, before, same, instant(2))
	expect(t, "restart", lines(same.Apply(reading(instant(60), "s", 27), instant(60))))
	expect(t, "its end", lines(same.Tick(instant(61))), "12:01:31 a1 r v1 raised s value 27 peak 27 since 12:01:30")
	at := instant(3)
	at.Boot, at.Mono = "boot-2", 1e6
	restarted(t, before, boot, at)
	expect(t, "reboot", lines(boot.Apply(reading(at, "s", 27), at)), "12:00:33 a1 r v1 raised s value 27 peak 27 since 12:00:33")
}

// Against a model that looks at all values so far and knows comparators as the language has them.
func TestAlarmModel(t *testing.T) {
	t.Parallel()
	beyond := map[string]func(v float64) bool{
		"above: 1":                           func(v float64) bool { return v > 1 },
		"above: 1, clear: -1":                func(v float64) bool { return v > 1 },
		"at_most: -1":                        func(v float64) bool { return v <= -1 },
		"at_most: -1, clear: 1":              func(v float64) bool { return v <= -1 },
		"equal: 0":                           func(v float64) bool { return v == 0 },
		"not_equal: 0":                       func(v float64) bool { return v != 0 },
		"between: [-1, 1], clear: [-2, 2]":   func(v float64) bool { return -1 <= v && v <= 1 },
		"outside: [-1, 1], clear: [0, 0.25]": func(v float64) bool { return v < -1 || v > 1 },
	}
	back := map[string]func(v float64) bool{
		"above: 1":                           func(v float64) bool { return v <= 1 },
		"above: 1, clear: -1":                func(v float64) bool { return v <= -1 },
		"at_most: -1":                        func(v float64) bool { return v > -1 },
		"at_most: -1, clear: 1":              func(v float64) bool { return v >= 1 },
		"equal: 0":                           func(v float64) bool { return v != 0 },
		"not_equal: 0":                       func(v float64) bool { return v == 0 },
		"between: [-1, 1], clear: [-2, 2]":   func(v float64) bool { return v <= -2 || v >= 2 },
		"outside: [-1, 1], clear: [0, 0.25]": func(v float64) bool { return 0 <= v && v <= 0.25 },
	}
	rules := slices.Sorted(maps.Keys(beyond))
	rapid.Check(t, func(t *rapid.T) {
		rule := rapid.SampledFrom(rules).Draw(t, "rule")
		hold, cool := rapid.IntRange(0, 4).Draw(t, "for"), rapid.IntRange(0, 6).Draw(t, "cooldown")
		text := fmt.Sprintf("version: 1\nrules:\n  - {name: r, threshold: {quantity: temperature_celsius, %s, for: %ds, cooldown: %ds}}\n", rule, hold, cool)
		set, err := Parse("test", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		e := New(set, Options{})
		begun, cleared, raised := -1, -1000, false // seconds
		for second := range rapid.IntRange(1, 60).Draw(t, "seconds") {
			at := instant(second)
			at.Time = at.Time.Add(time.Duration(rapid.IntRange(-1000, 1000).Draw(t, "step")) * time.Second) // of no effect
			if rapid.Bool().Draw(t, "restart") {
				data, err := whole(e)
				if err != nil {
					t.Fatal(err)
				}
				e = New(set, Options{})
				if records, err := restore(e, data, at); err != nil || records != nil {
					t.Fatal(records, err)
				}
			}
			got, want := "", ""
			if rapid.IntRange(0, 3).Draw(t, "reading") > 0 {
				v := float64(rapid.IntRange(-12, 12).Draw(t, "v")) / 4
				got = short(e.Apply(reading(at, "s", v), at))
				switch {
				case raised && back[rule](v):
					raised, begun, cleared, want = false, -1, second, "c"
				case !raised && !beyond[rule](v):
					begun = -1
				case begun < 0:
					begun = second
				}
			} else {
				got = short(e.Tick(at))
			}
			if !raised && begun >= 0 && second >= begun+hold && second >= cleared+cool {
				raised, want = true, "r"
			}
			if want == "" {
				want = "-"
			}
			if got != want {
				t.Fatalf("%s for %d cooldown %d, second %d: %s, want %s", rule, hold, cool, second, got, want)
			}
		}
	})
}
