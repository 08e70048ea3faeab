package main

import (
	"bytes"
	"context"
	"encoding/json"
	"math"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"holdfast"
	"holdfast/receiver"
	"holdfast/uplink/policy"
)

// edgeEvents returns the switches that the database knows, oldest first.
func edgeEvents(t *testing.T, c *cloud) (changes []holdfast.EdgeChange) {
	t.Helper()
	events, err := c.store.Events(context.Background(), "bubble", holdfast.EventEdge, time.Time{}, time.Now().Add(time.Hour), 100)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range slices.Backward(events) {
		var change holdfast.EdgeChange
		if err := json.Unmarshal(e.Data, &change); err != nil {
			t.Fatal(err)
		}
		changes = append(changes, change)
	}
	return changes
}

// wantSwitches expects these switches in the database, and no others.
func wantSwitches(t *testing.T, c *cloud, want ...holdfast.EdgeStatus) {
	t.Helper()
	before, changes := holdfast.EdgeRaw, edgeEvents(t, c)
	for i, change := range changes {
		if i >= len(want) || change.EdgeStatus != want[i] || change.Before != before {
			t.Fatalf("switches %+v, want %+v", changes, want)
		}
		before = change.Mode
	}
	if len(changes) != len(want) {
		t.Fatalf("switches %+v, want %+v", changes, want)
	}
}

// telemetryOf counts the numbers of all telemetry lanes.
func telemetryOf(c *cloud) (sum receiver.Totals) {
	for _, stream := range c.completeness("bubble").Streams {
		for _, lane := range stream.Lanes {
			if lane.Lane == holdfast.LaneTelemetry {
				sum.Data += lane.Data
				sum.Head += lane.Head
			}
		}
	}
	return sum
}

var (
	edgeHeld  = holdfast.EdgeStatus{Mode: holdfast.EdgeHold, Reason: holdfast.EdgeRedundancy}
	edgeFree  = holdfast.EdgeStatus{Mode: holdfast.EdgeRaw, Reason: holdfast.EdgeCloud}
	edgeDear  = holdfast.EdgeStatus{Mode: holdfast.EdgeAggregate, Reason: holdfast.EdgeCost}
	edgeAsked = holdfast.EdgeStatus{Mode: holdfast.EdgeAggregate, Reason: holdfast.EdgeConfiguration}
)

// decisions returns the metric, by label.
func decisions(t *testing.T, g *gateway) map[string]int {
	t.Helper()
	page := httptest.NewRecorder()
	g.page.ServeHTTP(page, httptest.NewRequest("GET", "/metrics", nil))
	counted := make(map[string]int)
	for line := range strings.Lines(page.Body.String()) {
		rest, ok := strings.CutPrefix(line, `edge_processing_decisions_total{decision="`)
		if !ok {
			continue
		}
		label, value, _ := strings.Cut(rest, `"} `)
		n, err := strconv.Atoi(strings.TrimSpace(value))
		if err != nil {
			t.Fatal(line)
		}
		counted[label] = n
	}
	if len(counted) != len(policy.Labels()) {
		t.Errorf("metrics %v, want %q", counted, policy.Labels())
	}
	return counted
}

// A link that flaps has telemetry wait while events go up; a restart in the middle changes nothing; once the link is stable
// all of it arrives.
func TestEdgeHoldsOnAFlappingLink(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSystem(t)
		c := s.cloud("cloud")
		c.start()
		p := s.pi("bubble", "EDGE_MODE", "auto", "SAMPLING_INTERVAL", "5")
		p.start()
		wait(2 * time.Minute)
		wantSwitches(t, c)
		for range 6 {
			s.broker.Block()
			wait(50 * time.Second)
			s.broker.Unblock()
			wait(10 * time.Second)
		}
		wait(30 * time.Second)
		wantSwitches(t, c, edgeHeld)
		before := telemetryOf(c).Data
		if by := p.life.gateway.status().Edge; by == nil || *by != edgeHeld {
			t.Errorf("the state says %v", by)
		}
		wait(time.Minute)
		p.kill()
		p.start()
		wait(2 * time.Minute)
		if now := telemetryOf(c).Data; now != before {
			t.Errorf("%d readings arrived while telemetry is held", now-before)
		}
		if n := c.number(`SELECT count(*) FROM record WHERE json ->> 'event' = 'boot'`); n != 2 {
			t.Errorf("%d starts in the database, want 2: events go up", n)
		}
		wantSwitches(t, c, edgeHeld)

		wait(15 * time.Minute)
		wantSwitches(t, c, edgeHeld, edgeFree)
		p.rest()
		counted := decisions(t, p.life.gateway)
		if counted["network_reliability"] < 10 || counted["cloud_processing"] < 10 || counted["bandwidth_cost"]+counted["latency_critical"] != 0 {
			t.Errorf("decisions of this life: %v", counted)
		}
		taken, stored := uint64(p.taken()), telemetryOf(c)
		if lost := taken - stored.Data; stored.Data != stored.Head || lost > 2 { // what the last second before the kill measured
			t.Errorf("%d readings taken, %d of %d stored", taken, stored.Data, stored.Head)
		}
	})
}

// Where every reading would cost too much, summaries of minutes go up in their place, over a crash too, until it is cheap again.
func TestEdgeSavesCosts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSystem(t)
		c := s.cloud("cloud")
		c.start()
		p := s.pi("bubble", "EDGE_COST_PER_MB", "0.09", "SAMPLING_INTERVAL", "5")
		p.start()
		raw := func() int {
			return c.number(`SELECT count(DISTINCT stream || ' ' || seq) FROM sample`)
		}
		summarised := func() int {
			return c.number(`SELECT coalesce(sum(count), 0) FROM aggregate WHERE rule = 'edge' AND rule_version = 0`)
		}
		wait(7 * time.Minute)
		wantSwitches(t, c, edgeDear)
		if change := edgeEvents(t, c)[0]; change.Cost < 0.5 || math.Abs(change.MBPerDay*0.09-change.Cost) > 1e-3 {
			t.Errorf("switched at %+v", change)
		}
		before := raw()
		wait(3 * time.Minute)
		p.kill()
		p.start()
		wait(4 * time.Minute)
		if now := raw(); now != before {
			t.Errorf("%d readings arrived while their minutes do", now-before)
		}
		wantSwitches(t, c, edgeDear)
		if n := c.number(`SELECT count(*) FROM aggregate WHERE rule = 'edge' AND count = 12 AND NOT partial`); n < 2*4 {
			t.Errorf("%d whole minutes of two sensors in seven minutes", n)
		}
		if n := c.number(`SELECT count(*) FROM (SELECT 1 FROM aggregate GROUP BY grp, from_us HAVING count(*) > 1)`); n != 0 {
			t.Errorf("%d minutes are there twice", n)
		}

		if _, err := p.life.gateway.control.Set(t.Context(), holdfast.SettingInterval, json.RawMessage("120"), holdfast.OriginPage, ""); err != nil {
			t.Fatal(err)
		}
		wait(30 * time.Minute)
		wantSwitches(t, c, edgeDear, edgeFree)
		before = raw()
		wait(10 * time.Minute)
		if now := raw(); now-before < 2*4 {
			t.Errorf("%d readings of two sensors in ten minutes, at one in 120 s", now-before)
		}
		p.rest()
		if got, taken := raw()+summarised(), p.taken(); got > taken || got < taken-2 { // what the last second before the kill measured
			t.Errorf("%d readings stored and %d in minutes, %d taken", raw(), summarised(), taken)
		}
		here := 0
		err := p.life.gateway.buffer.History(time.Time{}, time.Now(), func(lane holdfast.Lane, record []byte) bool {
			if lane == holdfast.LaneTelemetry && !bytes.Contains(record, []byte(`"kind"`)) {
				here++
			}
			return true
		})
		if err != nil || here < p.taken()-2*30/5 { // what is withheld waits half a minute for the card
			t.Errorf("%d readings on the card, %d taken; %v", here, p.taken(), err)
		}
	})
}

// The configuration can ask for summaries, and stop asking. Each is one event, and starts between are none. A user's own aggregates
// take the place of the built-in one.
func TestEdgeByConfiguration(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSystem(t)
		c := s.cloud("cloud")
		c.start()
		p := s.pi("bubble")
		p.config = append([]string{"EDGE_MODE", "aggregate"}, p.config...)
		for range 2 {
			p.start()
			wait(3 * time.Minute)
			p.stop()
		}
		wantSwitches(t, c, edgeAsked)
		if n := c.number(`SELECT count(*) FROM sample`); n != 0 {
			t.Errorf("%d samples arrived", n)
		}
		p.config[1] = "raw"
		p.start()
		wait(2 * time.Minute) // the minute that was open ends
		wantSwitches(t, c, edgeAsked, holdfast.EdgeStatus{Mode: holdfast.EdgeRaw, Reason: holdfast.EdgeConfiguration})
		if n := c.number(`SELECT count(*) FROM sample`); n == 0 {
			t.Error("no sample arrived")
		}
		p.stop()

		p.config[1] = "aggregate"
		p.config = append([]string{"RULES_FILE", s.write("rules.yaml", "version: 1\nrules:\n- {name: mine, aggregate: {window: 1m, functions: [mean]}}\n")}, p.config...)
		before := c.number(`SELECT count(*) FROM aggregate WHERE rule = 'edge'`)
		p.start()
		wait(5 * time.Minute)
		if n := c.number(`SELECT count(*) FROM aggregate WHERE rule = 'mine'`); n < 6 {
			t.Errorf("%d minutes of the user's rule", n)
		}
		if n := c.number(`SELECT count(*) FROM aggregate WHERE rule = 'edge'`); n != before {
			t.Errorf("%d minutes of the built-in rule beside the user's", n-before)
		}
	})
}

// A gateway without a link holds telemetry until its buffer is nearly full, and then keeps summaries, so that nothing has to be given up;
// with the link back it sends all that waits.
func TestEdgeNearlyFull(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("fills a buffer")
	}
	synctest.Test(t, func(t *testing.T) {
		s := newSystem(t)
		c := s.cloud("cloud")
		c.start()
		p := s.pi("bubble", "EDGE_MODE", "auto", "SAMPLING_INTERVAL", "0.2")
		p.bytes, p.filler = 4<<20, 560 // three quarters of it, so that the rest is filled soon
		p.start()
		wait(time.Minute)
		s.broker.Block()
		wait(5 * time.Minute)
		for i := range 60 {
			if p.life.gateway.status().Edge.Mode != holdfast.EdgeHold {
				break
			}
			if i == 59 {
				t.Fatalf("an hour later telemetry waits still: %+v", p.life.gateway.buffer.Status())
			}
			wait(time.Minute)
		}
		s.broker.Unblock()
		wait(2 * time.Minute)
		wantSwitches(t, c, edgeHeld, holdfast.EdgeStatus{Mode: holdfast.EdgeAggregate, Reason: holdfast.EdgeRedundancy})
		p.rest()
		if stored := telemetryOf(c); stored.Data != stored.Head || stored.Data < 2*5*60*6 || p.pending() != 0 {
			t.Errorf("%d of %d numbers have data, %d wait", stored.Data, stored.Head, p.pending())
		}
	})
}
