package rules

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"holdfast"
)

// Tumbling windows hold what was read between whole multiples of their size.
func TestTumblingModel(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p := play(t, "window: 1m", false)
		of := make(map[int64][]sample)
		for _, s := range p.samples {
			of[(s.us+30e6)/60e6] = append(of[(s.us+30e6)/60e6], s)
		}
		for i, samples := range of {
			from := i*60e6 - 30e6
			if samples[0] == p.samples[0] {
				from = max(from, p.samples[0].us)
			}
			p.expectWindow(t, from, i*60e6+30e6, samples)
		}
		p.expectNoMore(t)
	})
}

// Hopping windows end at each whole multiple of the hop and hold what was read over their size before it.
func TestHoppingModel(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p := play(t, "window: 2m, every: 30s", false)
		ends := make(map[int64]bool)
		for _, s := range p.samples {
			for i := range int64(4) {
				ends[(s.us/30e6+1+i)*30e6] = true
			}
		}
		for end := range ends {
			var samples []sample
			for _, s := range p.samples {
				if end-120e6 <= s.us && s.us < end {
					samples = append(samples, s)
				}
			}
			p.expectWindow(t, end-120e6, end, samples)
		}
		p.expectNoMore(t)
	})
}

// A sliding window ends right behind a reading and holds the last ones: all of the last 59 sixtieths of its size, none from
// before it.
func TestSlidingModel(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p := play(t, "sliding: 1m", false)
		for i, s := range p.samples {
			if i > 0 && p.samples[i-1].us == s.us || p.ticks[s.us] {
				continue // told with the first of the instant, or with the next reading
			}
			from := s.us + 1 - 60e6
			got := p.records[noon.Add(micros(from))]
			if got == nil {
				t.Fatalf("no window behind %s", clock(noon.Add(micros(s.us))))
			}
			least, most := 0, 0
			for _, o := range p.samples[:i+1] {
				if o.us > s.us-59e6 {
					least++
				}
				if o.us > s.us-60e6 {
					most++
				}
			}
			n := int(got.Count)
			if n < least || n > most {
				t.Fatalf("%d readings behind %s, want %d to %d", n, clock(noon.Add(micros(s.us))), least, most)
			}
			p.expectWindow(t, from, s.us+1, p.samples[i+1-n:i+1])
		}
		for _, a := range p.records { // what comes later at an instant comes with the next tick
			if a.Count == 0 {
				t.Fatalf("an empty window from %s", clock(a.From))
			}
		}
	})
}

// Where readings come no more often than sixty times in a window it is exact.
func TestSlidingExact(t *testing.T) {
	t.Parallel()
	e := engine(t, 1, "  - {name: w, aggregate: {sliding: 1m, functions: [count, first]}}\n")
	for i := range 200 {
		got := e.Apply(reading(instant(i), "s", float64(i)), instant(i))[0].(*holdfast.Aggregate)
		if want := uint64(min(i+1, 60)); got.Count != want || got.Values["temperature_celsius_first"] != float64(i+1-int(want)) {
			t.Fatalf("reading %d: %d readings from %v, want %d", i, got.Count, got.Values, want)
		}
	}
}

// every spaces the records of a sliding window, and the last reading is told without another one.
func TestSlidingEvery(t *testing.T) {
	t.Parallel()
	e := engine(t, 1, "  - {name: w, aggregate: {sensor: s, sliding: 1m, every: 10s, functions: [sum]}}\n")
	var got []string
	for i := range 14 {
		got = append(got, lines(e.Apply(reading(instant(i), "s", 1), instant(i)))...)
	}
	expect(t, "spaced", got, `11:59:30.000001-12:00:30.000001 w v1 [] {"sum":1} count 1`, `11:59:40.000001-12:00:40.000001 w v1 [] {"sum":11} count 11`)
	expect(t, "not yet", lines(e.Tick(instant(19))))
	expect(t, "owed", lines(e.Tick(instant(21))), `11:59:51.000001-12:00:51.000001 w v1 [] {"sum":14} count 14`)
	expect(t, "told", lines(e.Tick(instant(60))))
	e.Tick(instant(100))
	if s := e.rules[0].memories[0].(*slide); !s.Panes.empty() || s.Open != nil {
		t.Error("a silent sensor's window is kept")
	}
}

// A session ends after its gap, or at its longest.
func TestSessionModel(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p := play(t, "session: 15s, longest: 40s", false)
		var session []sample
		end := func() {
			if session != nil {
				p.expectWindow(t, session[0].us, session[len(session)-1].us+1, session)
			}
			session = nil
		}
		for _, s := range p.samples {
			if session != nil && (s.us-session[len(session)-1].us >= 15e6 || s.us-session[0].us >= 40e6) {
				end()
			}
			session = append(session, s)
		}
		end()
		p.expectNoMore(t)
	})
}

// A count window ends with its last reading; an unfinished one stays open. Windows at one instant tile on.
func TestCountModel(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p := play(t, "count: 3", false)
		past := int64(math.MinInt64)
		for chunk := range slices.Chunk(p.samples, 3) {
			if len(chunk) == 3 {
				from := max(chunk[0].us, past)
				past = max(chunk[2].us, from) + 1
				p.expectWindow(t, from, past, chunk)
			}
		}
		p.expectNoMore(t)
	})
}

// Whatever the wall clock does and however often the device boots: no two windows begin together, and no reading is in
// more windows than it may be in, nor in none.
func TestWindowsAcrossStepsAndBoots(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		window string
		most   uint64 // windows that hold one reading, where no step brings two of their ends nearer together
	}{{"window: 1m", 1}, {"window: 2m, every: 30s", 4}, {"session: 15s, longest: 40s", 1}, {"count: 1", 1}} {
		t.Run(tt.window, func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(t *rapid.T) {
				p := play(t, tt.window, true)
				var told uint64
				for _, a := range p.records {
					told += a.Count
					if a.To.Sub(a.From) > 2*time.Minute {
						t.Fatalf("a window of %v", a.To.Sub(a.From))
					}
				}
				if n := uint64(len(p.samples)); told < n || told > n*tt.most && (tt.most == 1 || p.steps == 0) {
					t.Fatalf("%d readings told %d times, want %d to %d", n, told, n, n*tt.most)
				}
			})
		})
	}
}

// across joins what all sensors read, in one window without a sensor's name.
func TestAcross(t *testing.T) {
	t.Parallel()
	e := engine(t, 1, "  - {name: w, aggregate: {sensor: \"s*\", across: true, window: 1m, functions: [sum, rate]}}\n")
	for i, sensor := range []string{"s1", "s2", "other", "s1"} {
		e.Apply(reading(instant(i), sensor, float64(i+1)), instant(i))
	}
	records := e.Tick(instant(30))
	expect(t, "one window", lines(records), `12:00:30-12:01:00 w v1 [] {"rate":1,"sum":7} count 3`)
	if a := records[0].(*holdfast.Aggregate); a.Sensor != "" {
		t.Errorf("sensor %q", a.Sensor)
	}
}

// A window of which no function has a value makes no record.
func TestRateOfOne(t *testing.T) {
	t.Parallel()
	e := engine(t, 1, "  - {name: w, aggregate: {window: 1m, functions: [rate]}}\n")
	e.Apply(reading(instant(0), "s", 1), instant(0))
	expect(t, "one reading", lines(e.Tick(instant(30))))
}

// What reboots do to windows that overlap: the newest comes out as partial.
func TestReboot(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ window, want string }{
		{"window: 2m, every: 1m", `11:59:20.000001-12:01:20.000001 w v1 [] {"sum":6} count 3 partial`},
		{"sliding: 1m, every: 30s", `12:00:20.000001-12:01:20.000001 w v1 [] {"sum":6} count 3 partial`},
		{"session: 1m", `12:00:30-12:01:20.000001 w v1 [] {"sum":6} count 3 partial`},
		{"count: 5", `12:00:30-12:01:20.000001 w v1 [] {"sum":6} count 3 partial`},
	} {
		rule := "  - {name: w, aggregate: {sensor: s, " + tt.window + ", functions: [sum]}}\n"
		e := engine(t, 1, rule)
		for i, second := range []int{0, 40, 50} {
			e.Apply(reading(instant(second), "s", float64(i+1)), instant(second))
		}
		at := instant(70)
		at.Boot, at.Mono = "boot-2", 9e6
		boot := engine(t, 1, rule)
		expect(t, tt.window, restarted(t, e, boot, at), tt.want)
		expect(t, tt.window+", once", restarted(t, boot, engine(t, 1, rule), at))
	}
}

// Every window leaves out what is bad or no number, and counts zero and negative values; a reading with nothing else, or of
// another sensor, is not there.
func TestWindowsIgnore(t *testing.T) {
	t.Parallel()
	for _, window := range []string{"window: 1m", "window: 1m, every: 30s", "sliding: 1m, every: 30s", "session: 20s", "count: 2"} {
		e := engine(t, 1, "  - {name: w, aggregate: {sensor: s, quantities: [temperature_celsius], "+window+", functions: [sum, min]}}\n")
		bad := reading(instant(0), "s", 9)
		bad.Quality = map[string]holdfast.Quality{"temperature_celsius": holdfast.Bad}
		var records []holdfast.Record
		for _, r := range []*holdfast.Reading{reading(instant(0), "s", 0), bad, reading(instant(0), "s", math.NaN()), reading(instant(0), "s", math.Inf(1)),
			reading(instant(0), "x", 9), {Time: noon, Mono: instant(0).Mono, Sensor: "s", Values: map[string]float64{"humidity_percent": 9}}, reading(instant(5), "s", -3)} {
			records = append(records, e.Apply(r, holdfast.Instant{Boot: "boot-1"})...)
		}
		records = append(records, e.Tick(instant(40))...)
		last := records[len(records)-1].(*holdfast.Aggregate)
		if want := map[string]float64{"temperature_celsius_sum": -3, "temperature_celsius_min": -3}; last.Count != 2 || !maps.Equal(last.Values, want) {
			t.Errorf("%s: %v of %d readings, want %v of 2", window, last.Values, last.Count, want)
		}
	}
}

// Bounds that are a guess say so, and are corrected once the clock is synchronised within the boot.
func TestWindowsUnsynchronised(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ window, guess, corrected string }{
		{"window: 1m, every: 30s", `08:59:59.999999-09:00:59.999999 w v1 [] {"sum":1} count 1 guess boot-1+17m9.999999s`, `11:59:59.999999-12:00:59.999999 w v1 [] {"sum":1} count 1`},
		{"session: 20s", `09:00:30-09:00:30.000001 w v1 [] {"sum":1} count 1 guess boot-1+16m40.000001s`, `12:00:30-12:00:30.000001 w v1 [] {"sum":1} count 1`},
		{"sliding: 1m, every: 30s", `09:00:01.000001-09:01:01.000001 w v1 [] {"sum":2} count 2 guess boot-1+17m11.000001s`, `12:00:01.000001-12:01:01.000001 w v1 [] {"sum":2} count 2`},
	} {
		for _, synchronised := range []bool{false, true} {
			e := engine(t, 1, "  - {name: w, aggregate: {sensor: s, "+tt.window+", functions: [sum]}}\n")
			at := func(seconds int) holdfast.Instant {
				i := instant(seconds)
				i.Time, i.Synchronized = i.Time.Add(-3*time.Hour), false
				return i
			}
			e.Apply(reading(at(0), "s", 1), at(0))
			end, want := at(31), tt.guess
			if synchronised {
				end, want = instant(31), tt.corrected
			}
			if strings.HasPrefix(tt.window, "sliding") {
				e.Apply(reading(at(1), "s", 1), at(1))
			}
			expect(t, tt.window, lines(e.Tick(end)), want)
		}
	}
}

// The last window of a rule that is gone has its bounds corrected too.
func TestSlidingRetired(t *testing.T) {
	t.Parallel()
	e := engine(t, 1, "  - {name: w, aggregate: {sensor: s, sliding: 1m, every: 30s, functions: [sum]}}\n")
	for second := range 2 {
		at := instant(second)
		at.Time, at.Synchronized = at.Time.Add(-3*time.Hour), false
		e.Apply(reading(at, "s", 1), at)
	}
	expect(t, "gone", restarted(t, e, engine(t, 2, " []"), instant(5)), `11:59:31.000001-12:00:31.000001 w v1 [] {"sum":2} count 2 partial`)
}

func TestMemoryIsBounded(t *testing.T) {
	t.Parallel()
	one := engine(t, 1, "  - {name: r, threshold: {quantity: temperature_celsius, above: 1}}\n")
	one.Apply(reading(instant(0), "s", 2), instant(0))
	if one.bytes() != leastBytes {
		t.Errorf("a threshold counts %d bytes, want %d", one.bytes(), leastBytes)
	}
	set, err := Parse("test", []byte("version: 1\nrules:\n  - {name: w, aggregate: {sliding: 24h, functions: [p50]}}\n"))
	if err != nil {
		t.Fatal(err)
	}
	var broken error
	e := New(set, Options{Broken: func(_ string, err error) { broken = err }})
	for i := range 200 {
		e.Apply(reading(instant(0), fmt.Sprint("s", i), 2), instant(0))
	}
	if n := len(e.rules[0].memories); broken == nil || n == 0 || n == 200 || e.bytes() > maxBytes {
		t.Errorf("%d sensors, %d bytes, reported %v", n, e.bytes(), broken)
	}
}
