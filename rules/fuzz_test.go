package rules

import (
	"encoding/json"
	"strings"
	"testing"
)

// Whatever the text, there is a set that an engine runs without a rule that breaks, and every mistake says its line.
func FuzzParse(f *testing.F) {
	f.Add(Example)
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
	set, err := Parse("example.yaml", Example)
	if err != nil {
		f.Fatal(err)
	}
	e := New(set, Options{})
	for i := range 5 {
		at := instant(i)
		e.Apply(reading(at, "bme280-1-76", 90), at)
	}
	data, err := e.Checkpoint()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte(`{"v":1,"boot":"boot-0","version":1,"rules":[{"name":"gone","kind":"threshold","program":{},"sensors":{"a":{}}}]}`))
	f.Add([]byte(`{"v":1,"rules":[{"kind":"aggregate","program":{"window":-1},"sensors":{"a":{"start":9223372036854775807}}}]}`))
	f.Add([]byte(`{"v":2}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		e := New(set, Options{})
		if _, err := e.Restore(data, instant(10)); err != nil && err.Error() == "" {
			t.Error("an error without words")
		}
		run(t, e)
		again, err := e.Checkpoint()
		if err != nil {
			return // named, and left out
		}
		if !json.Valid(again) {
			t.Fatalf("checkpoint %s", again)
		}
		if _, err := New(set, Options{}).Restore(again, instant(20)); err != nil {
			t.Errorf("what the engine wrote is not restored: %v\n%s", err, again)
		}
	})
}

// run drives an engine a little, and wants its records valid.
func run(t *testing.T, e *Engine) {
	t.Helper()
	for i := range 3 {
		at := instant(11 + i)
		for _, r := range append(e.Apply(reading(at, "bme280-1-76", float64(i)), at), e.Tick(at)...) {
			if err := r.Validate(); err != nil {
				t.Errorf("record %+v: %v", r, err)
			}
		}
	}
	if data, err := e.Checkpoint(); err != nil && data == nil {
		t.Error(err)
	}
}
