package rules

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"holdfast"
)

// A reading that nothing follows from costs no allocation, in the kinds that every reading meets.
func TestNoAllocations(t *testing.T) {
	for _, rule := range []string{
		"threshold: {quantity: temperature_celsius, above: 26, clear: 25, for: 5s}",
		"threshold: {quantity: temperature_celsius, outside: [-100, 100], cooldown: 1m, latch: true}",
		"threshold: {quantity: temperature_celsius, above: 26}, actions: [{output: {name: fan, state: on}}, {interval: {every: 1s, for: 1h}}]",
		"deadband: {absolute: 1, relative: 2, heartbeat: 1h}",
		"aggregate: {window: 24h, functions: [mean]}",
		"aggregate: {window: 24h, functions: [mean, stddev, first, last, rate]}",
		"aggregate: {window: 24h, every: 1h, functions: [mean]}",
		"rate: {quantity: temperature_celsius, above: 1000}",
		"absence: {sensor: s, after: 5m}",
	} {
		e := engine(t, 1, "  - {name: r, "+rule+"}\n")
		r, at := reading(instant(0), "s", 20), instant(0)
		step := func() {
			at.Mono, at.Time = at.Mono+1e6, at.Time.Add(time.Second)
			r.Mono, r.Time = at.Mono, at.Time
			e.Apply(r, at)
			e.Tick(at)
		}
		for range 5 {
			step()
		}
		if n := testing.AllocsPerRun(1000, step); n != 0 {
			t.Errorf("%s: %v allocations per reading, want 0", rule, n)
		}
	}
}

// thousand returns an engine of a thousand rules with windows of a day, and a day's readings in it, one in a minute.
func thousand(t testing.TB, functions string) (*Engine, holdfast.Instant) {
	var text strings.Builder
	text.WriteString("version: 1\nrules:\n")
	for i := range 1000 {
		fmt.Fprintf(&text, "  - {name: r%d, aggregate: {sensor: s, quantities: [temperature_celsius], sliding: 24h, every: 24h, functions: [%s]}}\n", i, functions)
	}
	set, err := Parse("test", []byte(text.String()))
	if err != nil {
		t.Fatal(err)
	}
	e := New(set, Options{Broken: func(rule string, err error) { t.Errorf("rule %s: %v", rule, err) }})
	at := instant(0)
	for i := range 24 * 60 {
		at = instant(60 * i)
		e.Apply(reading(at, "s", float64(i%97)), at)
	}
	return e, at
}

// The memory of a thousand rules with sliding windows of a day does not depend on how often readings come, and stays below
// what they are counted at.
func TestMemoryOfThousandRules(t *testing.T) {
	if testing.Short() {
		t.Skip("slow")
	}
	for _, functions := range []string{"mean", "mean, p50"} {
		runtime.GC()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		e, _ := thousand(t, functions)
		runtime.GC()
		runtime.ReadMemStats(&after)
		used := int(after.HeapAlloc - before.HeapAlloc)
		t.Logf("%s: %d kB for 1000 rules, counted as %d kB", functions, used>>10, e.bytes()>>10)
		if used > e.bytes() || e.bytes() > maxBytes {
			t.Errorf("%s: %d bytes, counted as %d of %d", functions, used, e.bytes(), maxBytes)
		}
		runtime.KeepAlive(e)
	}
}

// hundred is a set of a hundred rules of all sorts over ten sensors.
func hundred() string {
	kinds := []string{
		"threshold: {sensor: s%d, quantity: temperature_celsius, above: 26, clear: 25, for: 5s}",
		"threshold: {sensor: s%d, quantity: temperature_celsius, outside: [-10, 30]}",
		"aggregate: {sensor: s%d, window: 1m, functions: [mean, min, max, count]}",
		"aggregate: {sensor: s%d, window: 10m, every: 1m, functions: [mean]}",
		"aggregate: {sensor: s%d, sliding: 10m, every: 10s, functions: [mean, p95]}",
		"aggregate: {sensor: s%d, session: 1m, functions: [count]}",
		"aggregate: {sensor: s%d, count: 100, functions: [stddev]}",
		"deadband: {sensor: s%d, absolute: 0.5, heartbeat: 5m}",
		"rate: {sensor: s%d, quantity: temperature_celsius, above: 60, over: 1m}",
		"absence: {sensor: s%d, after: 5m}",
	}
	var text strings.Builder
	text.WriteString("version: 1\nrules:\n")
	for i := range 100 {
		fmt.Fprintf(&text, "  - {name: r%d, "+kinds[i%10]+"}\n", i, i/10)
	}
	return text.String()
}

// BenchmarkHundredRules reports the time of one reading through a hundred rules, of which ten watch its sensor.
func BenchmarkHundredRules(b *testing.B) {
	set, err := Parse("test", []byte(hundred()))
	if err != nil {
		b.Fatal(err)
	}
	e := New(set, Options{})
	at := instant(0)
	var times []time.Duration
	i := 0
	b.ReportAllocs()
	for b.Loop() {
		i++
		at.Mono, at.Time = at.Mono+1000, at.Time.Add(time.Millisecond) // 1000 readings/s
		r := reading(at, "s"+string(rune('0'+i%10)), float64(i%7))
		begin := time.Now()
		e.Apply(r, at)
		times = append(times, time.Since(begin))
	}
	slices.Sort(times)
	b.ReportMetric(float64(times[len(times)*99/100].Nanoseconds()), "p99-ns")
}

// BenchmarkCheckpoint reports the time and size of a checkpoint of a hundred rules of all sorts, and of a thousand sliding
// windows of a day: where every rule was at work since the last one, and where none was.
func BenchmarkCheckpoint(b *testing.B) {
	set, err := Parse("test", []byte(hundred()))
	if err != nil {
		b.Fatal(err)
	}
	all := New(set, Options{})
	for i := range 6000 {
		all.Apply(reading(instant(i), "s"+string(rune('0'+i%10)), float64(i%7)), instant(i))
	}
	sliding, _ := thousand(b, "mean")
	for name, e := range map[string]*Engine{"hundred": all, "thousand": sliding} {
		for _, idle := range []bool{false, true} {
			b.Run(fmt.Sprintf("%s/idle=%v", name, idle), func(b *testing.B) {
				size := 0
				for b.Loop() {
					for _, r := range e.rules {
						r.written = idle && r.written
						if !idle {
							e.stored[r.name] = nil
						}
					}
					parts, err := e.Checkpoint()
					if err != nil {
						b.Fatal(err)
					}
					size = 0
					for _, part := range parts {
						size += len(part)
					}
				}
				b.ReportMetric(float64(size), "B")
			})
		}
	}
}

// BenchmarkSlidingRecord reports the time of a reading, each of which makes the record of a full sliding window.
func BenchmarkSlidingRecord(b *testing.B) {
	for _, functions := range []string{"mean", "mean, stddev, rate", "p50, p95"} {
		b.Run(strings.ReplaceAll(functions, ", ", "+"), func(b *testing.B) {
			set, err := Parse("test", []byte("version: 1\nrules:\n  - {name: r, aggregate: {sliding: 1h, functions: ["+functions+"]}}\n"))
			if err != nil {
				b.Fatal(err)
			}
			e, at := New(set, Options{}), instant(0)
			read := func(d time.Duration, v float64) {
				at.Mono, at.Time = at.Mono+d.Microseconds(), at.Time.Add(d)
				e.Apply(reading(at, "s", v), at)
			}
			for i := range 3 * 3600 {
				read(time.Second, float64(i%997))
			}
			for b.Loop() {
				read(time.Second, 1)
			}
		})
	}
}
