package main

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"holdfast"
	"holdfast/internal/proof"
	"holdfast/wire"
)

// A counterexample is a story that an expert would tell against the promise.
type counterexample struct {
	fault, holds string
	tried        int // stories or repetitions
	unit         string
	note         string
}

// counter runs a story in a bubble and publishes what came of it.
func counter(t *testing.T, tell func(s *system) counterexample) {
	t.Helper()
	t.Parallel()
	if testing.Short() {
		t.Skip("hours of simulated time")
	}
	var c counterexample
	synctest.Test(t, func(t *testing.T) { c = tell(newSystem(t)) })
	failed := 0
	if t.Failed() {
		failed = 1
	}
	proof.Record(t, proof.Trial{Part: "Named counterexamples", Fault: c.fault, Holds: c.holds, Tried: c.tried, Unit: c.unit, Failed: failed, Note: c.note})
}

func note(format string, args ...any) string { return fmt.Sprintf(format, args...) }

// finish lets the Pi rest until all has arrived, and judges. It expects that every number is stored.
func (j *judge) finish() {
	j.t.Helper()
	j.quiet()
	j.everything()
}

// quiet stops measuring, waits until nothing is owed, and stops the gateway.
func (j *judge) quiet() {
	j.t.Helper()
	j.pi.rest()
	j.drain()
	j.pi.stop()
	wait(time.Minute)
}

// receipt publishes a receipt in a receiver's name.
func (s *system) receipt(r holdfast.Receipt) {
	s.t.Helper()
	r.V, r.Time = holdfast.Version, holdfast.Micro(time.Now())
	payload, err := wire.EncodeReceipt(&r)
	if err != nil {
		s.t.Fatal(err)
	}
	if err := s.broker.Publish("devices/bubble/receipt", payload, false); err != nil {
		s.t.Fatal(err)
	}
	synctest.Wait()
}

// isReceipt reports whether an MQTT packet carries a receipt.
func isReceipt(packet []byte) bool { return bytes.Contains(packet, []byte("devices/bubble/receipt")) }

// Two receivers take each batch into one database, and each sends its receipt.
func TestCounterexampleTwoReceiversRace(t *testing.T) {
	counter(t, func(s *system) counterexample {
		c := s.cloud("cloud")
		other := c.twin("cloud-2")
		c.start()
		other.start()
		j := &judge{system: s, pi: s.pi("bubble"), cloud: c}
		receipts := [2]int{}
		for i, cable := range []*cable{c.cable, other.cable} {
			cable.breakAt(func(packet []byte) bool {
				if isReceipt(packet) {
					receipts[i]++
				}
				return false
			})
		}
		j.pi.start()
		for range 10 {
			wait(time.Minute)
			s.broker.Kick()
		}
		j.finish()
		if min(receipts[0], receipts[1]) < 500 {
			t.Errorf("the receivers sent %v receipts: they did not race", receipts)
		}
		return counterexample{"two receivers race for each batch of one device, one database", "every reading is stored once", j.readings, "readings", ""}
	})
}

// A second database on the same broker takes everything, receipts it, wants what it lacks and tells the device to hold: it
// is watched, and the gateway owes the first one all that only the second has.
func TestCounterexampleTwoDatabases(t *testing.T) {
	counter(t, func(s *system) counterexample {
		c, bench := s.cloud("cloud"), s.cloud("bench")
		j := &judge{system: s, pi: s.pi("bubble"), cloud: c}
		c.start()
		j.pi.start()
		wait(5 * time.Minute)
		bench.start()
		wait(5 * time.Minute)
		c.stop()
		before := bench.number("SELECT count(*) FROM sample")
		wait(5 * time.Minute)
		if taken := bench.number("SELECT count(*) FROM sample") - before; taken < 40 {
			t.Errorf("the second database took %d samples: it is no danger", taken)
		}
		status := j.pi.life.gateway.uplink.Status()
		if status.Store != c.store.ID() || !slices.Equal(status.Others, []holdfast.Stream{bench.store.ID()}) {
			t.Errorf("bound to %v, watches %v", status.Store, status.Others)
		}
		if owed := j.pi.pending(); owed < 590 {
			t.Errorf("%d numbers are owed after five minutes without the first database, want each of 600", owed)
		}
		bench.suspend("suspended")
		c.start()
		wait(5 * time.Minute)
		if hold := j.pi.life.gateway.uplink.Status().Hold; hold != "" {
			t.Errorf("the second database made the gateway hold: %s", hold)
		}
		j.finish()
		return counterexample{"a second database on the broker receipts, wants and holds", "nothing is freed on its word; the first one gets every reading once", j.readings, "readings", ""}
	})
}

// A copy of a card runs beside its original: both have the backlog of the stream before, and each its own new stream.
func TestCounterexampleClonedCard(t *testing.T) {
	for _, running := range []bool{false, true} {
		t.Run(map[bool]string{false: "of a stopped gateway", true: "of a running gateway"}[running], func(t *testing.T) {
			counter(t, func(s *system) counterexample {
				c := s.cloud("cloud")
				c.start()
				j := &judge{system: s, pi: s.pi("bubble"), cloud: c}
				j.pi.start()
				wait(time.Minute)
				c.stop()
				wait(5*time.Minute + 300*time.Millisecond) // a backlog, and something in memory
				if !running {
					j.pi.stop()
				}
				clone := s.pi("bubble")
				clone.card = s.duplicate(j.pi.card, "clone")
				clone.start()
				if !running {
					j.pi.start()
				}
				wait(5 * time.Minute)
				c.start()
				wait(5 * time.Minute)
				clone.rest()
				wait(time.Minute)
				if n := clone.pending(); n > 0 {
					t.Errorf("the clone owes %d numbers", n)
				}
				clone.stop()
				j.quiet()
				both := &judge{system: s, cloud: c, pi: &pi{lives: append(slices.Clone(j.pi.lives), clone.lives...)}}
				both.judgeTwins()
				return counterexample{"a cloned card runs beside its original, copied " + t.Name()[strings.Index(t.Name(), "/")+1:],
					"the backlog that both have is stored once, and so is everything that each measures", both.readings, "readings", ""}
			})
		})
	}
}

// judgeTwins expects everything that two Pis with the same sensors measured: at one instant they read the same, so that a
// reading of each is there.
func (j *judge) judgeTwins() {
	j.t.Helper()
	want := map[string]int{}
	for _, l := range j.pi.lives {
		want[l.last.Stream.String()] = len(l.readings())
	}
	got := map[string]int{}
	var stream string
	var n int
	j.cloud.query([]any{&stream, &n}, func() { got[stream] = n; j.readings += n },
		"SELECT lower(hex(stream.id)), count(DISTINCT seq) FROM sample JOIN stream ON stream.n = sample.stream GROUP BY 1")
	for stream, n := range want {
		if got[stream] != n {
			j.t.Errorf("stream %s: %d readings taken, %d stored", stream, n, got[stream])
		}
	}
	if n := j.cloud.number(`SELECT count(*) FROM (SELECT 1 FROM sample GROUP BY series, time_us, stream HAVING count(*) > 1)`); n > 0 {
		j.t.Errorf("%d readings are stored twice", n)
	}
	if totals := j.cloud.completeness("bubble").Totals; totals.Data != totals.Head {
		j.t.Errorf("completeness %+v, want everything stored", totals)
	}
}

// Kills at every instant around the end of a window: it is emitted once, and says what its readings say.
func TestCounterexampleWindowThenCrash(t *testing.T) {
	counter(t, func(s *system) counterexample {
		c := s.cloud("cloud")
		c.start()
		j := &judge{system: s, pi: s.pi("bubble", "RULES_FILE", s.write("rules.yaml", dayRules)), cloud: c}
		kills := 0
		for after := -1500 * time.Millisecond; after <= 2500*time.Millisecond; after += 250 * time.Millisecond {
			j.pi.start()
			end := time.Now().Add(30 * time.Second).Truncate(time.Minute).Add(time.Minute)
			wait(time.Until(end) + after)
			j.pi.kill()
			kills++
			wait(time.Second)
		}
		j.pi.start()
		wait(90 * time.Second)
		j.finish()
		return counterexample{"killed within 2.5 s of the end of a window", "every window is stored once and agrees with its readings", kills, "kills", ""}
	})
}

// A record that no batch can hold is listed, and everything else flows.
func TestCounterexampleOversizedRecord(t *testing.T) {
	counter(t, func(s *system) counterexample {
		c := s.cloud("cloud")
		c.start()
		j := &judge{system: s, pi: s.pi("bubble"), cloud: c}
		j.pi.start()
		wait(time.Minute)
		for range 3 {
			j.pi.life.gateway.event("note", strings.Repeat("x", 2*holdfast.MaxBatchBytes))
			j.pi.life.gateway.event("note", "small")
			wait(10 * time.Second)
		}
		j.quiet()
		j.judgeReadings(j.stored())
		totals := c.completeness("bubble").Totals
		if listed := c.number("SELECT sum(last - first + 1) FROM ledger WHERE state = 'rejected' AND cause = 'too_large' AND lane = 'event'"); listed != 3 || totals.Rejected != 3 || totals.Data+3 != totals.Head {
			t.Errorf("%d listed as too large, completeness %+v", listed, totals)
		}
		if n := c.number("SELECT count(*) FROM record WHERE json ->> 'event' = 'note'"); n != 3 {
			t.Errorf("%d small events stored, want 3", n)
		}
		return counterexample{"records larger than any batch", "each is listed as rejected, too_large; everything else is stored", 3, "records", ""}
	})
}

// A receipt of the bound store for numbers that were not given yet, for a stream that nobody knows and for numbers that were
// never sent: the future is not freed, and what was freed wrongly is asked for and comes from history.
func TestCounterexampleReceiptForWhatWasNeverSent(t *testing.T) {
	counter(t, func(s *system) counterexample {
		c := s.cloud("cloud")
		c.start()
		j := &judge{system: s, pi: s.pi("bubble"), cloud: c}
		j.pi.start()
		wait(time.Minute)
		c.stop()
		s.broker.Swallow(func(_, topic string) bool { return topic == "devices/bubble/telemetry" }) // nothing is sent
		wait(5 * time.Minute)
		held := j.pi.life.gateway.buffer.Status()
		head, stream := held.Lanes[holdfast.LaneTelemetry].Head, held.Stream
		forge := func(stream holdfast.Stream, r holdfast.Range) {
			s.receipt(holdfast.Receipt{Store: c.store.ID(), Stream: stream, Lane: holdfast.LaneTelemetry, Ranges: holdfast.Ranges{r}})
		}
		forge(stream, holdfast.Range{First: head + 1, Last: head + 1000})
		forge(stream, holdfast.Range{First: head + 500, Last: holdfast.MaxInteger})
		forge(holdfast.Stream{0xff}, holdfast.Range{First: 1, Last: head})
		if got := j.pi.pending(); got < 590 {
			t.Errorf("%d numbers are owed after receipts for the future and for a strange stream, want 600", got)
		}
		forge(stream, holdfast.Range{First: 1, Last: head - 100})
		if got := j.pi.pending(); got != 100 {
			t.Errorf("%d numbers are owed after a receipt for all but 100", got)
		}
		wait(time.Minute)
		if got := j.pi.pending(); got < 210 {
			t.Errorf("%d numbers are owed a minute after receipts for the future, want 220", got)
		}
		s.broker.Swallow(nil)
		c.start()
		wait(5 * time.Minute)
		j.finish()
		return counterexample{"receipts for numbers to come, of a strange stream, and for what was never sent",
			"no number to come is freed; what was freed wrongly is asked for and stored once", 4, "receipts", ""}
	})
}

// The receiver dies after the commit, at the instant at which the receipt would leave.
func TestCounterexampleDeathBetweenCommitAndReceipt(t *testing.T) {
	counter(t, func(s *system) counterexample {
		c := s.cloud("cloud")
		j := &judge{system: s, pi: s.pi("bubble"), cloud: c}
		j.pi.start()
		deaths, again := 0, 0
		for range 20 {
			c.start()
			wait(20 * time.Second)
			c.cable.breakAt(isReceipt)
			wait(3 * time.Second)
			if !c.cable.isCut() {
				t.Error("no receipt wanted to leave")
				continue
			}
			deaths++
			both := uint64(0)
			ledger := j.ledger()
			for p, owed := range j.owed() {
				for _, r := range owed {
					both += ledger[p].Within(r).Count()
				}
			}
			if both == 0 {
				t.Error("nothing was both stored and owed: the receipt was not between them")
			}
			again += int(both)
			c.kill()
			wait(10 * time.Second)
		}
		c.start()
		wait(time.Minute)
		j.finish()
		return counterexample{"the receiver dies between commit and receipt", "the batch comes again and every reading is stored once", deaths, "deaths", note("%d numbers were stored and owed", again)}
	})
}
