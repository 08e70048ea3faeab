package bench

import (
	"fmt"
	"testing"
	"time"

	"holdfast/internal/proof"
	"holdfast/internal/testenv"
)

const drainPart = "Drain"

// TestDrainToEmbeddedReceiver times a backlog from the connection to the last receipt: gateway, receiver and the broker
// inside it on one machine.
func TestDrainToEmbeddedReceiver(t *testing.T) {
	benchmark(t)
	const name = "to the receiver with its own broker and SQLite, receipts on"
	speeds, costs := drain(t, layout{})
	atLeast(t, 50_000, proof.Figure{
		Part: drainPart, Name: name, Unit: "readings/s", Note: "three-quantity readings, three rows each, from the connection to the last receipt",
	}, speeds...)
	cost(t, name, costs)
}

// TestDrainThroughMosquitto is the same with a broker between the two.
func TestDrainThroughMosquitto(t *testing.T) {
	benchmark(t)
	const name = "through mosquitto to the receiver with SQLite, receipts on"
	speeds, costs := drain(t, layout{mosquitto: true})
	measure(t, proof.Figure{Part: drainPart, Name: name, Unit: "readings/s", Note: "from the connection to the last receipt"}, speeds...)
	cost(t, name, costs)
}

// TestDrainToMosquitto is the gateway alone: mosquitto's word frees a reading, and nobody subscribes to it.
func TestDrainToMosquitto(t *testing.T) {
	benchmark(t)
	const name = "to mosquitto in puback mode"
	speeds, costs := drain(t, layout{mosquitto: true, puback: true})
	atLeast(t, 100_000, proof.Figure{
		Part: drainPart, Name: name, Unit: "readings/s", Note: "from the connection to the last PUBACK; nobody subscribes",
	}, speeds...)
	cost(t, name, costs)
}

func cost(t *testing.T, name string, microseconds []float64) {
	t.Helper()
	measure(t, proof.Figure{
		Part: drainPart, Name: name + ": processor time", Unit: "µs a reading", Note: "of gateway and receiver, their starts included",
	}, microseconds...)
}

// drain measures how many readings a second leave a backlog, and what processor time each takes in µs.
func drain(t *testing.T, l layout) (speeds, costs []float64) {
	t.Helper()
	n := proof.Count(t, "HOLDFAST_DRAIN", 200_000)
	l.backlog = makeBacklog(t, n)
	bin := testenv.Programs(t)
	for range proof.Count(t, "HOLDFAST_RUNS", 5) {
		t.Run("", func(t *testing.T) {
			took, cost := drainOnce(t, bin, l, n)
			speeds = append(speeds, float64(n)/took.Seconds())
			costs = append(costs, float64(cost.Microseconds())/float64(n))
		})
	}
	if t.Failed() {
		t.FailNow()
	}
	return speeds, costs
}

// drainOnce drains a backlog of n readings. cost is the processor time of gateway and receiver.
func drainOnce(t *testing.T, bin string, l layout, n int) (took, cost time.Duration) {
	p := newPlant(t, bin, l)
	if p.broker != nil {
		launch(t, p.broker)
	}
	if p.receiver != nil {
		launch(t, p.receiver)
		p.watch(t)
	}
	launch(t, p.gateway)
	if p.receiver != nil {
		until(t, 20*time.Millisecond, "the last row", func() bool { return p.held(t) >= n })
	}
	end := until(t, 10*time.Millisecond, "the last receipt", func() bool { return p.view(t).Records.Waiting == 0 })
	seen := p.view(t)
	if seen.Records.Delivered < n {
		t.Errorf("%d records delivered, want the %d of the backlog", seen.Records.Delivered, n)
	}
	took, cost = end.Sub(seen.Link.Since), cpu(t, p.gateway)
	of := fmt.Sprintf("gateway %v", cost)
	p.gateway.Stop(t)
	if p.receiver != nil {
		own := cpu(t, p.receiver)
		cost, of = cost+own, fmt.Sprintf("%s, receiver %v", of, own)
		p.checkSamples(t, n)
		p.receiver.Stop(t)
	}
	t.Logf("%d readings in %v: %.0f/s; processor time: %s", n, took.Round(time.Millisecond), float64(n)/took.Seconds(), of)
	return took, cost
}

// outage is how long the broker is away before it returns.
const outage = 20 * time.Second

// TestBrokerReturns times, after the broker was away, how long it takes until what was measured meanwhile is in the
// database: the gateway and the receiver have to notice, to connect and to drain.
func TestBrokerReturns(t *testing.T) {
	benchmark(t)
	const n = 20_000
	backlog, bin := makeBacklog(t, n), testenv.Programs(t)
	var took []float64
	for range proof.Count(t, "HOLDFAST_RUNS", 5) {
		t.Run("", func(t *testing.T) { took = append(took, returnOnce(t, bin, backlog, n).Seconds()) })
	}
	if t.Failed() {
		return
	}
	atMost(t, 2.4, proof.Figure{
		Part: drainPart, Name: "20,000 readings after mosquitto returns: the last one in the database", Unit: "s",
		Note: "from the broker's start, after it was away for 20 s; the best peer took 7.3 s",
	}, took...)
}

func returnOnce(t *testing.T, bin, backlog string, n int) time.Duration {
	p := newPlant(t, bin, layout{mosquitto: true, backlog: backlog})
	launch(t, p.receiver, p.gateway)
	p.watch(t)
	testenv.Pause(t.Context(), outage)
	returns := time.Now()
	launch(t, p.broker)
	last := until(t, 10*time.Millisecond, "the last row", func() bool { return p.held(t) >= n })
	t.Logf("connected %v after the broker's return", p.view(t).Link.Since.Sub(returns).Round(time.Millisecond))
	p.gateway.Stop(t)
	p.checkSamples(t, n)
	p.receiver.Stop(t)
	return last.Sub(returns)
}
