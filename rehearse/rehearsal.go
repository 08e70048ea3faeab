package rehearse

import (
	"encoding/json"
	"fmt"
	"time"

	"holdfast"
	"holdfast/rules"
)

const (
	second = int64(1e6) // µs
	begin  = second     // monotonic time of the first second; a reading with 0 would have none
)

// A Rehearsal is a set at work on readings of the past. It is for one goroutine.
type Rehearsal struct {
	engine *rules.Engine
	o      Options

	start   time.Time // the whole second of the first reading; zero before it
	now     int64     // monotonic time, µs
	tick    int64     // that of the next tick
	reading holdfast.Reading
	alerts  int

	report  Report
	byName  map[string]*Rule
	derived map[string]*Rule    // by the quantity that it derives
	open    map[string]*Episode // by the alert's ID
	bursts  bursts
	traffic traffic
}

// Options are who else is told. Both may be nil.
type Options struct {
	See   func(holdfast.Record) // each record that would have gone up beside the readings, in order
	Order func(rules.Order)     // each order that the rules would have given, behind the record it follows from
}

// New returns a rehearsal of a set that has read nothing yet.
func New(set *rules.Set, o Options) *Rehearsal {
	if o.See == nil {
		o.See = func(holdfast.Record) {}
	}
	if o.Order == nil {
		o.Order = func(rules.Order) {}
	}
	r := &Rehearsal{o: o, byName: map[string]*Rule{}, derived: map[string]*Rule{}, open: map[string]*Episode{}}
	defined := set.Rules()
	r.report.Rules = make([]Rule, len(defined))
	for i, d := range defined {
		rule := &r.report.Rules[i]
		rule.Name, rule.Kind = d.Name, d.Kind
		r.byName[d.Name] = rule
		if d.Derives != "" {
			r.derived[d.Derives] = rule
		}
	}
	r.engine = rules.New(set, rules.Options{
		NewID:  func() string { r.alerts++; return fmt.Sprintf("rehearsed-%d", r.alerts) },
		Broken: func(rule string, err error) { r.byName[rule].Failure = err.Error() },
	})
	return r
}

// Read takes the next reading, by its time. One that lies before what has been does not turn time back.
func (r *Rehearsal) Read(reading *holdfast.Reading) {
	if r.start.IsZero() {
		r.start = reading.Time.Truncate(time.Second)
		r.now, r.tick = begin, begin
		r.report.From = reading.Time
	}
	r.pass(max(r.now, begin+reading.Time.Sub(r.start).Microseconds()))
	if reading.Time.After(r.report.To) {
		r.report.To = reading.Time
	}
	r.reading = *reading
	r.reading.Mono, r.reading.Clock = r.now, nil
	at := r.instant(r.now)
	records := r.engine.Apply(&r.reading, at)
	r.report.Readings++
	fate := r.engine.Fate()
	burst := r.bursts.on(reading.Sensor, r.now) || r.engine.BurstOrdered(reading.Sensor)
	if fate.Withheld != "" && !burst {
		r.report.Traffic.Withheld++
		r.byName[fate.Withheld].fired(at.Time)
	} else {
		r.report.Traffic.Readings++
		r.traffic.add(&r.reading, r.now)
	}
	if fate.Route != "" {
		r.report.Traffic.route(fate.Route)
	}
	r.take(records, at)
}

// pass lets time pass up to a monotonic time.
func (r *Rehearsal) pass(to int64) {
	for r.tick <= to {
		at := r.instant(r.tick)
		if wake := r.engine.Wake(at); wake > r.tick {
			ahead := min(wake, to+1) - r.tick
			r.tick += (ahead + second - 1) / second * second
			continue
		}
		r.now = r.tick
		r.take(r.engine.Tick(at), at)
		r.tick += second
	}
	r.now = to
}

func (r *Rehearsal) instant(mono int64) holdfast.Instant {
	return holdfast.Instant{Time: r.start.Add(time.Duration(mono-begin) * time.Microsecond), Boot: "rehearsal", Mono: mono, Synchronized: true}
}

// take counts what follows from a reading or from time.
func (r *Rehearsal) take(records []holdfast.Record, at holdfast.Instant) {
	for _, record := range records {
		size := r.traffic.add(record, r.now)
		if rule := r.note(record, at.Time); rule != nil {
			rule.Records++
			rule.Bytes += uint64(size)
		}
		r.o.See(record)
	}
	for _, order := range r.engine.Orders() {
		r.byName[order.Rule].order(&order)
		r.bursts.order(&order)
		r.o.Order(order)
	}
}

// note counts one record for the rule that made it, which it returns.
func (r *Rehearsal) note(record holdfast.Record, at time.Time) *Rule {
	t := &r.report.Traffic
	switch record := record.(type) {
	case *holdfast.Alert:
		t.Alerts++
		return r.step(record)
	case *holdfast.Aggregate:
		t.Aggregates++
		rule := r.byName[record.Rule]
		rule.fired(record.To)
		return rule
	case *holdfast.Event:
		t.Events++
		var s holdfast.Schedule
		if json.Unmarshal(record.Data, &s) != nil {
			return nil
		}
		rule := r.byName[s.Rule]
		if rule != nil && s.State != holdfast.ScheduleSkipped {
			rule.fired(at)
		}
		return rule
	case *holdfast.Reading:
		t.Derived++
		for quantity := range record.Values { // the one
			rule := r.derived[quantity]
			rule.fired(at)
			return rule
		}
	}
	return nil
}

// step follows an alert through its life.
func (r *Rehearsal) step(a *holdfast.Alert) *Rule {
	rule := r.byName[a.Rule]
	switch a.State {
	case holdfast.Raised:
		rule.fired(a.Time)
		e := &Episode{Sensor: a.Sensor, Raised: a.Time, Peak: a.Peak, Threshold: a.Threshold}
		r.open[a.ID] = e
		if len(rule.Episodes) < MaxEpisodes {
			rule.Episodes = append(rule.Episodes, e)
		}
	case holdfast.Cleared:
		e := r.open[a.ID]
		e.Cleared, e.Peak = a.Time, a.Peak
		rule.Seconds += a.Time.Sub(e.Raised).Seconds()
		delete(r.open, a.ID)
	}
	return rule
}

// Report returns what has been so far. The rehearsal may go on; the report is not changed by that.
func (r *Rehearsal) Report() Report {
	report := r.report
	report.Rules = make([]Rule, len(r.report.Rules))
	failures := r.engine.Failures()
	for i, rule := range r.report.Rules {
		rule.Failures = failures[rule.Name]
		episodes := rule.Episodes
		rule.Episodes = nil
		for _, e := range episodes {
			copied := *e
			rule.Episodes = append(rule.Episodes, &copied)
		}
		rule.Actions = rule.acted(r.instant(r.now))
		report.Rules[i] = rule
	}
	r.traffic.report(&report.Traffic)
	return report
}
