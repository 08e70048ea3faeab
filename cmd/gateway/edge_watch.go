package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"time"

	"holdfast"
	"holdfast/buffer"
	"holdfast/uplink"
	"holdfast/uplink/policy"
)

// Where the buffer keeps what the policy has measured and decided, and what its rule remembers.
const (
	edgeKey    = "edge"
	edgePrefix = "edge/at/" // and the rule's name
)

const (
	edgeInterval = 10 * time.Second // between two decisions
	edgeKeeping  = 5 * time.Minute  // between two times that the meters are kept, which a crash loses
)

// meters are what the policy has measured and decided.
type meters struct {
	switched  policy.Switch
	stability *policy.Stability
	volume    policy.Volume

	counted       uint64 // bytes of readings that volume has
	records, wire uint64 // of the uplink, that volume has
	held          bool   // the uplink was told to hold telemetry
	unkept        time.Duration
}

// A keptEdge is what is kept of the meters.
type keptEdge struct {
	V int `json:"v"`
	policy.Decision
	Stability float64       `json:"stability"`
	Volume    policy.Volume `json:"volume"`
}

func (m *meters) restore(data []byte) error {
	m.switched.Decision = policy.Decision{Mode: holdfast.EdgeRaw, Reason: holdfast.EdgeCloud}
	m.stability = policy.NewStability(1)
	if data == nil {
		return nil
	}
	var k keptEdge
	if err := json.Unmarshal(data, &k); err != nil {
		return fmt.Errorf("restore the edge policy: %w", err)
	}
	if k.V != 1 || !k.Mode.Valid() {
		return fmt.Errorf("restore the edge policy: version %d, mode %q: want version 1 and a mode", k.V, k.Mode)
	}
	m.switched.Decision, m.stability, m.volume = k.Decision, policy.NewStability(k.Stability), k.Volume
	return nil
}

func (m *meters) state() map[string][]byte {
	m.unkept = 0
	data, err := json.Marshal(keptEdge{1, m.switched.Decision, m.stability.Value, m.volume})
	if err != nil { // a number that JSON does not know, in a file that somebody has changed
		return nil
	}
	return map[string][]byte{edgeKey: data}
}

// watchEdge decides what goes up, until ctx ends.
func (g *gateway) watchEdge(ctx context.Context) error {
	if g.cfg.edgeMode() != edgeAuto {
		g.edgeByConfiguration()
		return nil
	}
	tick := time.NewTicker(edgeInterval)
	defer tick.Stop()
	last := time.Now()
	for {
		select {
		case <-ctx.Done():
			g.append(buffer.Change{State: g.edge.state()})
			return nil
		case <-tick.C:
		}
		now := time.Now()
		g.evaluate(now.Sub(last))
		last = now
	}
}

// edgeByConfiguration switches to the configured mode, where another one was kept.
func (g *gateway) edgeByConfiguration() {
	e := g.edge
	before := e.switched.Mode
	if e.switched.Decision = g.cfg.edgeOrder(); e.switched.Mode != before {
		g.edgeSwitched(before, policy.Facts{Stability: e.stability.Value})
	}
}

// evaluate decides once, so much time after the last time, and switches where that is due.
func (g *gateway) evaluate(passed time.Duration) {
	e := g.edge
	facts := g.edgeFacts(passed)
	decision := g.cfg.Edge.Limits.Decide(facts, e.switched.Decision)
	g.metrics.decisions.WithLabelValues(decision.Label()).Inc()
	before := e.switched.Mode
	changed := e.switched.Step(decision, passed)
	e.holds(e.switched.Decision)
	g.holdTelemetry(e.switched.Mode == holdfast.EdgeHold && !g.links.onTrial()) // which telemetry ends
	if changed {
		g.edgeSwitched(before, facts)
	} else if e.unkept += passed; e.unkept >= edgeKeeping {
		g.append(buffer.Change{State: e.state()})
	}
}

// edgeFacts reads the meters.
func (g *gateway) edgeFacts(passed time.Duration) policy.Facts {
	e, link, held := g.edge, g.uplink.Status(), g.buffer.Status()
	if link.Broker != "" && !g.links.onTrial() {
		e.stability.Observe(sampleOf(link), passed)
	}
	made := e.made.Load()
	e.volume.Made(made-e.counted, passed)
	e.counted = made
	if e.switched.Mode == holdfast.EdgeRaw {
		e.volume.Packed(link.Records-e.records, link.Wire-e.wire)
	}
	e.records, e.wire = link.Records, link.Wire
	return policy.Facts{
		Latency: g.cfg.Edge.Latency, Volume: e.volume.PerDay(), Price: g.cfg.Edge.Price, Stability: e.stability.Value,
		Backlog: float64(max(0, held.Bytes-held.HistoryBytes)) / float64(max(1, held.Limit)),
	}
}

// sampleOf is what there is to see of the link. That a receiver asks to keep everything is not the link's fault.
func sampleOf(s uplink.Status) policy.Sample {
	return policy.Sample{Up: s.Up, Waiting: s.Inflight > 0 && s.Hold == "", Answered: s.Receipted, Losses: s.Losses}
}

func (g *gateway) holdTelemetry(held bool) {
	if held != g.edge.held {
		g.edge.held = held
		g.uplink.SetHeld(held)
	}
}

// rounded rounds a number to four decimals. One that JSON does not know, which a file that somebody has changed may lead to, is 0.
func rounded(x float64) float64 {
	if x = math.Round(x*1e4) / 1e4; math.IsNaN(x) || math.IsInf(x, 0) {
		return 0
	}
	return x
}

// edgeSwitched tells everybody that another mode holds, and keeps it in the same commit as the event.
func (g *gateway) edgeSwitched(before holdfast.EdgeMode, f policy.Facts) {
	e := g.edge
	change := holdfast.EdgeChange{
		EdgeStatus: holdfast.EdgeStatus(e.switched.Decision), Before: before,
		MBPerDay: rounded(f.Volume), Cost: rounded(f.Cost()), Stability: rounded(f.Stability), Backlog: rounded(f.Backlog),
	}
	g.log.Info("other things go up from now on", "mode", change.Mode, "reason", change.Reason, "before", before,
		"mb_per_day", change.MBPerDay, "cost_per_day", change.Cost, "stability", change.Stability, "backlog", change.Backlog)
	g.append(buffer.Change{Records: g.encode([]holdfast.Record{holdfast.NewEvent(g.now(), holdfast.EventEdge, change)}), State: e.state()})
	g.uplink.Refresh()
}
