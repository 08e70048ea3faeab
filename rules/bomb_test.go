package rules

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"
)

// Expressions that would take for ever or fill the memory are refused at once, because nothing of the language loops or
// grows; and what is accepted is as cheap as it is long.
func TestExpressionBombs(t *testing.T) {
	bombs := map[string]string{
		"doubling":    `reduce(1..60, #acc + #acc, "a") == ""`,
		"loops":       "sum(1..10000, sum(1..10000, sum(1..10000, 1))) > 1",
		"counts":      "count(1..1000000, any(1..1000000, all(1..1000000, # > 0))) > 1",
		"range":       "len(1..100000000) > 1",
		"repeat":      `len(repeat("aaaaaaaaaaaaaaaaaaaa", 1000000)) > 1`,
		"maps":        "len(map(1..1000, map(1..1000, map(1..1000, #)))) > 1",
		"pattern":     `sensor matches "((a{100}){100}){100}"`,
		"sort":        "len(sortBy(1..1000000, -#)) > 1",
		"split":       `len(split(repeat("a", 1000000), "")) > 1`,
		"list":        "len([" + strings.Repeat("1,", 900) + "1]) > 1",
		"sum of many": strings.Repeat("a+", 1000) + "a > 1",
		"parentheses": strings.Repeat("(", 1000) + "a > 1" + strings.Repeat(")", 1000),
		"open":        strings.Repeat("(", 2040),
		"minus":       strings.Repeat("-", 2000) + "a > 1",
		"not":         strings.Repeat("!", 2000) + "true",
		"choices":     strings.Repeat("a>1?", 500) + "true",
		"long":        "true or" + strings.Repeat(" ", MaxBytes/2) + "true",
		"long text":   `sensor == "` + strings.Repeat("a", 100000) + `"`,
		"variables":   `let a1 = sensor + sensor; let a2 = a1 + a1; let a3 = a2 + a2; a3 == ""`,
		"powers":      "9**9**9**9**9**9**9 > 1",
	}
	harmless := map[string]bool{"parentheses": true, "powers": true}
	for name, text := range bombs {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		began := time.Now()
		set, err := Parse("f", fmt.Appendf(nil, "version: 1\nrules:\n  - name: a\n    expression:\n      filter: >-\n        %s\n", text))
		if err == nil {
			e := New(set, Options{})
			e.Apply(reading(instant(0), "s", 1), instant(0))
		}
		took := time.Since(began)
		runtime.ReadMemStats(&after)
		if bytes := after.TotalAlloc - before.TotalAlloc; took > time.Second || bytes > 60<<20 {
			t.Errorf("%s: %v and %d bytes, want at most 1 s and 60 MB", name, took, bytes)
		} else {
			t.Logf("%s: %v, %d bytes: %.150v", name, took, bytes, err)
		}
		if (err == nil) != harmless[name] {
			t.Errorf("%s: %v, want it refused: %v", name, err, !harmless[name])
		}
	}
}

// A whole file of the longest expressions is read within the same bounds, and each runs in microseconds.
func TestExpressionCost(t *testing.T) {
	var rules strings.Builder
	for i := range MaxRules {
		fmt.Fprintf(&rules, "  - {name: r%d, expression: {filter: '%s a > 1'}}\n", i, strings.Repeat("a+", 90))
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	began := time.Now()
	e := engine(t, 1, rules.String())
	took := time.Since(began)
	runtime.ReadMemStats(&after)
	t.Logf("%d rules of 184 nodes: %v, %d bytes", MaxRules, took, after.TotalAlloc-before.TotalAlloc)
	if took > 10*time.Second || after.HeapAlloc > before.HeapAlloc+60<<20 {
		t.Errorf("%d rules: %v, %d bytes kept", MaxRules, took, after.HeapAlloc-before.HeapAlloc)
	}
	r := reading(instant(0), "s", 1)
	r.Values["a"] = 1
	began = time.Now()
	for range 10 {
		e.Apply(r, instant(0))
	}
	t.Logf("%v for each expression and reading", time.Since(began)/10/MaxRules)
}
