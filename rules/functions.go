package rules

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// functions are what an aggregate can make of the values of a window, beside percentiles. The name is appended to the
// quantity's. A function that has no value for a window is left out of its record.
var functions = []struct {
	name string
	of   func(*cell) (float64, bool)
}{
	{"mean", func(c *cell) (float64, bool) { return c.mean(), true }},
	{"sum", func(c *cell) (float64, bool) { return c.total(), true }},
	{"min", func(c *cell) (float64, bool) { return c.Min, true }},
	{"max", func(c *cell) (float64, bool) { return c.Max, true }},
	{"count", func(c *cell) (float64, bool) { return float64(c.N), true }},
	{"stddev", (*cell).stddev},
	{"first", func(c *cell) (float64, bool) { return c.First.V, true }},
	{"last", func(c *cell) (float64, bool) { return c.Final.V, true }},
	{"rate", (*cell).rate},
}

// percentile is how a percentile is named: p50, p99, p99_9.
var percentile = regexp.MustCompile(`^p([1-9][0-9]?)(?:_([0-9]{1,2}))?$`)

// share returns the share of values that a percentile's name stands for, from 0 to 1, and whether it is one.
func share(name string) (float64, bool) {
	m := percentile.FindStringSubmatch(name)
	if m == nil {
		return 0, false
	}
	percent, err := strconv.ParseFloat(m[1]+"."+m[2]+"0", 64)
	return percent / 100, err == nil
}

// compute returns what the named function makes of a cell.
func compute(name string, c *cell) (float64, bool) {
	for _, f := range functions {
		if f.name == name {
			return f.of(c)
		}
	}
	q, ok := share(name)
	if !ok || c.Digest == nil {
		return 0, false
	}
	return c.Digest.quantile(q, c.Min, c.Max), true
}

// needsOf returns what the functions need cells to keep.
func needsOf(names []string) needs {
	var n needs
	for _, name := range names {
		_, quantile := share(name)
		n.digest = n.digest || quantile
		n.spread = n.spread || name == "stddev"
		n.ends = n.ends || name == "first" || name == "last" || name == "rate"
	}
	return n
}

func checkFunction(name string) error {
	if _, ok := share(name); ok {
		return nil
	}
	for _, f := range functions {
		if f.name == name {
			return nil
		}
	}
	return fmt.Errorf("%q: want one of %s", name, functionNames())
}

func functionNames() string {
	var names []string
	for _, f := range functions {
		names = append(names, f.name)
	}
	return strings.Join(names, ", ") + ", or a percentile like p50, p99, p99_9"
}
