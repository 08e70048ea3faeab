package chaos

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"holdfast/internal/proof"
	"holdfast/internal/testenv"
)

func TestChaosEmbeddedBroker(t *testing.T) { testChaos(t, false) }
func TestChaosMosquitto(t *testing.T)      { testChaos(t, true) }

// testChaos kills the parts at random, and lets everything else happen to them meanwhile.
func testChaos(t *testing.T, mosquitto bool) {
	if testing.Short() {
		t.Skip("-short: breaks real processes for minutes")
	}
	t.Parallel()
	n, seed := proof.Count(t, "HOLDFAST_KILLS", 100), seedOf(t)
	t.Logf("%d kills, HOLDFAST_SEED=%d", n, seed)
	b := newBench(t, testenv.Programs(t), setup{mosquitto: mosquitto, rows: 20_000 + 400*n})
	random := rand.New(rand.NewPCG(uint64(seed), 1))
	others := slices.DeleteFunc(faults(mosquitto), func(f fault) bool { return f.lonely })
	plan, happened := schedule(random, n, kills(mosquitto), others)
	b.play(t, random, plan)
	v := b.finish(t)
	proof.Record(t, proof.Trial{
		Part: part, Place: brokerName(mosquitto), Fault: "kills of every part and all other faults, at random and overlapping",
		Holds: holds, Tried: n, Unit: "kills", Failed: v.broken(), Seed: fmt.Sprint(seed),
		Note: fmt.Sprintf("%d of the gateway, with %d other faults; %v%s", len(b.deaths), happened, v, b.restarts()),
	})
	v.check(t)
}

// An event is the begin or the end of a fault.
type event struct {
	at   time.Duration
	name string
	do   func(t *testing.T, b *bench, random *rand.Rand)
}

// schedule returns so many kills, and between them other faults, and how many of those. One fault follows another at the
// same place.
func schedule(random *rand.Rand, n int, kills, others []fault) (plan []event, happened int) {
	busy := map[string]time.Duration{}
	add := func(f fault, at time.Duration) {
		at = max(at, busy[f.place])
		until := at + within(random, f.least, f.most)
		busy[f.place] = until + 100*time.Millisecond
		var end func()
		plan = append(plan,
			event{at, f.name, func(t *testing.T, b *bench, random *rand.Rand) { end = f.begin(t, b, random) }},
			event{until, f.name + ": over", func(*testing.T, *bench, *rand.Rand) { end() }})
	}
	var now time.Duration
	for range n {
		now += within(random, 200*time.Millisecond, 1800*time.Millisecond)
		add(kills[random.IntN(len(kills))], now)
		if random.IntN(2) == 0 {
			add(others[random.IntN(len(others))], now+within(random, 0, time.Second))
			happened++
		}
	}
	slices.SortStableFunc(plan, func(a, b event) int { return int(a.at - b.at) })
	return plan, happened
}

// play lets everything happen when it is due.
func (b *bench) play(t *testing.T, random *rand.Rand, plan []event) {
	t.Helper()
	start := time.Now()
	for _, e := range plan {
		testenv.Pause(t.Context(), time.Until(start.Add(e.at)))
		b.events = append(b.events, happening{b.now(), e.name})
		e.do(t, b, random)
		b.supervise(t)
	}
}
