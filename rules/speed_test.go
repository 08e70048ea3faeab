package rules

import (
	"slices"
	"testing"
	"time"
)

// A reading takes at most 50 µs through a hundred rules, in 99 of 100 cases. Another process may take the processor away, which
// is none of the engine's doing: the best of some rounds counts.
func TestHundredRulesInTime(t *testing.T) {
	if testing.Short() {
		t.Skip("the race detector, under which the short tests run, takes a multiple")
	}
	set, err := Parse("test", []byte(hundred()))
	if err != nil {
		t.Fatal(err)
	}
	e, at := New(set, Options{}), instant(0)
	best := time.Hour
	for range 20 {
		times := make([]time.Duration, 0, 2000)
		for i := range cap(times) {
			at.Mono, at.Time = at.Mono+1000, at.Time.Add(time.Millisecond) // 1000 readings/s
			r := reading(at, "s"+string(rune('0'+i%10)), float64(i%7))
			begin := time.Now()
			e.Apply(r, at)
			times = append(times, time.Since(begin))
		}
		slices.Sort(times)
		best = min(best, times[len(times)*99/100])
		if best < 25*time.Microsecond {
			break
		}
	}
	t.Logf("p99 %v", best)
	if best > 50*time.Microsecond {
		t.Errorf("p99 of a reading through a hundred rules is %v, want at most 50 µs", best)
	}
}
