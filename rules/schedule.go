package rules

import (
	"fmt"
	"strings"
	"time"
	_ "time/tzdata" // the same zones on a device without any

	"holdfast"
)

// A schedule fires at minutes that a crontab line names, by the wall clock of a time zone. Each firing is an event.
//
// Time comes in through [Engine.Tick] alone: the schedule fires in the first tick of the minute. It judges each minute
// of the wall clock once and remembers which it has judged, so that no step of the clock fires an instant twice:
//
// A clock that is put back fires nothing again; what it had jumped over before fires when it comes. A clock that jumps
// forward, a tick that comes late, and a device that was off pass over instants. None is lost silently: with "missed: once", the
// last of them fires late (or the one that is due now fires) and tells how many were passed over since when; with
// "missed: skip" nothing fires, and an event says so. It looks back at most 400 days.
//
// While wall time is not synchronised, the schedule goes on by monotonic time from where it was last known in the same boot.
// Where it was not, nothing fires, an event says so ten minutes after the boot, and what was passed over is judged once
// wall time is known. The first minute of a schedule, and of one that reads differently, is never due.
//
// Readings do not matter to it, whatever their values and sensors.
type schedule struct {
	Cron string `json:"cron"`
	Zone string `json:"zone"`
	Skip bool   `json:"skip,omitempty"` // what was missed

	cron *cron
	zone *time.Location
}

func parseSchedule(f *fields) program {
	s := new(schedule)
	s.Cron = f.text("cron", func(text string) (err error) {
		s.cron, err = parseCron(text)
		return err
	})
	s.Zone = f.textOr("zone", "UTC", func(name string) (err error) {
		s.zone, err = loadZone(name)
		return err
	})
	if s.zone == nil {
		s.zone = time.UTC
	}
	missed := f.textOr("missed", "once", func(word string) error {
		if word != "once" && word != "skip" {
			return fmt.Errorf("%.70q: want once or skip", word)
		}
		return nil
	})
	s.Skip = missed == "skip"
	return s
}

// loadZone refuses Local, which is another zone on another machine.
func loadZone(name string) (*time.Location, error) {
	zone, err := time.LoadLocation(name)
	if err != nil || name == "" || strings.EqualFold(name, "local") || len(name) > 64 {
		return nil, fmt.Errorf("%.70q: want the name of a time zone, like Europe/Berlin or UTC", name)
	}
	return zone, nil
}

func (s *schedule) watches() pattern { return "" } // no sensor has this name
func (s *schedule) begin() memory    { return &timetable{schedule: s} }
func (s *schedule) standing()        {}

// A timetable is what a schedule remembers. Minutes are counted since 1970.
type timetable struct {
	schedule *schedule

	Known  *mark           `json:"known,omitempty"`  // the last instant at which wall time was synchronised
	Last   uint64          `json:"last,omitempty"`   // minute of the last tick
	Judged holdfast.Ranges `json:"judged,omitempty"` // minutes that do not fire any more
	Told   string          `json:"told,omitempty"`   // the boot in which it said that it waits
}

const (
	maxJudged  = 16            // ranges of minutes
	lookBack   = 400 * 24 * 60 // minutes
	tellAfter  = 10 * 60 * 1e6 // µs since the boot
	lastMinute = 9999 * 366 * 24 * 60
)

func (t *timetable) apply(origin, *holdfast.Reading, holdfast.Instant) []holdfast.Record { return nil }

func (t *timetable) tick(o origin, at holdfast.Instant) []holdfast.Record {
	now, known := t.wall(at)
	if !known {
		return t.wait(o, at)
	}
	unix := now.Unix() / 60
	if unix < 1 || unix > lastMinute {
		return nil
	}
	minute, last := uint64(unix), t.Last
	if minute == last {
		return nil
	}
	t.Last = minute
	if last == 0 {
		t.judged(minute)
		return nil
	}
	return t.judge(o, at, last, minute)
}

// wall returns the wall time, and whether it is known.
func (t *timetable) wall(at holdfast.Instant) (time.Time, bool) {
	if at.Synchronized {
		t.Known = newMark(at)
		return at.Time, true
	}
	if t.Known == nil || t.Known.Boot != at.Boot {
		return time.Time{}, false
	}
	return t.Known.Time.Add(micros(at.Mono - t.Known.Mono)), true
}

// wait says once in a boot that nothing fires.
func (t *timetable) wait(o origin, at holdfast.Instant) []holdfast.Record {
	if at.Mono < tellAfter || t.Told == at.Boot {
		return nil
	}
	t.Told = at.Boot
	return event(o, at, holdfast.Schedule{State: holdfast.ScheduleWaiting})
}

// judge decides about a new minute, and about those between the last one and it.
func (t *timetable) judge(o origin, at holdfast.Instant, last, minute uint64) []holdfast.Record {
	var passed []uint64 // the first and the last
	var count uint64
	if minute > last+1 {
		t.schedule.cron.between(max(last+1, minute-min(minute, lookBack)), minute-1, t.schedule.zone, func(m uint64) {
			if !t.Judged.Contains(m) {
				count++
				passed = append(passed[:min(len(passed), 1)], m)
			}
		})
	}
	due := !t.Judged.Contains(minute) && t.schedule.cron.due(minuteTime(minute).In(t.schedule.zone))
	t.judged(minute)

	s := holdfast.Schedule{State: holdfast.ScheduleFired, Due: minuteTime(minute), Missed: count}
	switch {
	case due:
	case count == 0:
		return nil
	case t.schedule.Skip:
		s.State, s.Due = holdfast.ScheduleSkipped, time.Time{}
	default:
		latest := passed[len(passed)-1]
		t.judged(latest)
		s.State, s.Due, s.Missed = holdfast.ScheduleLate, minuteTime(latest), count-1
	}
	if s.Missed > 0 {
		s.Since = minuteTime(passed[0])
	}
	return event(o, at, s)
}

func event(o origin, at holdfast.Instant, s holdfast.Schedule) []holdfast.Record {
	s.Rule, s.RuleVersion = o.rule, o.version
	return []holdfast.Record{holdfast.NewEvent(at, holdfast.EventSchedule, s)}
}

// judged notes a minute. What lies between the oldest ranges counts as judged where there are too many.
func (t *timetable) judged(minute uint64) {
	t.Judged.Add(holdfast.Range{First: minute, Last: minute})
	if len(t.Judged) > maxJudged {
		t.Judged.Add(holdfast.Range{First: t.Judged[0].First, Last: t.Judged[1].Last})
	}
}

func (t *timetable) reboot(origin, holdfast.Instant) []holdfast.Record { return nil }
func (t *timetable) retire(origin, holdfast.Instant) []holdfast.Record { return nil }

// standing is a program that watches no sensor. It remembers one thing, from the start.
type standing interface{ standing() }

// stand begins what a standing program remembers, where that is not there.
func (r *running) stand() {
	if _, ok := r.program.(standing); ok && len(r.memories) == 0 {
		r.remember(0, "", r.program.begin())
	}
}
