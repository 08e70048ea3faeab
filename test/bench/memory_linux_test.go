package bench

import (
	"testing"
	"time"

	"holdfast/internal/proof"
	"holdfast/internal/testenv"
)

const gatewayPart = "Gateway: memory, processor, start"

const (
	processRuns = 3
	pending     = 1_000_000
	memoryGoal  = 25 // MB of anonymous memory
)

// TestMemory: a simulated Pi with a million pending records and no broker; the same while a receiver takes them; the same
// with nothing left to do. A run's value is the most that was seen. RssAnon is what the process itself holds; VmRSS counts
// the pages of the buffer's file and of the binary too, which the kernel takes back when it needs them.
func TestMemory(t *testing.T) {
	benchmark(t)
	phases := []string{"1,000,000 records pending", "draining 1,000,000 records", "idle"}
	file := fill(t, pending)
	anonymous, all := make([][]float64, len(phases)), make([][]float64, len(phases))
	for range processRuns {
		p := newPair(t, "--simulate")
		p.place(t, file)
		start(t, p.gateway)
		p.gateway.WaitServing(t.Context(), t)
		testenv.Poll(t.Context(), t, time.Minute, "the backlog to be known", func() bool { return p.waiting(t.Context()) >= pending }) // the page is there before the buffer is open
		quiet := func(d time.Duration) func() bool {
			end := time.Now().Add(d)
			return func() bool { return time.Now().After(end) }
		}
		watch := func(phase int, done func() bool) {
			anon, rss := p.most(t, done)
			anonymous[phase], all[phase] = append(anonymous[phase], anon), append(all[phase], rss)
		}
		watch(0, quiet(15*time.Second))
		start(t, p.receiver)
		watch(1, func() bool { n := p.waiting(t.Context()); return n >= 0 && n < 1000 })
		watch(2, quiet(15*time.Second))
		p.gateway.Stop(t)
		p.receiver.Stop(t)
	}
	for i, phase := range phases {
		atMost(t, memoryGoal, proof.Figure{Part: gatewayPart, Name: "RssAnon, " + phase, Unit: "MB"}, anonymous[i]...)
		measure(t, proof.Figure{Part: gatewayPart, Name: "VmRSS, " + phase, Unit: "MB"}, all[i]...)
	}
}

// most returns the most anonymous memory and the most memory that the gateway held until done.
func (p *pair) most(t *testing.T, done func() bool) (anonymous, all float64) {
	t.Helper()
	testenv.Poll(t.Context(), t, 5*time.Minute, "the phase to end", func() bool {
		anonymous = max(anonymous, memory(t, p.gateway.PID(), "RssAnon"))
		all = max(all, memory(t, p.gateway.PID(), "VmRSS"))
		return done()
	})
	return anonymous, all
}

// TestProcessor: 100 readings a second from measuring to receipt. The wire's bytes are counted on the way to the broker.
func TestProcessor(t *testing.T) {
	benchmark(t)
	const perSecond, seconds = 100, 30
	wire := proof.Figure{Part: "Sizes", Name: "wire, online: TCP payload to the broker at 100 readings a second", Unit: "B a reading"}
	var shares, bytes []float64
	for range processRuns {
		p := newPair(t, "--replay", writeReplay(t, perSecond*(seconds+30), time.Second/perSecond))
		openAged(t, p.buffer(), newReadings()).stop()
		meter := newMeter(t, p)
		start(t, p.receiver)
		p.receiver.WaitServing(t.Context(), t)
		start(t, p.gateway)
		p.gateway.WaitServing(t.Context(), t)
		testenv.Pause(t.Context(), 10*time.Second) // binding, and the first garbage collections
		cpu, sent, began := processor(t, p.gateway.PID()), meter.sent.Load(), time.Now()
		testenv.Pause(t.Context(), seconds*time.Second)
		took := time.Since(began).Seconds()
		shares = append(shares, 100*(processor(t, p.gateway.PID())-cpu)/took)
		bytes = append(bytes, float64(meter.sent.Load()-sent)/took/perSecond)
		p.gateway.Stop(t)
		p.receiver.Stop(t)
	}
	atMost(t, 1, proof.Figure{Part: gatewayPart, Name: "processor at 100 readings a second", Unit: "% of a core", Note: "Of this machine; one commit and one batch a second."}, shares...)
	measure(t, wire, bytes...)
}
