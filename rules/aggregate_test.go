package rules

import (
	"maps"
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"holdfast"
)

const minute = `
  - {name: minute, aggregate: {sensor: s, window: 1m, functions: [mean, sum, min, max, count]}}`

// The first window begins at its first reading and ends at a whole minute; the next ones tile from there.
func TestAggregate(t *testing.T) {
	t.Parallel()
	e := engine(t, 3, minute)
	for i, v := range []float64{-4, 0, 1} {
		at := instant(10 * i)
		expect(t, "within the window", lines(e.Apply(reading(at, "s", v), at)))
	}
	expect(t, "before the end", lines(e.Tick(instant(29))))
	expect(t, "the first window", lines(e.Tick(instant(30))), `12:00:30-12:01:00 minute v3 [] {"count":3,"max":1,"mean":-1,"min":-4,"sum":-3} count 3`)
	expect(t, "nothing", lines(e.Tick(instant(60))))

	e.Apply(reading(instant(50), "s", 5), instant(50))
	got := lines(e.Apply(reading(instant(90), "s", 7), instant(90)))
	expect(t, "a reading at the end", got, `12:01:00-12:02:00 minute v3 [] {"count":1,"max":5,"mean":5,"min":5,"sum":5} count 1`)
	expect(t, "empty windows make nothing", lines(e.Tick(instant(600))), `12:02:00-12:03:00 minute v3 [] {"count":1,"max":7,"mean":7,"min":7,"sum":7} count 1`)
	e.Apply(reading(instant(630), "s", 9), instant(630))
	expect(t, "after a gap", lines(e.Tick(instant(700))), `12:11:00-12:12:00 minute v3 [] {"count":1,"max":9,"mean":9,"min":9,"sum":9} count 1`)
}

// A glob makes a group for each sensor; chosen quantities leave the others alone; bad values are left out.
func TestAggregateGroups(t *testing.T) {
	t.Parallel()
	e := engine(t, 1, `
  - {name: m, aggregate: {quantities: [temperature_celsius], window: 1m, functions: [sum]}}`)
	for _, sensor := range []string{"b", "a"} {
		r := reading(instant(0), sensor, 1)
		r.Values["humidity_percent"] = 40
		e.Apply(r, instant(0))
	}
	bad := reading(instant(1), "a", 99)
	bad.Quality = map[string]holdfast.Quality{"temperature_celsius": holdfast.Bad}
	e.Apply(bad, instant(1))
	e.Apply(&holdfast.Reading{Time: noon, Mono: instant(1).Mono, Sensor: "a", Values: map[string]float64{"humidity_percent": 1}}, instant(1))

	records := e.Tick(instant(30))
	expect(t, "one for each sensor", lines(records), `12:00:30-12:01:00 m v1 [a] {"sum":1} count 1`, `12:00:30-12:01:00 m v1 [b] {"sum":1} count 1`)
	if got := records[0].(*holdfast.Aggregate); got.Sensor != "a" || !got.Time.Equal(got.To) || got.Values["temperature_celsius_sum"] != 1 {
		t.Errorf("got %+v", got)
	}

	one := engine(t, 1, `
  - {name: m, aggregate: {window: 1m, functions: [sum]}}`)
	r := reading(instant(0), "a", 1)
	r.Values["humidity_percent"] = 40
	one.Apply(r, instant(0))
	if got := one.Tick(instant(30))[0].(*holdfast.Aggregate).Values; !maps.Equal(got, map[string]float64{"temperature_celsius_sum": 1, "humidity_percent_sum": 40}) {
		t.Errorf("all quantities: %v", got)
	}
}

// While there is no wall time windows run from reading to reading on monotonic time and say that their bounds are a
// guess; once it comes, a guess is corrected and the next window ends at a whole minute.
func TestAggregateUnsynchronised(t *testing.T) {
	t.Parallel()
	e := engine(t, 1, minute)
	at := func(seconds int) holdfast.Instant {
		i := instant(seconds)
		i.Time, i.Synchronized = i.Time.Add(-3*time.Hour), false
		return i
	}
	e.Apply(reading(at(0), "s", 1), at(0))
	expect(t, "30 s", lines(e.Tick(at(30))))
	expect(t, "a guess", lines(e.Tick(at(61))), `09:00:30-09:01:30 minute v1 [] {"count":1,"max":1,"mean":1,"min":1,"sum":1} count 1 guess boot-1+17m40s`)
	e.Apply(reading(at(70), "s", 2), at(70))
	expect(t, "corrected", lines(e.Tick(instant(140))), `12:01:40-12:02:40 minute v1 [] {"count":1,"max":2,"mean":2,"min":2,"sum":2} count 1`)
	e.Apply(reading(instant(140), "s", 3), instant(140))
	expect(t, "aligned", lines(e.Tick(instant(200))), `12:02:50-12:03:00 minute v1 [] {"count":1,"max":3,"mean":3,"min":3,"sum":3} count 1`)

	// What the wall clock was before it lost its synchronisation still aligns.
	e.Apply(reading(at(215), "s", 4), at(215))
	expect(t, "by the last window", lines(e.Tick(at(300))), `12:04:00-12:05:00 minute v1 [] {"count":1,"max":4,"mean":4,"min":4,"sum":4} count 1 guess boot-1+21m10s`)
}

func TestAggregateClockSteps(t *testing.T) {
	t.Parallel()
	stepped := func(seconds int, step time.Duration) holdfast.Instant {
		at := instant(seconds)
		at.Time = at.Time.Add(step)
		return at
	}
	e := engine(t, 1, minute)
	e.Apply(reading(instant(0), "s", 1), instant(0))
	expect(t, "a step of an hour does not end it", lines(e.Tick(stepped(20, time.Hour))))
	expect(t, "monotonic time does", lines(e.Tick(stepped(30, time.Hour))), `12:00:30-12:01:00 minute v1 [] {"count":1,"max":1,"mean":1,"min":1,"sum":1} count 1`)
	ahead := stepped(40, time.Hour)
	e.Apply(reading(ahead, "s", 2), ahead)
	expect(t, "an hour ahead", lines(e.Tick(stepped(90, time.Hour))), `13:01:00-13:02:00 minute v1 [] {"count":1,"max":2,"mean":2,"min":2,"sum":2} count 1`)

	// Back among windows that have been: not aligned, so that none is replaced.
	e.Apply(reading(instant(100), "s", 3), instant(100))
	expect(t, "back", lines(e.Tick(instant(160))), `12:02:10-12:03:10 minute v1 [] {"count":1,"max":3,"mean":3,"min":3,"sum":3} count 1`)

	// Back onto the very beginning of one that has been: it is not replaced either.
	onto := stepped(210, -2*time.Minute) // 12:02:00
	e.Apply(reading(onto, "s", 4), onto)
	expect(t, "onto", lines(e.Tick(stepped(270, -2*time.Minute))), `12:01:59.999999-12:02:59.999999 minute v1 [] {"count":1,"max":4,"mean":4,"min":4,"sum":4} count 1`)

	// A slew of 5 ms against the windows keeps them tiling.
	e = engine(t, 1, minute)
	e.Apply(reading(instant(0), "s", 1), instant(0))
	slow := stepped(30, -5*time.Millisecond)
	e.Apply(reading(slow, "s", 2), slow)
	expect(t, "slewed", lines(e.Tick(stepped(91, -5*time.Millisecond))), `12:01:00-12:02:00 minute v1 [] {"count":1,"max":2,"mean":2,"min":2,"sum":2} count 1`)
}

func TestAggregateRestart(t *testing.T) {
	t.Parallel()
	before := engine(t, 1, minute)
	before.Apply(reading(instant(-10), "s", 0), instant(-10))
	before.Apply(reading(instant(-5), "s", -1), instant(-5))
	before.Tick(instant(30))
	before.Apply(reading(instant(31), "s", 4), instant(31))
	before.Apply(reading(instant(40), "s", 6), instant(40))

	same := engine(t, 1, minute)
	expect(t, "restart", restarted(t, before, same, instant(50)))
	same.Apply(reading(instant(60), "s", 2), instant(60))
	expect(t, "goes on", lines(same.Tick(instant(90))), `12:01:00-12:02:00 minute v1 [] {"count":3,"max":6,"mean":4,"min":2,"sum":12} count 3`)

	// After a reboot the open window comes out as partial, and the next one does not take its key.
	boot := engine(t, 1, minute)
	at := holdfast.Instant{Time: instant(60).Time, Boot: "boot-2", Mono: 15e6, Synchronized: true}
	partial := `12:01:00-12:01:10.000001 minute v1 [] {"count":2,"max":6,"mean":5,"min":4,"sum":10} count 2 partial`
	expect(t, "reboot", restarted(t, before, boot, at), partial)
	boot.Apply(reading(at, "s", 2), at)
	at.Time, at.Mono = at.Time.Add(time.Minute), at.Mono+60e6
	expect(t, "the rest of the minute", lines(boot.Tick(at)), `12:01:30-12:02:00 minute v1 [] {"count":1,"max":2,"mean":2,"min":2,"sum":2} count 1`)

	before.Tick(instant(90))
	idle := engine(t, 1, minute)
	at = holdfast.Instant{Time: instant(300).Time, Boot: "boot-2", Mono: 15e6, Synchronized: true}
	expect(t, "reboot with nothing open", restarted(t, before, idle, at))
	idle.Apply(reading(at, "s", 2), at)
	at.Time, at.Mono = at.Time.Add(time.Minute), at.Mono+60e6
	expect(t, "the first of a boot", lines(idle.Tick(at)), `12:05:30-12:06:00 minute v1 [] {"count":1,"max":2,"mean":2,"min":2,"sum":2} count 1`)
}

// A clock that was put back before a reboot comes again to where a partial window began: the next one does not take its key.
func TestAggregateRebootBehindStep(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		wait int
		want string
	}{{60, "12:03:59.999999-12:04:00.000001"}, {61, "12:04:01-12:04:01.000001"}} {
		e := engine(t, 1, minute)
		at := instant(0)
		boot := func(second int) []string {
			at = instant(second)
			at.Boot, at.Mono = at.Boot+clock(at.Time), 5e6
			next := engine(t, 1, minute)
			got := restarted(t, e, next, at)
			e = next
			return got
		}
		read := func(seconds int) []string {
			at.Mono, at.Time = at.Mono+int64(seconds)*1e6, at.Time.Add(time.Duration(seconds)*time.Second)
			return lines(e.Apply(reading(at, "s", 1), at))
		}
		read(0)
		read(240)
		expect(t, "reboot", boot(150), `12:04:00-12:04:30.000001 minute v1 [] {"count":1,"max":1,"mean":1,"min":1,"sum":1} count 1 partial`)
		read(0)
		expect(t, "aligned again", read(tt.wait), `12:02:59.999999-12:04:00 minute v1 [] {"count":1,"max":1,"mean":1,"min":1,"sum":1} count 1`)
		expect(t, "12:04:00 is taken", boot(211), tt.want+` minute v1 [] {"count":1,"max":1,"mean":1,"min":1,"sum":1} count 1 partial`)
	}
}

func TestAggregateRetired(t *testing.T) {
	t.Parallel()
	before := engine(t, 1, minute)
	before.Apply(reading(instant(0), "s", 4), instant(0))
	before.Apply(reading(instant(10), "s", 6), instant(10))
	partial := `12:00:30-12:00:40.000001 minute v1 [] {"count":2,"max":6,"mean":5,"min":4,"sum":10} count 2 partial`
	expect(t, "rule gone", restarted(t, before, engine(t, 2, " []"), instant(20)), partial)
	hour := engine(t, 2, `
  - {name: minute, aggregate: {sensor: s, window: 1h, functions: [mean]}}`)
	expect(t, "rule changed", restarted(t, before, hour, instant(20)), partial)
}

// An unsynchronised window of an earlier boot says which boot its guess belongs to.
func TestAggregateGuessOfEarlierBoot(t *testing.T) {
	t.Parallel()
	before := engine(t, 1, minute)
	at := instant(0)
	at.Synchronized = false
	before.Apply(reading(at, "s", 1), at)
	got := restarted(t, before, engine(t, 1, minute), holdfast.Instant{Time: noon.Add(time.Hour), Boot: "boot-2", Mono: 1e6, Synchronized: true})
	expect(t, "reboot", got, `12:00:30-12:00:30.000001 minute v1 [] {"count":1,"max":1,"mean":1,"min":1,"sum":1} count 1 partial guess boot-1+16m40.000001s`)
}

func TestSumIsStable(t *testing.T) {
	t.Parallel()
	for _, values := range [][]float64{{1e16, 1, 1, -1e16}, {1, 1e100, 1, -1e100}} {
		var s sum
		for _, v := range values {
			s.add(v)
		}
		if s.total() != 2 || s.mean() != 0.5 {
			t.Errorf("%v: sum %v, mean %v, want 2, 0.5", values, s.total(), s.mean())
		}
	}
}

// Whatever the clocks and restarts do: every reading is in exactly one aggregate, every record is one that the wire
// carries, and no two aggregates have the same key.
func TestAggregateModel(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		set, err := Parse("test", []byte("version: 1\nrules:"+minute))
		if err != nil {
			t.Fatal(err)
		}
		broken := func(rule string, err error) { t.Fatalf("rule %s: %v", rule, err) }
		e := New(set, Options{Broken: broken})
		at := instant(0)
		var applied, counted uint64
		var total, summed float64
		begins := make(map[time.Time]bool)
		check := func(records []holdfast.Record) {
			for _, record := range records {
				a := record.(*holdfast.Aggregate)
				if begins[a.From] {
					t.Fatalf("a second aggregate from %s", clock(a.From))
				}
				begins[a.From] = true
				counted += a.Count
				summed += a.Values["temperature_celsius_sum"]
				if length := a.To.Sub(a.From); length > 90*time.Second {
					t.Fatalf("a window of %v", length)
				}
			}
		}
		restore := func() {
			data, err := whole(e)
			if err != nil {
				t.Fatal(err)
			}
			e = New(set, Options{Broken: broken})
			records, err := restore(e, data, at)
			if err != nil {
				t.Fatal(err)
			}
			check(records)
		}
		t.Repeat(map[string]func(*rapid.T){
			"": func(*rapid.T) {
				at.Mono += 1_000_003 // odd, so that guessed beginnings differ
				at.Time = at.Time.Add(1_000_003 * time.Microsecond)
			},
			"read": func(t *rapid.T) {
				v := float64(rapid.IntRange(-5, 5).Draw(t, "v"))
				applied, total = applied+1, total+v
				check(e.Apply(reading(at, "s", v), at))
			},
			"wait": func(t *rapid.T) {
				us := rapid.Int64Range(1, 200_000_000).Draw(t, "us")
				at.Mono += us
				at.Time = at.Time.Add(micros(us))
				check(e.Tick(at))
			},
			"step":    func(t *rapid.T) { at.Time = at.Time.Add(micros(rapid.Int64Range(-3e8, 3e8).Draw(t, "us"))) },
			"sync":    func(t *rapid.T) { at.Synchronized = rapid.Bool().Draw(t, "synchronised") },
			"restart": func(*rapid.T) { restore() },
			"reboot": func(*rapid.T) {
				at.Boot, at.Mono = at.Boot+"'", 7e6
				if len(at.Boot) > 60 {
					at.Boot = "boot-2"
				}
				restore()
			},
		})
		at.Mono += 3600e6
		check(e.Tick(at))
		if counted != applied || math.Abs(summed-total) > 1e-6 {
			t.Fatalf("%d readings of sum %v in aggregates, %d of sum %v applied", counted, summed, applied, total)
		}
	})
}
