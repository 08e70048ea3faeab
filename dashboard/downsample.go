package dashboard

import (
	"slices"
	"time"
)

// maxPoints bounds an answer of the history: more than a screen has columns.
const maxPoints = 1000

// A Bucket summarises the samples of one quantity over a span; a single sample is a bucket with Count 1.
type Bucket struct {
	Time  time.Time `json:"time"` // start of the span; of a single sample, its own time
	Min   float64   `json:"min"`
	Max   float64   `json:"max"`
	Mean  float64   `json:"mean"`
	Count uint64    `json:"count"`
}

// A downsampler turns any number of samples into at most n buckets in constant space, and keeps every minimum and
// maximum. As long as n samples or fewer came, they stay as they are.
type downsampler struct {
	from    time.Time
	to      time.Time
	width   time.Duration // of a bucket
	n       int
	samples []Bucket // the first n
	count   int      // all that came
	buckets []Bucket // n equal spans; nil until the samples are too many
}

// newDownsampler returns a downsampler for samples from from up to to, which lies behind it.
func newDownsampler(from, to time.Time, n int) *downsampler {
	width := (to.Sub(from)-1)/time.Duration(n) + 1 // rounded up, so that n of them reach to the end
	return &downsampler{from: from, to: to, width: width, n: n}
}

// add takes one sample or summary. One outside the span is ignored; order does not matter.
func (d *downsampler) add(b Bucket) {
	if b.Count == 0 || b.Time.Before(d.from) || !b.Time.Before(d.to) {
		return
	}
	d.count++
	if d.count <= d.n {
		d.samples = append(d.samples, b)
		return
	}
	if d.buckets == nil {
		d.buckets = make([]Bucket, d.n)
		for _, sample := range d.samples {
			d.merge(sample)
		}
	}
	d.merge(b)
}

func (d *downsampler) index(t time.Time) int { return int(t.Sub(d.from) / d.width) }

func (d *downsampler) merge(b Bucket) {
	i := d.index(b.Time)
	into := &d.buckets[i]
	if into.Count == 0 {
		*into = b
		into.Time = d.from.Add(time.Duration(i) * d.width)
		return
	}
	into.Min, into.Max = min(into.Min, b.Min), max(into.Max, b.Max)
	into.Count += b.Count
	into.Mean += (b.Mean - into.Mean) * float64(b.Count) / float64(into.Count)
}

// points returns what is left, by time; never nil.
func (d *downsampler) points() []Bucket {
	all := d.samples
	if d.buckets != nil {
		all = d.buckets
	}
	points := make([]Bucket, 0, len(all))
	for _, b := range all {
		if b.Count > 0 {
			points = append(points, b)
		}
	}
	slices.SortStableFunc(points, func(a, b Bucket) int { return a.Time.Compare(b.Time) })
	return points
}
