package rules

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// Few values are exact; the share of values below an estimate is off by little in the middle and by less at the ends, in
// one digest and in sixty merged, through JSON too.
func TestDigest(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	for name, draw := range map[string]func() float64{
		"uniform":   random.Float64,
		"normal":    random.NormFloat64,
		"lognormal": func() float64 { return math.Exp(3 * random.NormFloat64()) },
		"steps":     func() float64 { return float64(random.IntN(5)) },
		"sorted":    func() func() float64 { i := 0.0; return func() float64 { i++; return i } }(),
	} {
		var one digest
		parts := make([]digest, 60)
		var values []float64
		for i := range 60_000 {
			v := draw()
			values = append(values, v)
			one.add(v)
			parts[i/1000].add(v)
		}
		var merged digest
		for i := range parts {
			data, err := json.Marshal(parts[i])
			if err != nil {
				t.Fatal(err)
			}
			var part digest
			if err := json.Unmarshal(data, &part); err != nil {
				t.Fatal(err)
			}
			part.compress()
			merged.merge(&part)
		}
		slices.Sort(values)
		for _, q := range []float64{0.01, 0.5, 0.9, 0.99, 0.999} {
			off := math.Pi * math.Sqrt(q*(1-q)) / digestScale // half a centroid
			for kind, d := range map[string]*digest{"one": &one, "merged": &merged} {
				v := d.quantile(q, values[0], values[len(values)-1])
				low, high := rank(values, v)
				if low > q+off || high < q-off {
					t.Errorf("%s, %s: quantile %v is %v, of rank %v to %v, want within %v", name, kind, q, v, low, high, off)
				}
				if len(d.Centroids) > digestCap {
					t.Errorf("%s, %s: %d centroids", name, kind, len(d.Centroids))
				}
			}
		}
	}
}

// rank returns the shares of sorted values that lie below v, and at or below it.
func rank(values []float64, v float64) (low, high float64) {
	i, _ := slices.BinarySearch(values, v)
	j := i
	for j < len(values) && values[j] == v {
		j++
	}
	return float64(i) / float64(len(values)), float64(j) / float64(len(values))
}

func TestDigestOfExtremes(t *testing.T) {
	t.Parallel()
	var d digest
	for range 500 {
		d.add(math.MaxFloat64)
		d.add(-math.MaxFloat64)
	}
	for _, q := range []float64{0.01, 0.5, 0.99} {
		if v := d.quantile(q, -math.MaxFloat64, math.MaxFloat64); math.IsNaN(v) || math.IsInf(v, 0) {
			t.Errorf("quantile %v is %v", q, v)
		}
	}
	d.compress()
	if n := len(d.Centroids); n > digestScale+2 {
		t.Errorf("%d centroids after a compression, want about %d", n, digestScale)
	}
	new(digest).compress()
}
