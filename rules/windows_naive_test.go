package rules

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"pgregory.net/rapid"

	"holdfast"
)

// A sample is a value at so many µs behind noon.
type sample struct {
	us int64
	v  float64
}

// all are the functions that a model can check.
var all = []string{"mean", "sum", "min", "max", "count", "stddev", "first", "last", "rate", "p50", "p97_5"}

// naive computes every function over samples in the order of their coming, by its definition.
func naive(samples []sample) map[string]float64 {
	var values []float64
	total := 0.0
	for _, s := range samples {
		values = append(values, s.v)
		total += s.v
	}
	n := float64(len(values))
	mean, off := total/n, 0.0
	for _, v := range values {
		off += (v - mean) * (v - mean)
	}
	first, last := samples[0], samples[len(samples)-1]
	m := map[string]float64{"mean": mean, "sum": total, "min": slices.Min(values), "max": slices.Max(values), "count": n,
		"stddev": math.Sqrt(off / n), "first": first.v, "last": last.v}
	if last.us > first.us {
		m["rate"] = (last.v - first.v) * 1e6 / float64(last.us-first.us)
	}
	slices.Sort(values)
	for name, q := range map[string]float64{"p50": 0.5, "p97_5": 0.975} {
		at := q * (n - 1)
		low := int(at)
		m[name] = values[low] + (at-float64(low))*(values[min(low+1, len(values)-1)]-values[low])
	}
	return m
}

// played is what came of a random stream.
type played struct {
	samples []sample
	ticks   map[int64]bool                    // µs behind noon
	steps   int                               // of the wall clock
	records map[time.Time]*holdfast.Aggregate // by their beginning
}

// epoch is by how many µs the wall clock of a random stream is odd after each step and each boot, while its readings come at whole
// hundredths of a second: so no two windows from before and after a step begin together by chance.
const epoch = 100

// play hands a random stream with gaps, duplicates and restarts to the rule, and gathers what it makes. steps lets the wall
// clock jump and the device reboot.
func play(t *rapid.T, window string, steps bool) played {
	text := fmt.Sprintf("version: 1\nrules:\n  - {name: w, aggregate: {sensor: s, %s, functions: [%s]}}\n", window, strings.Join(all, ", "))
	set, err := Parse("test", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	o := Options{Broken: func(rule string, err error) { t.Fatalf("rule %s: %v", rule, err) }}
	e := New(set, o)
	p := played{ticks: make(map[int64]bool), records: make(map[time.Time]*holdfast.Aggregate)}
	at := instant(0)
	see := func(records []holdfast.Record) {
		for _, record := range records {
			a := record.(*holdfast.Aggregate)
			if before := p.records[a.From]; before != nil {
				t.Fatalf("two windows from %s: to %s and to %s", clock(a.From), clock(before.To), clock(a.To))
			}
			p.records[a.From] = a
		}
	}
	restore := func() {
		data, err := whole(e)
		if err != nil {
			t.Fatal(err)
		}
		e = New(set, o)
		records, err := restore(e, data, at)
		if err != nil {
			t.Fatal(err)
		}
		see(records)
	}
	for range rapid.IntRange(1, 80).Draw(t, "length") {
		us := rapid.OneOf(rapid.Just(int64(0)), rapid.Int64Range(1, 20e6), rapid.Int64Range(1, 20e6), rapid.Int64Range(1, 400e6)).Draw(t, "us")
		if steps {
			us -= us % 10_000
		}
		at.Mono, at.Time = at.Mono+us, at.Time.Add(micros(us))
		switch rapid.IntRange(0, 9).Draw(t, "what") {
		case 0:
			p.ticks[at.Time.Sub(noon).Microseconds()] = true
			see(e.Tick(at))
		case 1:
			restore()
		case 2:
			if steps {
				p.steps++
				at.Time = at.Time.Add(micros(rapid.Int64Range(-3e7, 3e7).Draw(t, "step")*10_000 + epoch))
			}
		case 3:
			if steps {
				at.Boot, at.Mono = fmt.Sprint("boot-", len(p.samples)+2), 5e6
				at.Time = at.Time.Add(micros(30_000_000 + epoch)) // the time of a boot
				restore()
			}
		default:
			s := sample{at.Time.Sub(noon).Microseconds(), float64(rapid.IntRange(-20, 20).Draw(t, "v")) / 4}
			p.samples = append(p.samples, s)
			see(e.Apply(reading(at, "s", s.v), at))
		}
	}
	for range 3 { // and to the end of all windows, with ticks far apart
		at.Mono, at.Time = at.Mono+3600e6, at.Time.Add(time.Hour)
		see(e.Tick(at))
	}
	return p
}

// expectWindow compares the record from a given beginning with the naive values of samples.
func (p played) expectWindow(t *rapid.T, from, to int64, samples []sample) {
	at := noon.Add(micros(from))
	got := p.records[at]
	if got == nil {
		t.Fatalf("no window from %s; want one of %d readings", clock(at), len(samples))
	}
	delete(p.records, at)
	if want := noon.Add(micros(to)); !got.To.Equal(want) || got.Count != uint64(len(samples)) || got.Partial {
		t.Fatalf("window from %s to %s, count %d, partial %v: want to %s, count %d", clock(at), clock(got.To), got.Count, got.Partial, clock(want), len(samples))
	}
	expectValues(t, got, naive(samples))
}

func expectValues(t *rapid.T, a *holdfast.Aggregate, want map[string]float64) {
	for _, name := range all {
		got, ok := a.Values["temperature_celsius_"+name]
		w, wanted := want[name]
		if ok != wanted || math.Abs(got-w) > 1e-9 {
			t.Fatalf("window from %s: %s %v (%v), want %v (%v)", clock(a.From), name, got, ok, w, wanted)
		}
	}
}

func (p played) expectNoMore(t *rapid.T) {
	for _, from := range slices.SortedFunc(maps.Keys(p.records), time.Time.Compare) {
		t.Fatalf("a window from %s to %s that the model lacks", clock(from), clock(p.records[from].To))
	}
}
