package policy

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"holdfast"
)

var limits = Limits{Latency: 100 * time.Millisecond, Cost: 0.5, Stability: 0.7}

var (
	first   = Decision{}
	raw     = Decision{holdfast.EdgeRaw, holdfast.EdgeCloud}
	hold    = Decision{holdfast.EdgeHold, holdfast.EdgeRedundancy}
	full    = Decision{holdfast.EdgeAggregate, holdfast.EdgeRedundancy}
	dear    = Decision{holdfast.EdgeAggregate, holdfast.EdgeCost}
	urgent  = Decision{holdfast.EdgeAggregate, holdfast.EdgeLatency}
	ordered = Decision{holdfast.EdgeAggregate, holdfast.EdgeConfiguration}
)

func TestDecide(t *testing.T) {
	t.Parallel()
	nan := math.NaN()
	good := Facts{Volume: 10, Price: 0.01, Stability: 1}
	for _, c := range []struct {
		name   string
		facts  func(*Facts)
		before Decision
		want   Decision
		label  string
	}{
		{"nothing speaks against it", func(f *Facts) {}, first, raw, "cloud_processing"},
		{"nothing is known", func(f *Facts) { *f = Facts{Stability: 1} }, first, raw, "cloud_processing"},

		{"needed at once", func(f *Facts) { f.Latency = time.Millisecond }, first, urgent, "latency_critical"},
		{"needed just sooner than the limit", func(f *Facts) { f.Latency = 99 * time.Millisecond }, first, urgent, "latency_critical"},
		{"needed at the limit", func(f *Facts) { f.Latency = 100 * time.Millisecond }, first, raw, "cloud_processing"},
		{"no need", func(f *Facts) { f.Latency = 0 }, first, raw, "cloud_processing"},
		{"a need below zero is none", func(f *Facts) { f.Latency = -1 }, first, raw, "cloud_processing"},

		{"dear", func(f *Facts) { f.Price = 0.051 }, first, dear, "bandwidth_cost"},
		{"at the limit of costs", func(f *Facts) { f.Price = 0.05 }, first, raw, "cloud_processing"},
		{"much, and free", func(f *Facts) { f.Volume, f.Price = 1e6, 0 }, first, raw, "cloud_processing"},
		{"much, and cheap", func(f *Facts) { f.Volume = 51 }, first, dear, "bandwidth_cost"},
		{"little cheaper than it was", func(f *Facts) { f.Price = 0.041 }, dear, dear, "bandwidth_cost"},
		{"four fifths of the limit", func(f *Facts) { f.Price = 0.04 }, dear, raw, "cloud_processing"},
		{"the margin is for who came from costs", func(f *Facts) { f.Price = 0.041 }, full, raw, "cloud_processing"},
		{"the volume is no number", func(f *Facts) { f.Volume = nan }, first, raw, "cloud_processing"},

		{"unstable", func(f *Facts) { f.Stability = 0.69 }, first, hold, "network_reliability"},
		{"stable at the limit", func(f *Facts) { f.Stability = 0.7 }, first, raw, "cloud_processing"},
		{"no link at all", func(f *Facts) { f.Stability = 0 }, first, hold, "network_reliability"},
		{"better, and not good", func(f *Facts) { f.Stability = 0.79 }, hold, hold, "network_reliability"},
		{"good again", func(f *Facts) { f.Stability = 0.81 }, hold, raw, "cloud_processing"},
		{"the stability is no number", func(f *Facts) { f.Stability = nan }, first, raw, "cloud_processing"},

		{"nearly full", func(f *Facts) { f.Backlog = 0.8 }, raw, full, "network_reliability"},
		{"nearly full while it holds", func(f *Facts) { f.Backlog, f.Stability = 0.8, 0 }, hold, full, "network_reliability"},
		{"not full enough", func(f *Facts) { f.Backlog, f.Stability = 0.79, 0 }, hold, hold, "network_reliability"},
		{"not empty enough", func(f *Facts) { f.Backlog, f.Stability = 0.5, 0 }, full, full, "network_reliability"},
		{"room again, no link", func(f *Facts) { f.Backlog, f.Stability = 0.49, 0 }, full, hold, "network_reliability"},
		{"room again, good link", func(f *Facts) { f.Backlog = 0.49 }, full, raw, "cloud_processing"},
		{"the backlog is no number", func(f *Facts) { f.Backlog = nan }, first, raw, "cloud_processing"},

		{"needed goes before dear", func(f *Facts) { f.Latency, f.Price = 1, 1 }, first, urgent, "latency_critical"},
		{"needed goes before unstable", func(f *Facts) { f.Latency, f.Stability = 1, 0 }, first, urgent, "latency_critical"},
		{"dear goes before unstable", func(f *Facts) { f.Price, f.Stability = 1, 0 }, first, dear, "bandwidth_cost"},
		{"dear goes before nearly full", func(f *Facts) { f.Price, f.Backlog = 1, 1 }, first, dear, "bandwidth_cost"},
		{"an order is forgotten with the configuration", func(f *Facts) {}, ordered, raw, "cloud_processing"},
	} {
		facts := good
		c.facts(&facts)
		got := limits.Decide(facts, c.before)
		if got != c.want || got.Label() != c.label {
			t.Errorf("%s: %+v after %v: got %v, %s; want %v, %s", c.name, facts, c.before, got, got.Label(), c.want, c.label)
		}
	}
}

func someFacts(t *rapid.T) Facts {
	return Facts{
		Latency:   time.Duration(rapid.IntRange(0, 200).Draw(t, "latency")) * time.Millisecond,
		Volume:    rapid.Float64Range(0, 100).Draw(t, "volume"),
		Price:     rapid.Float64Range(0, 0.02).Draw(t, "price"),
		Stability: rapid.Float64Range(0, 1).Draw(t, "stability"),
		Backlog:   rapid.Float64Range(0, 1).Draw(t, "backlog"),
	}
}

func someDecision(t *rapid.T) Decision {
	return rapid.SampledFrom([]Decision{first, raw, hold, full, dear, urgent, ordered}).Draw(t, "before")
}

// Where things get worse in one way, no more goes up than before: a dearer, faster-needed or less stable device never begins to send
// every reading for it. And what costs more never waits for a better link: it goes up as aggregates.
func TestWorseNeverSendsMore(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		f, before := someFacts(t), someDecision(t)
		worse, more := f, rapid.Float64Range(0, 1).Draw(t, "more")
		way := rapid.SampledFrom([]string{"price", "volume", "latency", "stability", "backlog"}).Draw(t, "way")
		switch way {
		case "price":
			worse.Price += more
		case "volume":
			worse.Volume += 100 * more
		case "latency":
			if worse.Latency == 0 {
				worse.Latency = time.Hour // from no need to one
			}
			worse.Latency = max(1, worse.Latency-time.Duration(more*float64(worse.Latency)))
		case "stability":
			worse.Stability -= more
		case "backlog":
			worse.Backlog += more
		}
		was, is := limits.Decide(f, before), limits.Decide(worse, before)
		if is.Mode == holdfast.EdgeRaw && was.Mode != holdfast.EdgeRaw {
			t.Errorf("%s: %+v gives %v, %+v gives %v", way, f, was, worse, is)
		}
		if way != "stability" && is.Mode == holdfast.EdgeHold && was.Mode == holdfast.EdgeAggregate {
			t.Errorf("%s: %+v gives %v, %+v gives %v", way, f, was, worse, is)
		}
	})
}

// A decision repeats itself: the same facts give the same decision again.
func TestDecisionsStay(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		f := someFacts(t)
		once := limits.Decide(f, someDecision(t))
		if again := limits.Decide(f, once); again != once {
			t.Errorf("%+v gives %v, and then %v", f, once, again)
		}
	})
}

// Facts that tremble round a limit, by less than the margin, switch once at most.
func TestNoFlapping(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var s Switch
		s.Step(raw, 0)
		switches := 0
		for range 100 {
			f := Facts{Volume: 1, Price: limits.Cost * rapid.Float64Range(0.81, 1.2).Draw(t, "price"), Stability: 1}
			if s.Step(limits.Decide(f, s.Decision), time.Hour) {
				switches++
			}
		}
		if switches > 1 {
			t.Errorf("%d switches", switches)
		}
	})
}

// A mode holds for a minute, and changes of the reason alone are no switch.
func TestSwitch(t *testing.T) {
	t.Parallel()
	var s Switch
	for i, step := range []struct {
		want    Decision
		passed  time.Duration
		changed bool
		holds   Decision
	}{
		{raw, 0, true, raw}, // nothing held before
		{dear, 59 * time.Second, false, raw},
		{dear, time.Second, true, dear},
		{urgent, time.Second, false, urgent},
		{raw, 10 * time.Second, false, urgent},
		{raw, 48 * time.Second, false, urgent},
		{raw, time.Second, true, raw},
		{raw, time.Hour, false, raw},
		{hold, 0, true, hold},
		{full, 30 * time.Second, false, hold},
		{full, 30 * time.Second, true, full},
	} {
		if changed := s.Step(step.want, step.passed); changed != step.changed || s.Decision != step.holds {
			t.Errorf("step %d: changed %v, %v holds; want %v, %v", i, changed, s.Decision, step.changed, step.holds)
		}
	}
}

// Two switches are a dwell apart at least, whatever is decided.
func TestDwell(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var s Switch
		s.Step(raw, 0)
		since := time.Duration(0)
		for range 50 {
			passed := time.Duration(rapid.IntRange(0, 100).Draw(t, "seconds")) * time.Second
			since += passed
			wanted := rapid.SampledFrom([]Decision{raw, hold, full, dear, urgent}).Draw(t, "wanted")
			if !s.Step(wanted, passed) {
				continue
			}
			if since < Dwell {
				t.Fatalf("switched after %v", since)
			}
			since = 0
		}
	})
}
