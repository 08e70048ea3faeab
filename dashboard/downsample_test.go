package dashboard

import (
	"math"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"
)

var noon = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)

func single(after time.Duration, v float64) Bucket { return Bucket{noon.Add(after), v, v, v, 1} }

func TestDownsampler(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		n    int
		in   []Bucket
		want []Bucket
	}{
		{"nothing", 2, nil, []Bucket{}},
		{"few stay as they are, by time", 2, []Bucket{single(3*time.Second, -1), single(time.Second, 0)},
			[]Bucket{single(time.Second, 0), single(3*time.Second, -1)}},
		{"outside of the span", 2, []Bucket{single(-1, 1), single(10*time.Second, 2), single(10*time.Second-1, 3)},
			[]Bucket{single(10*time.Second-1, 3)}},
		{"more than n are merged", 2, []Bucket{single(0, 1), single(1*time.Second, 3), single(6*time.Second, 7)},
			[]Bucket{{noon, 1, 3, 2, 2}, {noon.Add(5 * time.Second), 7, 7, 7, 1}}},
		{"a summary weighs its count", 1, []Bucket{{noon, 0, 10, 4, 3}, single(1, 8)}, []Bucket{{noon, 0, 10, 5, 4}}},
		{"empty spans are absent", 3, []Bucket{single(0, 1), single(1, 1), single(9*time.Second, 2), single(9*time.Second, 2)},
			[]Bucket{{noon, 1, 1, 1, 2}, {noon.Add(2 * 3333333334), 2, 2, 2, 2}}},
	} {
		d := newDownsampler(noon, noon.Add(10*time.Second), test.n)
		for _, b := range test.in {
			d.add(b)
		}
		if got := d.points(); !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s:\ngot  %v\nwant %v", test.name, got, test.want)
		}
	}
}

// However many samples come, in whatever order: no extreme is lost, every sample is counted, and the points are bounded.
func TestDownsamplerKeepsExtremes(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 1))
	for range 200 {
		span := time.Duration(1 + random.Int64N(int64(time.Hour)))
		n, count := 1+random.IntN(50), random.IntN(300)
		d := newDownsampler(noon, noon.Add(span), n)
		low, high, sum := math.Inf(1), math.Inf(-1), 0.0
		for range count {
			v := random.NormFloat64() * 100
			low, high, sum = min(low, v), max(high, v), sum+v
			d.add(single(time.Duration(random.Int64N(int64(span))), v))
		}
		gotLow, gotHigh, gotSum, gotCount := math.Inf(1), math.Inf(-1), 0.0, 0
		points := d.points()
		for i, p := range points {
			gotLow, gotHigh = min(gotLow, p.Min), max(gotHigh, p.Max)
			gotSum, gotCount = gotSum+p.Mean*float64(p.Count), gotCount+int(p.Count)
			if i > 0 && p.Time.Before(points[i-1].Time) {
				t.Fatalf("seed %d: point %d lies before the one in front of it", seed, i)
			}
		}
		if gotLow != low || gotHigh != high || gotCount != count || math.Abs(gotSum-sum) > 1e-6 || len(points) > n {
			t.Fatalf("seed %d: %d samples to %d: got %v..%v, %d samples, sum %v in %d points; want %v..%v, sum %v",
				seed, count, n, gotLow, gotHigh, gotCount, gotSum, len(points), low, high, sum)
		}
	}
}
