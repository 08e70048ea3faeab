package rules

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestParseExample(t *testing.T) {
	t.Parallel()
	set, err := Parse("example.yaml", Example)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := set.Names(), []string{"warm_room", "minute"}; !slices.Equal(got, want) {
		t.Errorf("rules %q, want %q", got, want)
	}
	got := *set.rules[0].program.(*threshold)
	want := threshold{"bme280-*", alerting{Quantity: "temperature_celsius", For: 5e9, Severity: "warning", Message: "the room is warm"}, limits{Limit: 26, Clear: 25}}
	if got != want {
		t.Errorf("warm_room: %+v, want %+v", got, want)
	}
}

// Each mistake is told with its line, its key and what would be right; all of them at once.
func TestParseMistakes(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, text, want string }{
		{"empty", "", "f:1: is empty: want version and rules"},
		{"comment", "# nothing\n", "f:1: is empty: want version and rules"},
		{"not yaml", "version: 1\nrules: [\n", "f:2: not YAML: did not find expected node content"},
		{"a tab", "version: 1\nrules:\n\t- name: a\n", "f:3: not YAML: found character that cannot start any token; the line is indented with a tab: YAML is indented with spaces"},
		{"a list", "- 1\n", "f:1: a list: want a mapping"},
		{"two documents", "version: 1\nrules: []\n---\nversion: 2\n", "f:3: a second document: want one"},
		{"no version", "rules: []\n", "f:1: version: is missing: want a whole number from 1"},
		{"version zero", "version: 0\nrules: []\n", `f:1: version: "0": want a whole number from 1 to 2147483647`},
		{"no rules", "version: 1\n", "f:1: rules: want a list"},
		{"misspelt", "version: 1\nrules: []\nversoin: 2\n", "f:3: versoin: no such key: did you mean version?"},
		{"unknown", "version: 1\nrules: []\nplugins: 2\n", "f:3: plugins: no such key: want one of version, rules"},
		{"twice", "version: 1\nrules: []\nversion: 2\n", "f:3: version: stands at line 1 already"},
		{"a word for a rule", "version: 1\nrules: [cold]\n", `f:2: rules[0]: "cold": want a mapping`},
		{"no name, no kind", "version: 1\nrules:\n  - {}\n", "f:3: rules[0].name: is missing\nf:3: rules[0]: no kind: want one of " + kindNames()},
		{"misspelt kind", "version: 1\nrules:\n  - name: a\n    treshold: {}\n", "f:4: rules[0].treshold: no such key: did you mean threshold?"},
		{"same name", "version: 1\nrules:\n  - {name: a, threshold: {quantity: q, above: 1}}\n  - {name: a, threshold: {quantity: q, above: 1}}\n",
			`f:4: rules[1].name: "a" is the name of the rule at line 3 too`},
		{"two kinds", "version: 1\nrules:\n  - name: a\n    threshold: {quantity: q, above: 1}\n    aggregate: {window: 1m, functions: [sum]}\n",
			"f:5: rules[0].aggregate: a second kind beside threshold: want one for each rule"},
		{"threshold", `version: 1
rules:
  - name: a
    threshold:
      sensor: "BME*["
      quantity: Temperature
      for: 5
      severity: fatal
      clear: x
      colour: red
`, `f:5: rules[0].threshold.sensor: "BME*[" is not a glob of at most 64 characters
f:5: rules[0].threshold: no limit: want one of above, below, at_least, at_most, equal, not_equal, between, outside
f:6: rules[0].threshold.quantity: invalid quantity: "Temperature": want a letter a-z, then at most 63 of a-z 0-9 _
f:7: rules[0].threshold.for: "5": want a duration like 90s, 5m, 1h30m
f:8: rules[0].threshold.severity: invalid severity: "fatal": want one of info, warning, critical
f:9: rules[0].threshold.clear: "x": want a number
f:10: rules[0].threshold.colour: no such key: want one of sensor, quantity, for, cooldown, latch, message, severity, above, below, at_least, at_most, equal, not_equal, between, outside, clear`},
		{"by line", "plugins: 1\nrules:\n  - latch: true\n    name: A B\n    threshold: {above: 1}\nversion: x\n",
			"f:1: plugins: no such key: want one of version, rules\n" +
				"f:3: rules[0].latch: no such key: want one of name, threshold, aggregate, deadband, rate, absence, anomaly, trend, expression, schedule, actions\n" +
				"f:4: rules[0].name: invalid rule: \"A B\": want 1 to 64 of A-Z a-z 0-9 _ . -\n" +
				"f:5: rules[0].threshold.quantity: is missing\n" +
				"f:6: version: \"x\": want a whole number from 1 to 2147483647"},
		{"above and below", "version: 1\nrules:\n  - name: a\n    threshold: {quantity: q, above: 1, below: 2}\n", "f:4: rules[0].threshold: above and below: want one of them"},
		{"clear beyond above", "version: 1\nrules:\n  - name: a\n    threshold: {quantity: q, above: 1, clear: 2}\n", "f:4: rules[0].threshold.clear: 2 lies beyond the limit 1: an alert would never clear"},
		{"clear beyond below", "version: 1\nrules:\n  - name: a\n    threshold: {quantity: q, below: 1, clear: 0}\n", "f:4: rules[0].threshold.clear: 0 lies beyond the limit 1: an alert would never clear"},
		{"limits", `version: 1
rules:
  - {name: a, threshold: {quantity: q, between: [8, 2]}}
  - {name: b, threshold: {quantity: q, outside: [2, 8], clear: [1, 8]}}
  - {name: c, threshold: {quantity: q, between: [2, 8], clear: [3, 9]}}
  - {name: d, threshold: {quantity: q, equal: 1, clear: 0}}
  - {name: e, threshold: {quantity: q, outside: [2, .nan]}}
  - {name: f, threshold: {quantity: q, outside: [2, 8], clear: 5}}
  - {name: g, threshold: {quantity: q, above: [1, 2]}}
  - {name: h, threshold: {quantity: q, at_most: 1, clear: 0.5, cooldown: -1s, latch: 1}}
`, `f:3: rules[0].threshold.between: want two numbers, the lower first: [2, 8]
f:4: rules[1].threshold.clear: [1, 8] reaches beyond [2, 8]: want a range within it
f:5: rules[2].threshold.clear: [3, 9] does not hold [2, 8]: want a range around it
f:6: rules[3].threshold.clear: has no meaning with equal: want a comparator with a limit, or no clear
f:7: rules[4].threshold.outside: want two numbers, the lower first: [2, 8]
f:8: rules[5].threshold.clear: want two numbers, the lower first: [2, 8]
f:9: rules[6].threshold.above: a list: want a number
f:10: rules[7].threshold.cooldown: -1s: want 0s to 168h0m0s
f:10: rules[7].threshold.latch: "1": want true or false
f:10: rules[7].threshold.clear: 0.5 lies beyond the limit 1: an alert would never clear`},
		{"infinite", "version: 1\nrules:\n  - name: a\n    threshold: {quantity: q, above: .inf}\n", `f:4: rules[0].threshold.above: ".inf": want a number`},
		{"in quotes", "version: 1\nrules:\n  - name: a\n    threshold: {quantity: q, above: \"1\"}\n", `f:4: rules[0].threshold.above: "1": want a number`},
		{"number for a name", "version: 1\nrules:\n  - name: 7\n    threshold: {quantity: q, above: 1}\n", `f:3: rules[0].name: "7": want text (in quotes where it looks like something else)`},
		{"aggregate", "version: 1\nrules:\n  - name: a\n    aggregate:\n      window: 100ms\n      functions: [mean, median, mean]\n      quantities: []\n",
			`f:5: rules[0].aggregate.window: 100ms: want 1s to 24h0m0s
f:6: rules[0].aggregate.functions[1]: "median": want one of mean, sum, min, max, count, stddev, first, last, rate, or a percentile like p50, p99, p99_9
f:6: rules[0].aggregate.functions[2]: "mean" stands in the list already
f:7: rules[0].aggregate.quantities: want a list of 1 to 64 words`},
		{"aggregate of nothing", "version: 1\nrules:\n  - name: a\n    aggregate: {}\n",
			"f:4: rules[0].aggregate.window: is missing: want 1s to 24h, or sliding, session or count in its place\nf:4: rules[0].aggregate.functions: is missing: want some of mean, sum, min, max, count, stddev, first, last, rate, or a percentile like p50, p99, p99_9"},
		{"windows", `version: 1
rules:
  - {name: a, aggregate: {window: 1m, session: 5s, functions: [sum]}}
  - {name: b, aggregate: {window: 1m, every: 7s, functions: [sum]}}
  - {name: c, aggregate: {window: 24h, every: 1m, functions: [sum]}}
  - {name: d, aggregate: {sliding: 1m, every: 2m, functions: [p100]}}
  - {name: e, aggregate: {session: 1m, every: 2m, longest: 30s, functions: [sum]}}
  - {name: f, aggregate: {count: 0, longest: 1m, functions: [sum]}}
  - {name: g, aggregate: {count: 2000000, across: 1, functions: [p0]}}
  - {name: h, aggregate: {sliding: -1m, functions: [p99_999]}}
`, `f:3: rules[0].aggregate: window and session: want one of them
f:4: rules[1].aggregate.every: 7s: want the window of 1m0s divided by a whole number up to 300
f:5: rules[2].aggregate.every: 1m0s: want the window of 24h0m0s divided by a whole number up to 300
f:6: rules[3].aggregate.every: 2m0s: want at most the 1m0s of sliding
f:6: rules[3].aggregate.functions[0]: "p100": want one of mean, sum, min, max, count, stddev, first, last, rate, or a percentile like p50, p99, p99_9
f:7: rules[4].aggregate.every: belongs to window or sliding
f:7: rules[4].aggregate.longest: 30s: want at least the gap of 1m0s
f:8: rules[5].aggregate.count: "0": want a whole number from 1 to 1048576
f:8: rules[5].aggregate.longest: belongs to session
f:9: rules[6].aggregate.across: "1": want true or false
f:9: rules[6].aggregate.count: "2000000": want a whole number from 1 to 1048576
f:9: rules[6].aggregate.functions[0]: "p0": want one of mean, sum, min, max, count, stddev, first, last, rate, or a percentile like p50, p99, p99_9
f:10: rules[7].aggregate.sliding: -1m0s: want 1s to 24h0m0s
f:10: rules[7].aggregate.functions[0]: "p99_999": want one of mean, sum, min, max, count, stddev, first, last, rate, or a percentile like p50, p99, p99_9`},
		{"deadband, rate, absence", `version: 1
rules:
  - {name: a, deadband: {}}
  - {name: b, deadband: {absolute: -1, relative: .nan, heartbeat: 0s}}
  - {name: c, rate: {quantity: q, per: 0s, over: 25h}}
  - {name: d, absence: {}}
  - {name: e, absence: {after: 0s, for: 1m}}
  - {name: f, absence: {after: -5m, above: 1}}
`, `f:3: rules[0].deadband: no band: want absolute, relative or both
f:4: rules[1].deadband.absolute: -1: want 0 or more
f:4: rules[1].deadband.relative: ".nan": want a number
f:4: rules[1].deadband.heartbeat: 0s: want 1s to 168h0m0s
f:5: rules[2].rate.per: 0s: want 1s to 24h0m0s
f:5: rules[2].rate.over: 25h0m0s: want 0s to 24h0m0s
f:5: rules[2].rate: no limit: want one of above, below, at_least, at_most, equal, not_equal, between, outside
f:6: rules[3].absence.after: is missing: want 1s to 168h
f:7: rules[4].absence.after: 0s: want 1s to 168h0m0s
f:7: rules[4].absence.for: no such key: want one of sensor, quantity, after, cooldown, latch, message, severity
f:8: rules[5].absence.after: -5m0s: want 1s to 168h0m0s
f:8: rules[5].absence.above: no such key: want one of sensor, quantity, after, cooldown, latch, message, severity`},
		{"too long a value", "version: 1\nrules:\n  - name: a\n    aggregate: {window: 25h, functions: [mean], quantities: [" + strings.Repeat("q", 62) + "]}\n",
			"f:4: rules[0].aggregate.window: 25h0m0s: want 1s to 24h0m0s\nf:4: rules[0].aggregate.quantities: " + strings.Repeat("q", 62) + "_mean is longer than 64 characters"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			set, err := Parse("f", []byte(tt.text))
			if err == nil || err.Error() != tt.want {
				t.Errorf("got\n%v\nwant\n%s", err, tt.want)
			}
			if set == nil {
				t.Error("no set")
			}
			var p *Problem
			if !errors.As(err, &p) || p.Line < 1 {
				t.Errorf("%v holds no problem with a line", err)
			}
		})
	}
}

// A rule with a mistake does not take the others along.
func TestParseKeepsGoodRules(t *testing.T) {
	t.Parallel()
	set, err := Parse("f", []byte(`
version: 4
rules:
  - {name: good, threshold: &t {quantity: q, above: 1}}
  - {name: bad, threshold: {quantity: q}}
  - {name: also_good, threshold: *t}
`))
	if err == nil {
		t.Error("no error")
	}
	if got, want := set.Names(), []string{"good", "also_good"}; !slices.Equal(got, want) || set.Version != 4 {
		t.Errorf("version %d, rules %q, want version 4, rules %q", set.Version, got, want)
	}
}

func TestParseBounds(t *testing.T) {
	t.Parallel()
	var many strings.Builder
	many.WriteString("version: 1\nrules:\n")
	for i := range MaxRules + 50 {
		fmt.Fprintf(&many, "  - {name: r%d, threshold: {quantity: q, above: 0}}\n", i)
	}
	set, err := Parse("f", []byte(many.String()))
	if want := fmt.Sprintf("f:%d: rules: more than 1000", MaxRules+3); err == nil || err.Error() != want {
		t.Errorf("%d rules: %v, want %s", MaxRules+50, err, want)
	}
	if len(set.Names()) != MaxRules {
		t.Errorf("%d rules kept, want %d", len(set.Names()), MaxRules)
	}

	if _, err := Parse("f", make([]byte, MaxBytes+1)); err == nil {
		t.Error("a file above the bound is accepted")
	}

	_, err = Parse("f", []byte("version: 1\nrules: []\n"+strings.Repeat("k: 1\n", 150)))
	if n := strings.Count(err.Error(), "\n"); n != maxProblems || !strings.HasSuffix(err.Error(), "f: and 50 more") {
		t.Errorf("%d lines of error, the last %q", n+1, err.Error()[strings.LastIndex(err.Error(), "\n")+1:])
	}
}

// Whatever the text, Parse returns; what it accepts runs.
