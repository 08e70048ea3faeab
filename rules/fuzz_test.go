package rules

import (
	"encoding/json"
	"strings"
	"testing"

	"holdfast"
)

// every is a set in which each kind, comparator and window stands.
const every = `version: 7
rules:
  - {name: above, threshold: {quantity: temperature_celsius, above: 26, clear: -25, for: 1s, cooldown: 1m, latch: true, severity: critical}}
  - {name: most, threshold: {quantity: temperature_celsius, at_most: 0}}
  - {name: equal, threshold: {quantity: temperature_celsius, equal: 1, latch: true}}
  - {name: between, threshold: {quantity: temperature_celsius, between: [-1, 1], clear: [-2, 2]}}
  - {name: outside, threshold: {quantity: temperature_celsius, outside: [-1e9, 1e9]}}
  - {name: tumbling, aggregate: {window: 1s, functions: [mean, stddev, p50]}}
  - {name: hopping, aggregate: {window: 1m, every: 1s, across: true, functions: [sum, p99_9, rate]}}
  - {name: sliding, aggregate: {sliding: 2s, every: 1s, functions: [min, max, p5, count]}}
  - {name: session, aggregate: {session: 1s, longest: 2s, functions: [first, last]}}
  - {name: count, aggregate: {count: 2, quantities: [temperature_celsius], functions: [rate, stddev]}}
  - {name: band, deadband: {absolute: 0, relative: 5, heartbeat: 1s}}
  - {name: rate, rate: {quantity: temperature_celsius, outside: [-1, 1], over: 1s, per: 1h}}
  - {name: gone, absence: {sensor: s, after: 1s, latch: true}}
  - {name: acts, threshold: {quantity: temperature_celsius, above: 2}, actions: [{output: {name: fan, state: on, max: 1m}}, {output: {name: horn, state: pulse, for: 1s}}, {interval: {every: 1s, for: 1m, sensor: "s*"}}, {webhook: {url: "http://10.0.0.1/x"}}]}
  - {name: airing, schedule: {cron: "* * * * *"}, actions: [{output: {name: fan, state: off}}, {interval: {every: 1s, for: 1m}}]}
`

// Whatever the text, there is a set that an engine runs without a rule that breaks, and every mistake says its line.
func FuzzParse(f *testing.F) {
	f.Add(Example)
	f.Add([]byte(every))
	f.Add([]byte("version: 1\nrules:\n  - {name: a, threshold: {quantity: q, above: -0, clear: -1, for: 0s}}\n"))
	f.Add([]byte("version: 1\nrules: &r [{name: *r}]\n"))
	f.Add([]byte("{version: 1, rules: [{name: a, aggregate: {window: 1s, functions: [sum, sum]}}]}\n---\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		set, err := Parse("f", text)
		if set == nil {
			t.Fatal("no set")
		}
		if err != nil {
			for line := range strings.Lines(err.Error()) {
				if !strings.HasPrefix(line, "f:") {
					t.Errorf("%q says no place", line)
				}
				break // the further lines of one mistake may be yaml's
			}
		}
		e := New(set, Options{Broken: func(rule string, err error) { t.Errorf("rule %s: %v", rule, err) }})
		run(t, e)
	})
}

// Whatever the buffer hands over as the state of the rules, the engine goes on, and what it remembers then can be restored.
func FuzzRestore(f *testing.F) {
	set, err := Parse("every.yaml", []byte(every))
	if err != nil {
		f.Fatal(err)
	}
	e := New(set, Options{})
	for i := range 5 {
		at := instant(i)
		e.Apply(reading(at, "bme280-1-76", 90), at)
	}
	data, err := whole(e)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte(`{"v":1,"boot":"boot-0","version":1,"rules":[{"name":"gone","kind":"threshold","program":{},"sensors":{"a":{}}}]}`))
	f.Add([]byte(`{"v":1,"rules":[{"kind":"aggregate","program":{"window":-1},"sensors":{"a":{"start":9223372036854775807}}}]}`))
	for _, state := range []string{
		`"hopping","kind":"aggregate","program":{},"sensors":{"s":{"panes":[{"start":-9223372036854775808,"sums":{"q":null}}],"past":{"end":-9223372036854775808}}}`,
		`"sliding","kind":"aggregate","program":{"sliding":-1},"sensors":{"s":{"owed":true,"last":{"mono":-1},"panes":[{"start":1},{"start":1}]}}`,
		`"tumbling","kind":"aggregate","program":{"functions":["p50"]},"sensors":{"s":{"open":{"end":1},"sums":{"q":{"n":0,"digest":{"n":-1,"c":[[1,-1],[1,0]]}}}}}`,
		`"equal","kind":"threshold","program":{"band":{}},"sensors":{"s":{"id":"a","back":true}}`,
		`"gone","kind":"absence","program":{},"sensors":{"s":{"id":"a","last":null}}`,
		`"rate","kind":"rate","program":{},"sensors":{"s":{"points":[{"mono":9223372036854775807}]}}`,
		`"acts","kind":"threshold","program":{},"actions":[{"kind":"output","state":"on"},{"kind":"","for":-1},{"kind":"webhook"}],"sensors":{"s":{"id":"a","since":{}}},"raised":[{"id":"a","sensor":"s","since":{"mono":-1}},{"id":"b"},{"since":null,"over":{}}]`,
		`"band","kind":"deadband","program":{"heartbeat":-1},"sensors":{"s":{"values":{"q":{"v":1e308}}}}`,
	} {
		f.Add([]byte(`{"v":1,"boot":"boot-1","version":7,"rules":[{"name":` + state + `}]}`))
	}
	f.Add([]byte(`{"v":2}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		e := New(set, Options{})
		if _, err := restore(e, data, instant(10)); err != nil && err.Error() == "" {
			t.Error("an error without words")
		}
		run(t, e)
		again, err := whole(e)
		if err != nil {
			return // named, and left out
		}
		if !json.Valid(again) {
			t.Fatalf("checkpoint %s", again)
		}
		if _, err := restore(New(set, Options{}), again, instant(20)); err != nil {
			t.Errorf("what the engine wrote is not restored: %v\n%s", err, again)
		}
	})
}

// run drives an engine a little, and wants its records valid.
func run(t *testing.T, e *Engine) {
	t.Helper()
	for i := range 4 {
		at := instant(11 + i)
		var records []holdfast.Record
		for _, sensor := range []string{"bme280-1-76", "s"} {
			records = append(records, e.Apply(reading(at, sensor, float64(i)), at)...)
		}
		records = append(records, e.Tick(at)...)
		for _, r := range records {
			if err := r.Validate(); err != nil {
				t.Errorf("record %+v: %v", r, err)
			}
			if a, ok := r.(*holdfast.Alert); ok && a.State == holdfast.Raised {
				e.Acknowledge(a.ID, "ann", at)
			}
		}
		e.Fate()
		e.Orders()
		e.Standing()
	}
	if data, err := whole(e); err != nil && data == nil {
		t.Error(err)
	}
}
