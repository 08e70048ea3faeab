package main

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"holdfast"
	"holdfast/internal/proof"
)

// dayRules make an alert each time somebody opens the oven, and summarise each minute.
const dayRules = `version: 1
rules:
  - name: warm_room
    threshold: {sensor: "bme280-*", quantity: temperature_celsius, above: 26, clear: 25, severity: warning}
  - name: minute
    aggregate: {sensor: "*", window: 1m, functions: [mean, sum, min, max, count]}
`

// A day is a whole system, its outages, and what was counted.
type day struct {
	*judge

	brokerDown, cloudDown, piDown, suspended toggle
	broken                                   broken

	checks, outages int
	longest         time.Duration // outage
	backlog         uint64        // the most that the gateway ever owed
	inflight        int           // the most batches that were ever on their way
	queued          int           // the most records that ever waited for the card
	drained         time.Duration // after the last outage
}

// The whole gateway, a broker and the receiver through a simulated day with outages of 1 s to 6 h that overlap. Every minute,
// and at the end, every number is held by the database, owed by the gateway or stated; at the end every reading that was
// taken is in the database once but for the window of a kill, and what the rules made of them is what follows from them.
func TestDay(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("a day takes the better part of a minute")
	}
	seed := proof.Count(t, "HOLDFAST_SEED", int(time.Now().UnixNano()%1e6))
	for n := range proof.Count(t, "HOLDFAST_DAYS", 1) {
		t.Run(fmt.Sprint(seed+n), func(t *testing.T) {
			var d *day
			defer func() { d.record(t, seed+n) }()
			synctest.Test(t, func(t *testing.T) {
				d = newDay(t)
				d.run(rand.New(rand.NewPCG(uint64(seed+n), 0)), dayLength*time.Hour)
			})
		})
	}
}

func newDay(t *testing.T) *day {
	s := newSystem(t)
	d := &day{judge: &judge{system: s, cloud: s.cloud("cloud")}}
	d.pi = s.pi("bubble", "SAMPLING_INTERVAL", "5", "RULES_FILE", d.write("rules.yaml", dayRules))
	d.broker.Swallow(d.broken.swallows)
	d.broker.Deny(d.broken.denies)
	d.brokerDown = toggle{off: d.broker.Block, on: d.broker.Unblock}
	d.cloudDown = toggle{on: d.cloud.start}
	d.piDown = toggle{on: d.pi.start}
	d.suspended = toggle{off: func() { d.cloud.suspend("suspended") }, on: func() { d.cloud.suspend("active") }}
	return d
}

func (d *day) run(rng *rand.Rand, length time.Duration) {
	moments, longest := schedule(d.t, rng, d.kinds(), length)
	d.outages, d.longest = len(moments)/2, longest
	d.cloud.start()
	d.pi.start()
	for minute := time.Minute; minute <= length; minute += time.Minute {
		for ; len(moments) > 0 && moments[0].at < minute; moments = moments[1:] {
			time.Sleep(time.Until(d.began.Add(moments[0].at)))
			moments[0].happen()
		}
		time.Sleep(time.Until(d.began.Add(minute)))
		d.check(minute%(10*time.Minute) == 0)
	}
	for _, m := range moments {
		m.happen()
	}
	d.settle()
	d.everything()
}

// settle stops measuring, waits until the gateway owes nothing, and stops it.
func (d *day) settle() {
	d.t.Helper()
	over := time.Now()
	d.pi.rest()
	d.drain()
	d.drained = time.Since(over)
	d.check(true)
	d.pi.stop()
	wait(time.Minute)
	d.check(true)
}

// check looks at the invariants that hold at every instant: what the gateway owes and what the ledger holds is everything
// that was ever numbered, and nothing else; what is on its way is bounded. Exactly compares number by number.
func (d *day) check(exactly bool) {
	d.t.Helper()
	synctest.Wait()
	d.checks++
	heads, owed := d.heads()
	ledger := d.ledger()
	for p, held := range ledger {
		if len(held) > 0 && held[len(held)-1].Last > heads[p] {
			d.t.Errorf("%v: the ledger of %v reaches to %d, the gateway gave %d numbers", time.Since(d.began), p, held[len(held)-1].Last, heads[p])
		}
	}
	if d.pi.life == nil {
		return
	}
	for p, head := range heads {
		if missing := int64(head) - int64(ledger[p].Count()) - int64(owed[p]); missing > 0 {
			d.t.Errorf("%v: %d numbers of %v are neither owed nor in the ledger", time.Since(d.began), missing, p)
		}
	}
	if exactly {
		d.checkExactly(heads, ledger)
	}
	var sum uint64
	for _, n := range owed {
		sum += n
	}
	d.backlog = max(d.backlog, sum)
	d.inflight = max(d.inflight, d.pi.life.gateway.uplink.Status().Inflight)
	d.queued = max(d.queued, d.pi.life.gateway.buffer.Status().Queued)
	if d.inflight > 20+4+4 {
		d.t.Fatalf("%d batches on their way", d.inflight)
	}
}

// checkExactly expects each number that the gateway does not owe in the ledger.
func (d *day) checkExactly(heads map[place]uint64, ledger map[place]holdfast.Ranges) {
	d.t.Helper()
	owed := d.owed()
	for p, head := range heads {
		if head == 0 {
			continue
		}
		for _, free := range owed[p].Missing(holdfast.Range{First: 1, Last: head}) {
			if !ledger[p].Covers(free) {
				d.t.Errorf("%v: %d to %d of %v: the gateway does not owe them, the ledger does not hold them all", time.Since(d.began), free.First, free.Last, p)
			}
		}
	}
}

// heads returns how many numbers each lane of each stream has, and how many of them the running gateway owes.
func (d *day) heads() (heads, owed map[place]uint64) {
	heads, owed = map[place]uint64{}, map[place]uint64{}
	for _, l := range d.pi.lives {
		status := l.last
		if l == d.pi.life {
			status = l.gateway.buffer.Status()
			for _, older := range status.Older {
				for lane, s := range older.Lanes {
					owed[place{older.Stream.String(), lane}] = s.Pending
				}
			}
			for lane, s := range status.Lanes {
				owed[place{status.Stream.String(), lane}] = s.Pending
			}
		}
		for lane, s := range status.Lanes {
			heads[place{status.Stream.String(), lane}] = s.Head
		}
	}
	return heads, owed
}

// record publishes what was counted.
func (d *day) record(t *testing.T, seed int) {
	failed := 0
	if t.Failed() {
		failed = 1
	}
	var kinds string
	for i, k := range d.kinds() {
		if i > 0 {
			kinds += ", "
		}
		kinds += fmt.Sprintf("%s (%d)", k.name, k.times(dayLength*time.Hour))
	}
	kills := 0
	for _, l := range d.pi.lives {
		if !l.killed.IsZero() {
			kills++
		}
	}
	proof.Record(t, proof.Trial{
		Part:  "A day in a bubble",
		Fault: fmt.Sprint(dayLength, " h with overlapping outages of 1 s to 6 h: ", kinds),
		Holds: "ledger, owed and stated numbers are everything ever numbered, each minute; every reading is stored once; aggregates and alerts follow from them",
		Tried: d.outages, Unit: "outages", Failed: failed, Seed: fmt.Sprint(seed),
		Note: fmt.Sprintf("longest %v; %d readings taken in %d starts, %d killed; %d lost in memory at a kill, the oldest %v before it; %d aggregates, %d steps of alerts, %d events; %d checks; at most %d owed, %d batches on their way; all delivered %v after the last outage",
			d.longest.Round(time.Second), d.pi.taken(), len(d.pi.lives), kills, d.lost, d.oldest.Round(time.Millisecond),
			d.aggregates, d.alerts, d.events, d.checks, d.backlog, d.inflight, d.drained),
	})
}
