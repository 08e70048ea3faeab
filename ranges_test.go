package holdfast

import (
	"encoding/json"
	"math/rand/v2"
	"reflect"
	"testing"
)

// The set agrees with a plain map of numbers after every random step, and stays normal.
func TestRangesAgainstModel(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 1))
	for range 300 {
		var set Ranges
		model := map[uint64]bool{}
		for range 40 {
			first := 1 + random.Uint64N(60)
			r := Range{first, first + random.Uint64N(12)}
			add := random.IntN(3) > 0
			if add {
				set.Add(r)
			} else {
				set.Remove(r)
			}
			for n := r.First; n <= r.Last; n++ {
				model[n] = add
			}
			compare(t, seed, set, model)
		}
	}
}

func compare(t *testing.T, seed uint64, set Ranges, model map[uint64]bool) {
	t.Helper()
	var count uint64
	for n := uint64(1); n <= 80; n++ {
		if set.Contains(n) != model[n] {
			t.Fatalf("seed %d: %v contains %d: %v, want %v", seed, set, n, set.Contains(n), model[n])
		}
		if model[n] {
			count++
		}
	}
	if set.Count() != count {
		t.Fatalf("seed %d: %v counts %d, want %d", seed, set, set.Count(), count)
	}
	for i := 1; i < len(set); i++ {
		if set[i].First <= set[i-1].Last+1 {
			t.Fatalf("seed %d: %v is not normal", seed, set)
		}
	}
	window := Range{10, 50}
	if got := set.Within(window).Count() + set.Missing(window).Count(); got != window.Len() {
		t.Fatalf("seed %d: within and missing of %v count %d, want %d", seed, set, got, window.Len())
	}
	if set.Covers(window) != (len(set.Missing(window)) == 0) {
		t.Fatalf("seed %d: covers %v disagrees with missing, of %v", seed, window, set)
	}
}

func TestRangesNormal(t *testing.T) {
	t.Parallel()
	got := Ranges{{7, 9}, {1, 2}, {3, 3}, {8, 12}}.Normal()
	if want := (Ranges{{1, 3}, {7, 12}}); !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestRangeJSON(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{`[1]`, `[1,2,3]`, `{"first":1}`, `[-1,2]`, `["a","b"]`, `null`} {
		var r Range
		if err := json.Unmarshal([]byte(bad), &r); err == nil {
			t.Errorf("%s: read as %v, want an error", bad, r)
		}
	}
	for _, bad := range []Range{{0, 1}, {5, 4}, {1, MaxInteger + 1}} {
		if bad.Validate() == nil {
			t.Errorf("%v is valid, want an error", bad)
		}
	}
}
