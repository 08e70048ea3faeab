package rules

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"holdfast"
)

// fired writes the events of schedules as one line each.
func fired(records []holdfast.Record) []string {
	var out []string
	for _, record := range records {
		var s holdfast.Schedule
		e := record.(*holdfast.Event)
		if err := json.Unmarshal(e.Data, &s); err != nil || e.Event != holdfast.EventSchedule || e.Validate() != nil {
			out = append(out, fmt.Sprintf("%s %v", e.Event, err))
		}
		line := fmt.Sprintf("%s %s v%d %s", clock(e.Time), s.Rule, s.RuleVersion, s.State)
		if !s.Due.IsZero() {
			line += " " + s.Due.Format("02 15:04")
		}
		if s.Missed > 0 {
			line += fmt.Sprintf(" missed %d since %s", s.Missed, s.Since.Format("02 15:04"))
		}
		out = append(out, line)
	}
	return out
}

// ticks lets time pass, a tick each half minute, and returns what fires.
func ticks(e *Engine, from, to int) []string {
	var out []string
	for second := from; second <= to; second += 30 {
		out = append(out, fired(e.Tick(instant(second)))...)
	}
	return out
}

// stepped is an instant whose wall clock is off by a time.
func stepped(seconds int, by time.Duration) holdfast.Instant {
	at := instant(seconds)
	at.Time = at.Time.Add(by)
	return at
}

const everyTen = `
  - {name: ten, schedule: {cron: "*/10 * * * *"}}`

func TestSchedule(t *testing.T) {
	t.Parallel()
	e := engine(t, 1, everyTen) // noon is 12:00:30
	expect(t, "not in its first minute, then once each", ticks(e, 0, 1800),
		"12:10:00 ten v1 fired 01 12:10", "12:20:00 ten v1 fired 01 12:20", "12:30:00 ten v1 fired 01 12:30")
	expect(t, "a reading is nothing to it", fired(e.Apply(reading(instant(2400), "s", 0), instant(2400))))
	expect(t, "a late tick", fired(e.Tick(instant(2400+570))), "12:50:00 ten v1 fired 01 12:50 missed 1 since 01 12:40")

	e = engine(t, 1, `
  - {name: six, schedule: {cron: "0 6 * * *", zone: Asia/Tokyo}}`) // 21:00 UTC
	at := holdfast.Instant{Time: noon, Boot: "b", Mono: 1, Synchronized: true}
	e.Tick(at)
	at.Time = time.Date(2026, 5, 1, 20, 59, 59, 0, time.UTC)
	expect(t, "before", fired(e.Tick(at)))
	at.Time = at.Time.Add(time.Second)
	expect(t, "at six", fired(e.Tick(at)), "21:00:00 six v1 fired 01 21:00")
}

// No step fires an instant twice, and none passes over one silently.
func TestScheduleClockStep(t *testing.T) {
	t.Parallel()
	const hour = time.Hour
	for rule, want := range map[string][]string{
		"once": {"13:11:00 ten v1 late 01 13:10 missed 5 since 01 12:20"},
		"skip": {"13:11:00 ten v1 skipped missed 6 since 01 12:20"},
	} {
		e := engine(t, 1, `
  - {name: ten, schedule: {cron: "*/10 * * * *", missed: `+rule+`}}`)
		expect(t, rule+": goes", ticks(e, 0, 600), "12:10:00 ten v1 fired 01 12:10")
		expect(t, rule+": forward", fired(e.Tick(stepped(630, hour))), want...)
		// Back where it was: 12:10 has been; 12:20 to 13:00 fire when they come; 13:10 only where it had not.
		expect(t, rule+": back", fired(e.Tick(stepped(660, -2*time.Minute))))
		var got []string
		for second := 690; second <= 690+3600; second += 30 {
			got = append(got, fired(e.Tick(instant(second)))...)
		}
		wanted := []string{"12:20:00 ten v1 fired 01 12:20", "12:30:00 ten v1 fired 01 12:30", "12:40:00 ten v1 fired 01 12:40", "12:50:00 ten v1 fired 01 12:50", "13:00:00 ten v1 fired 01 13:00"}
		if rule == "skip" {
			wanted = append(wanted, "13:10:00 ten v1 fired 01 13:10")
		}
		expect(t, rule+": and on", got, wanted...)
	}
}

// Without wall time the schedule goes on where it knows the time from before in the same boot, and else says that it waits.
func TestScheduleUnsynchronized(t *testing.T) {
	t.Parallel()
	e := engine(t, 1, everyTen)
	expect(t, "known", ticks(e, 0, 0))
	lost := func(seconds int, boot string) holdfast.Instant {
		at := stepped(seconds, -9000*time.Hour)
		at.Synchronized, at.Boot = false, boot
		return at
	}
	expect(t, "by monotonic time", fired(e.Tick(lost(570, "boot-1"))), clock(lost(570, "boot-1").Time)+" ten v1 fired 01 12:10")

	next := engine(t, 1, everyTen)
	early := lost(700, "boot-2")
	early.Mono = 599e6
	data, _ := whole(e)
	if records, err := restore(next, data, early); err != nil || len(records) != 0 {
		t.Fatal(records, err)
	}
	expect(t, "just booted", fired(next.Tick(early)))
	early.Mono = 600e6
	expect(t, "says that it waits", fired(next.Tick(early)), clock(early.Time)+" ten v1 waiting")
	early.Mono = 601e6
	expect(t, "once", fired(next.Tick(early)))
	at := instant(1800 + 60)
	at.Boot, at.Mono = "boot-2", 700e6
	expect(t, "and judges what was passed over", fired(next.Tick(at)), "12:31:30 ten v1 late 01 12:30 missed 1 since 01 12:20")
}

func TestScheduleRestart(t *testing.T) {
	t.Parallel()
	e := engine(t, 1, everyTen)
	expect(t, "fires", ticks(e, 0, 600), "12:10:00 ten v1 fired 01 12:10")
	next := engine(t, 2, everyTen)
	expect(t, "restart", restarted(t, e, next, instant(600)))
	expect(t, "not twice, and goes on", ticks(next, 570, 1200), "12:20:00 ten v2 fired 01 12:20")
	changed := engine(t, 3, `
  - {name: ten, schedule: {cron: "*/10 * * * *", zone: Asia/Tokyo}}`)
	expect(t, "reads differently", restarted(t, next, changed, instant(1770)))
	expect(t, "begins anew", ticks(changed, 1770, 2400), "12:40:00 ten v3 fired 01 12:40")
	fresh := engine(t, 1, everyTen)
	if _, err := restore(fresh, []byte(`{"v":1,"boot":"boot-1","rules":[{"name":"ten","kind":"schedule","program":{"cron":"*/10 * * * *","zone":"UTC"},"sensors":{"":7}}]}`), instant(0)); err == nil {
		t.Error("a damaged timetable: no error")
	}
	expect(t, "damaged", ticks(fresh, 0, 600), "12:10:00 ten v1 fired 01 12:10")
}

// The timetable against a plain book of minutes, through steps of the clock both ways, gaps and restarts.
func TestScheduleModel(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		every := rapid.IntRange(1, 7).Draw(t, "every")
		skip := rapid.Bool().Draw(t, "skip")
		rule := fmt.Sprintf("version: 1\nrules:\n  - {name: r, schedule: {cron: '*/%d * * * *', missed: %s}}\n", every, map[bool]string{true: "skip", false: "once"}[skip])
		set, err := Parse("f", []byte(rule))
		if err != nil {
			t.Fatal(err)
		}
		e := New(set, Options{})
		book, last := make(map[int]bool), 0
		minute := rapid.IntRange(30_000_000, 30_000_100).Draw(t, "begin")
		e.Tick(holdfast.Instant{Time: minuteTime(uint64(minute)), Boot: "b", Synchronized: true})
		book[minute], last = true, minute
		for range rapid.IntRange(1, 40).Draw(t, "n") {
			minute += rapid.SampledFrom([]int{0, 1, 1, 1, 1, 2, 15, -1, -9, 40}).Draw(t, "step")
			if rapid.IntRange(0, 4).Draw(t, "restart") == 0 {
				data, err := whole(e)
				if err != nil {
					t.Fatal(err)
				}
				e = New(set, Options{})
				if _, err := restore(e, data, holdfast.Instant{Boot: "b"}); err != nil {
					t.Fatal(err)
				}
			}
			at := holdfast.Instant{Time: minuteTime(uint64(minute)), Boot: "b", Synchronized: true}
			due := func(m int) bool { return m%60%every == 0 && !book[m] }
			var passed []int
			for m := last + 1; m < minute; m++ {
				if due(m) {
					passed = append(passed, m)
				}
			}
			want, missed := "", len(passed)
			switch {
			case minute == last:
				missed = 0
			case due(minute):
				want = "fired " + at.Time.Format("02 15:04")
			case missed > 0 && skip:
				want = "skipped"
			case missed > 0:
				missed--
				book[passed[missed]] = true
				want = "late " + minuteTime(uint64(passed[missed])).Format("02 15:04")
			}
			if missed > 0 {
				want += fmt.Sprintf(" missed %d since %s", missed, minuteTime(uint64(passed[0])).Format("02 15:04"))
			}
			book[minute], last = true, minute
			got := fired(e.Tick(at))
			if want != "" {
				want = clock(at.Time) + " r v1 " + want
			}
			if len(got) > 1 || want != "" && len(got) == 0 || len(got) == 1 && got[0] != want {
				t.Fatalf("%q, want %q", got, want)
			}
		}
	})
}

// However often the clock jumps, what a schedule remembers stays small.
func TestScheduleIsBounded(t *testing.T) {
	t.Parallel()
	e := engine(t, 1, everyTen)
	for i := range 1000 {
		e.Tick(holdfast.Instant{Time: noon.Add(time.Duration(i) * time.Hour), Boot: "b", Synchronized: true})
	}
	if n := len(e.rules[0].memories[0].(*timetable).Judged); n > maxJudged {
		t.Errorf("%d ranges, want at most %d", n, maxJudged)
	}
	for rule, missed := range map[string]string{everyTen: "missed 57600 since", `
  - {name: six, schedule: {cron: "0 6 * * *", zone: Europe/Berlin}}`: "missed 400 since"} {
		e := engine(t, 1, rule)
		e.Tick(holdfast.Instant{Time: noon, Boot: "b", Synchronized: true})
		began := time.Now()
		got := fired(e.Tick(holdfast.Instant{Time: noon.Add(100_000 * time.Hour), Boot: "b", Synchronized: true}))
		took := time.Since(began)
		t.Logf("a jump of eleven years: %v, %v", took, got)
		if len(got) != 1 || !strings.Contains(got[0], missed) || took > time.Second {
			t.Errorf("%q in %v, want one event at once", got, took)
		}
	}
}
