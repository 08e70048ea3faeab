package main

import (
	"fmt"
	"log/slog"
	"math"
	"testing"
	"time"

	"holdfast"
	"holdfast/rules"
	"holdfast/uplink/policy"
)

// Which way a reading goes, and whether its minute tells of it.
func TestWay(t *testing.T) {
	t.Parallel()
	const minutes = "- {name: mine, aggregate: {window: 1m, functions: [mean]}}"
	route := func(to string) string {
		return fmt.Sprintf(`- {name: to, expression: {route: 'sensor == "hall" ? %q : "x"', routes: [%s, x]}}`, to, to)
	}
	for _, c := range []struct {
		name       string
		mode       holdfast.EdgeMode
		rules      string
		quantities int
		burst      bool
		by         string
		summarised bool
	}{
		{"raw", holdfast.EdgeRaw, "", 1, false, "", false},
		{"hold", holdfast.EdgeHold, "", 1, false, "", false},
		{"aggregate", holdfast.EdgeAggregate, "", 1, false, "edge", true},
		{"the user's rule tells of it", holdfast.EdgeAggregate, minutes, 1, false, "edge", false},
		{"as many quantities as a record holds", holdfast.EdgeAggregate, "", 21, false, "edge", true},
		{"more quantities than a record holds", holdfast.EdgeAggregate, "", 22, false, "", false},
		{"more quantities, and the user's rule tells of them", holdfast.EdgeAggregate, minutes, 22, false, "edge", false},
		{"a burst samples it", holdfast.EdgeAggregate, "", 1, true, "", true},
		{"routed raw", holdfast.EdgeAggregate, route("raw"), 1, false, "", true},
		{"routed aggregate", holdfast.EdgeRaw, route("aggregate"), 1, false, "edge", true},
		{"routed aggregate while telemetry is held", holdfast.EdgeHold, route("aggregate"), 1, false, "edge", true},
		{"a rule withholds it, too", holdfast.EdgeAggregate, "- {name: mine, expression: {filter: q0 > 0}}", 1, false, "mine", true},
		{"a rule withholds it", holdfast.EdgeRaw, "- {name: mine, expression: {filter: q0 > 0}}", 1, false, "mine", false},
		{"routed elsewhere", holdfast.EdgeRaw, route("far"), 1, false, "", false},
		{"routed elsewhere, aggregate", holdfast.EdgeAggregate, route("far"), 1, false, "edge", true},
	} {
		set, err := rules.Parse("test", fmt.Appendf(nil, "version: 1\nrules:\n%s\n", c.rules))
		if c.rules == "" {
			set, err = new(rules.Set), nil
		}
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		at := holdfast.Instant{Time: time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC), Boot: "boot-1", Mono: 1e9, Synchronized: true}
		g := &gateway{log: slog.New(slog.DiscardHandler), boot: "boot-1", edge: newEdge(), bursts: newBursts(nil, nil), now: func() holdfast.Instant { return at }}
		g.rules = rules.New(set, rules.Options{})
		g.edge.holds(policy.Decision{Mode: c.mode})
		if c.burst {
			g.bursts.sampled["hall"] = time.Second
		}
		r := &holdfast.Reading{Time: at.Time, Mono: at.Mono, Sensor: "hall", Values: map[string]float64{}}
		for i := range c.quantities {
			r.Values[fmt.Sprintf("q%d", i)] = -1
		}
		g.rules.Apply(r, at)
		by, made := g.destiny(r), g.summarise(r)
		at.Time, at.Mono = at.Time.Add(time.Minute), at.Mono+60e6
		told := g.edgeTick()
		if by != c.by || len(made) != 0 || (len(told) == 1) != c.summarised {
			t.Errorf("%s: kept back by %q, %d records at once, then %d; want by %q, summarised %v", c.name, by, len(made), len(told), c.by, c.summarised)
		}
		for _, record := range told {
			a, ok := record.(*holdfast.Aggregate)
			if !ok || a.Rule != "edge" || a.RuleVersion != 0 || a.Count != 1 || a.Group != "hall" || len(a.Values) != 3*c.quantities || a.Values["q0_mean"] != -1 {
				t.Errorf("%s: %+v", c.name, record)
			}
		}
	}
}

func TestEdgeMode(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		want  string
		pairs []string
	}{
		{edgeRaw, nil},
		{edgeAuto, []string{"EDGE_COST_PER_MB", "0.1"}},
		{edgeAuto, []string{"EDGE_LATENCY_MS", "20"}},
		{edgeRaw, []string{"EDGE_COST_THRESHOLD", "3", "EDGE_STABILITY_THRESHOLD", "0.9"}},
		{edgeRaw, []string{"EDGE_COST_PER_MB", "0.1", "EDGE_MODE", "raw"}},
		{edgeAggregate, []string{"EDGE_MODE", "AGGREGATE"}},
		{edgeAuto, []string{"EDGE_MODE", "auto"}},
		{edgeRaw, []string{"EDGE_MODE", "auto", "MQTT_PROFILE", "flat"}},
		{edgeAuto, []string{"EDGE_MODE", "auto", "MQTT_PROFILE", "native+flat"}},
	} {
		cfg, err := loadConfig("", variables(c.pairs...))
		if err != nil || cfg.edgeMode() != c.want {
			t.Errorf("%q: %s, %v; want %s", c.pairs, cfg.edgeMode(), err, c.want)
		}
		if l := cfg.Edge.Limits; len(c.pairs) == 0 && l != (policy.Limits{Latency: 100 * time.Millisecond, Cost: 0.5, Stability: 0.7}) {
			t.Errorf("default limits %+v", l)
		}
	}
	for _, pairs := range [][]string{
		{"EDGE_MODE", "hold"}, {"EDGE_COST_PER_MB", "-1"}, {"EDGE_COST_PER_MB", "NaN"}, {"EDGE_COST_PER_MB", "cheap"}, {"EDGE_COST_THRESHOLD", "Inf"},
		{"EDGE_STABILITY_THRESHOLD", "1"}, {"EDGE_LATENCY_MS", "-1"}, {"EDGE_LATENCY_MS", "0.5"},
	} {
		if cfg, err := loadConfig("", variables(pairs...)); err == nil || cfg.edgeMode() != edgeRaw {
			t.Errorf("%q: %s, %v; want a mistake", pairs, cfg.edgeMode(), err)
		}
	}
}

// What is kept of the meters comes back, and what is damaged does not stop the gateway.
func TestMetersRestore(t *testing.T) {
	t.Parallel()
	var m, other meters
	if err := m.restore(nil); err != nil || m.switched.Mode != holdfast.EdgeRaw || m.stability.Value != 1 {
		t.Errorf("of nothing: %+v, %v", m, err)
	}
	m.switched.Decision = policy.Decision{Mode: holdfast.EdgeHold, Reason: holdfast.EdgeRedundancy}
	m.stability.Value = 0.25
	m.volume.Made(1000, time.Hour)
	if err := other.restore(m.state()[edgeKey]); err != nil || other.switched.Decision != m.switched.Decision || other.stability.Value != 0.25 || other.volume != m.volume {
		t.Errorf("%+v came back as %+v, %v", m, other, err)
	}
	if rounded(math.Inf(1)) != 0 || rounded(math.NaN()) != 0 || rounded(math.MaxFloat64) != 0 || rounded(-1.00004) != -1 {
		t.Error("numbers of an event")
	}
	for _, damaged := range []string{"", "{", `{"v":2}`, `{"v":1,"mode":"sideways"}`} {
		var m meters
		if err := m.restore([]byte(damaged)); err == nil || m.switched.Mode != holdfast.EdgeRaw || m.stability.Value != 1 {
			t.Errorf("%q: %+v, %v", damaged, m.switched, err)
		}
	}
}
