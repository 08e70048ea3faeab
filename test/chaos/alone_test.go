package chaos

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"holdfast/internal/proof"
	"holdfast/internal/testenv"
)

const (
	part  = "Chaos" // the heading of docs/reliability.md
	holds = "Each row handed out is in the database once, but for those younger than 1.5 s at a kill of the gateway; no number lacks a ledger entry"
)

// together is how many systems are tried at the same time: most of the time they wait.
const together = 8

// recovery is how long the newest row may take into the database after the end of a fault: the longest pause between two
// sessions is a minute.
const recovery = 90 * time.Second

// Each fault alone. Those that take long come first.
func TestFaultByFault(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: breaks real processes for minutes")
	}
	bin := testenv.Programs(t)
	tries, seed := proof.Count(t, "HOLDFAST_FAULTS", 1), seedOf(t)
	t.Logf("HOLDFAST_SEED=%d", seed)
	var slow, quick []func()
	slow = append(slow,
		func() { t.Run("gateway's disk small", func(t *testing.T) { gatewaysDiskSmall(t, bin) }) },
		func() { t.Run("gateway's disk full", func(t *testing.T) { gatewaysDiskFull(t, bin) }) })
	for _, mosquitto := range []bool{true, false} {
		broker := brokerName(mosquitto)
		slow = append(slow, func() {
			t.Run(broker+"/receiver's disk full", func(t *testing.T) { receiversDiskFull(t, bin, mosquitto, tries, seed) })
		})
		s := setup{mosquitto: mosquitto, rows: 10_000 * (1 + tries), speed: 0.5}
		for _, f := range append(faults(mosquitto), kills(mosquitto)...) {
			try := func() { t.Run(broker+"/"+f.name, func(t *testing.T) { tryAlone(t, bin, s, f, tries, seed) }) }
			if f.least > 10*time.Second {
				slow = append(slow, try)
			} else {
				quick = append(quick, try)
			}
		}
	}
	work(append(slow, quick...))
}

// work does everything, some at a time.
func work(all []func()) {
	next := make(chan func())
	var working sync.WaitGroup
	for range together {
		working.Go(func() {
			for do := range next {
				do()
			}
		})
	}
	for _, do := range all {
		next <- do
	}
	close(next)
	working.Wait()
}

func brokerName(mosquitto bool) string {
	if mosquitto {
		return "mosquitto without persistence"
	}
	return "receiver's own broker"
}

// tryAlone lets a fault happen so many times in one run, and waits each time until the system has recovered.
// It returns how many rows waited at most.
func tryAlone(t *testing.T, bin string, s setup, f fault, tries, seed int) (behind int) {
	t.Helper()
	b := newBench(t, bin, s)
	random := rand.New(rand.NewPCG(uint64(seed), 2))
	b.waitStored(t, 1, recovery)
	var slowest time.Duration
	for range tries {
		testenv.Pause(t.Context(), within(random, 200*time.Millisecond, time.Second))
		end := f.begin(t, b, random)
		testenv.Pause(t.Context(), within(random, f.least, f.most))
		behind = max(behind, b.handedOut(t)-newestRow(b.data))
		end()
		slowest = max(slowest, b.waitStored(t, b.handedOut(t), recovery))
		b.waitReceipted(t, recovery)
	}
	v := b.finish(t)
	proof.Record(t, proof.Trial{
		Part: part, Place: brokerName(s.mosquitto), Fault: f.name, Holds: holds, Tried: tries, Unit: "times", Failed: v.broken(),
		Note: fmt.Sprintf("%v; at most %d waited, slowest recovery %.1f s%s", v, behind, slowest.Seconds(), b.restarts()), Seed: fmt.Sprint(seed),
	})
	v.check(t)
	return behind
}

func seedOf(t *testing.T) int {
	return proof.Count(t, "HOLDFAST_SEED", int(time.Now().UnixNano()%1e6))
}

// within returns a duration from least to most.
func within(random *rand.Rand, least, most time.Duration) time.Duration {
	return least + time.Duration(random.Int64N(int64(most-least)+1))
}
