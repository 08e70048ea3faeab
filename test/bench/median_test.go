package bench

import (
	"os"
	"slices"
	"strconv"
	"testing"

	"holdfast/internal/proof"
)

// benchmark skips the test unless benchmarks are wanted.
func benchmark(t *testing.T) {
	t.Helper()
	if os.Getenv("HOLDFAST_BENCH") != "1" {
		t.Skip("a benchmark: runs where HOLDFAST_BENCH=1")
	}
}

// median returns the middle of the values; of an even number the lower of the two.
func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[(len(sorted)-1)/2]
}

// measure notes f with the median of the values, their least and their greatest.
func measure(t *testing.T, f proof.Figure, values ...float64) {
	t.Helper()
	f.Value, f.Low, f.High, f.Runs = median(values), slices.Min(values), slices.Max(values), len(values)
	proof.Measure(t, f)
}

func number(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) }

// atMost is measure for a figure whose goal is a greatest value.
func atMost(t *testing.T, goal float64, f proof.Figure, values ...float64) {
	t.Helper()
	f.Goal, f.Missed = "≤ "+number(goal), median(values) > goal
	measure(t, f, values...)
}

// atLeast is measure for a figure whose goal is a least value.
func atLeast(t *testing.T, goal float64, f proof.Figure, values ...float64) {
	t.Helper()
	f.Goal, f.Missed = "≥ "+number(goal), median(values) < goal
	measure(t, f, values...)
}
