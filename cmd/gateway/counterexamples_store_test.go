package main

import (
	"database/sql"
	"path/filepath"
	"testing"
	"time"

	"holdfast"
)

// crowd leaves little room in the buffer's file: its cap is the least there is, and most of that is taken. Some three
// thousand readings fill the rest.
func (p *pi) crowd() {
	p.bytes, p.filler = 1<<20, 127
}

// listed expects of each reading that was taken that it is stored under its old number, or that this number is listed as
// dropped for one of the causes and nothing else. It returns how many are listed. It is for Pis without rules and kills.
func (j *judge) listed(causes ...holdfast.Cause) (listed int) {
	j.t.Helper()
	lost := map[string]holdfast.Ranges{}
	var stream string
	var r holdfast.Range
	for _, cause := range causes {
		j.cloud.query([]any{&stream, &r.First, &r.Last}, func() {
			ranges := lost[stream]
			ranges.Add(r)
			lost[stream] = ranges
			listed += int(r.Len())
		}, `SELECT lower(hex(stream.id)), first, last FROM ledger JOIN stream ON stream.n = ledger.stream
			WHERE lane = 'telemetry' AND state = 'dropped' AND cause = ?`, string(cause))
	}
	found := j.stored()
	missing := j.missing(found)
	for _, l := range j.pi.lives {
		for i, r := range l.readings() {
			at, want := sampled{r.Sensor, r.Time.UnixMicro()}, number{l.last.Stream.String(), uint64(i) + 1}
			if _, gone := missing[at]; gone != lost[want.stream].Contains(want.seq) {
				for _, s := range j.cloud.completeness("bubble").Streams {
					j.t.Logf("stream %v: %+v", s.Stream, s.Lanes)
				}
				j.t.Fatalf("%v, number %v: stored %v, listed for %v %v", at, want, !gone, causes, !gone)
			} else if !gone && found[at].number != want {
				j.t.Fatalf("%v is stored as number %v, it was %v", at, found[at].number, want)
			}
		}
	}
	if totals := j.cloud.completeness("bubble").Totals; totals.Missing > 0 || totals.Dropped != uint64(listed) || totals.Data+totals.Dropped != totals.Head {
		j.t.Errorf("completeness %+v, %d listed for %v", totals, listed, causes)
	}
	return listed
}

// A gateway that has handed everything to a broker is bound to its first receiver long after its history was full.
func TestCounterexampleBoundAfterHistoryIsFull(t *testing.T) {
	counter(t, func(s *system) counterexample {
		c := s.cloud("cloud")
		j := &judge{system: s, pi: s.pi("bubble", "MQTT_ACK", "puback"), cloud: c}
		j.pi.crowd()
		j.pi.start()
		wait(40 * time.Minute)
		j.pi.stop()
		c.start()
		j.pi.config = append([]string{"MQTT_ACK", "receipt"}, j.pi.config...)
		j.pi.start()
		wait(5 * time.Minute)
		j.quiet()
		listed := j.listed(holdfast.CauseReceiptedThenLost, holdfast.CauseFull) // the latter where what is measured meanwhile needs the room
		if listed < 1000 || j.readings < 1000 {
			t.Errorf("%d readings stored, %d listed: history was not full", j.readings, listed)
		}
		return counterexample{"the first receiver is bound when history is full", "what history holds arrives under its old numbers, the rest is listed: as receipted_then_lost, or full where new readings needed the room",
			j.readings + listed, "readings", note("%d stored, %d listed", j.readings, listed)}
	})
}

// A gateway that waits for its receiver overflows before that comes.
func TestCounterexampleReceiverAfterOverflow(t *testing.T) {
	counter(t, func(s *system) counterexample {
		c := s.cloud("cloud")
		j := &judge{system: s, pi: s.pi("bubble"), cloud: c}
		j.pi.crowd()
		j.pi.start()
		wait(time.Hour)
		c.start()
		wait(5 * time.Minute)
		j.quiet()
		listed := j.listed(holdfast.CauseFull)
		if listed < 1000 || j.readings < 1000 {
			t.Errorf("%d readings stored, %d listed: the buffer did not overflow", j.readings, listed)
		}
		return counterexample{"the first receiver comes when the buffer has overflowed", "all that the buffer holds arrives under its numbers, the rest is listed as full",
			j.readings + listed, "readings", note("%d stored, %d listed", j.readings, listed)}
	})
}

// The database is put back to what it was: what it had since then comes again from history, also where nothing new is measured
// that would show that something lacks.
func TestCounterexampleRestoredBackup(t *testing.T) {
	for _, story := range []string{"while measuring", "at rest", "under a new name"} {
		t.Run(story, func(t *testing.T) {
			counter(t, func(s *system) counterexample {
				c := s.cloud("cloud")
				j := &judge{system: s, pi: s.pi("bubble", "RULES_FILE", s.write("rules.yaml", dayRules)), cloud: c}
				c.start()
				j.pi.start()
				wait(5 * time.Minute)
				backup := j.backup()
				wait(10 * time.Minute)
				if story == "at rest" {
					j.pi.rest()
				}
				before := c.number("SELECT count(*) FROM record") + c.number("SELECT count(*) FROM sample")
				c.stop()
				c.restore(backup)
				lost := before - c.number("SELECT count(*) FROM record") - c.number("SELECT count(*) FROM sample")
				if story == "under a new name" {
					j.rename()
				}
				c.start()
				wait(15 * time.Minute)
				j.finish()
				return counterexample{"the database is restored from a backup, " + story, "what it lacks comes again from history and is stored once", lost, "rows", ""}
			})
		})
	}
}

// The database is put back to a time that history does not reach.
func TestCounterexampleBackupOlderThanHistory(t *testing.T) {
	counter(t, func(s *system) counterexample {
		c := s.cloud("cloud")
		j := &judge{system: s, pi: s.pi("bubble"), cloud: c}
		j.pi.crowd()
		c.start()
		j.pi.start()
		wait(5 * time.Minute)
		backup := j.backup()
		wait(40 * time.Minute)
		c.stop()
		c.restore(backup)
		c.start()
		wait(15 * time.Minute)
		j.quiet()
		listed := j.listed(holdfast.CauseReceiptedThenLost)
		if listed < 1000 {
			t.Errorf("%d readings listed: history reached back to the backup", listed)
		}
		return counterexample{"the database is restored from a backup older than history", "what history holds comes again, the rest is listed as receipted_then_lost",
			j.readings + listed, "readings", note("%d stored, %d listed", j.readings, listed)}
	})
}

// backup copies the database as it lies while the receiver is stopped.
func (j *judge) backup() string {
	j.t.Helper()
	j.cloud.stop()
	backup := j.duplicate(j.cloud.folder, "backup")
	j.cloud.start()
	return backup
}

// rename gives the database another name, as a restore does that wants to be noticed.
func (j *judge) rename() {
	j.t.Helper()
	c := j.cloud
	c.close()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(c.folder, databaseFile))
	if err != nil {
		j.t.Fatal(err)
	}
	if _, err := db.Exec("UPDATE meta SET value = lower(hex(randomblob(16))) WHERE key = 'store'"); err != nil {
		j.t.Error(err)
	}
	if err := db.Close(); err != nil {
		j.t.Error(err)
	}
	c.open()
}

// Batches arrive and their receipts do not. The buffer overflows and drops them, and says so of numbers that the database holds;
// for some a receipt comes after all.
func TestCounterexampleDroppedAfterArrival(t *testing.T) {
	counter(t, func(s *system) counterexample {
		c := s.cloud("cloud")
		j := &judge{system: s, pi: s.pi("bubble"), cloud: c}
		j.pi.crowd()
		c.start()
		j.pi.start()
		wait(time.Minute)
		c.stop()
		wait(15 * time.Minute)
		s.broker.Swallow(func(_, topic string) bool { return topic == "devices/bubble/receipt" })
		c.start()
		wait(45 * time.Minute)
		stream := j.pi.life.gateway.buffer.Stream()
		dropped, ok, err := j.pi.life.gateway.buffer.Next(holdfast.LaneTelemetry, holdfast.Position{}, 1, 1)
		if err != nil || !ok || dropped.What != holdfast.Dropped {
			t.Fatalf("the first that is owed is %+v, %v: want a drop", dropped, err)
		}
		both := j.ledger()[place{stream.String(), holdfast.LaneTelemetry}].Within(dropped.Range())
		if both.Count() < 500 {
			t.Errorf("%d numbers are both stored and dropped", both.Count())
		}
		late := holdfast.Range{First: both[0].First, Last: both[0].First + 99}
		s.broker.Swallow(nil)
		s.receipt(holdfast.Receipt{Store: c.store.ID(), Stream: stream, Lane: holdfast.LaneTelemetry, Ranges: holdfast.Ranges{late}})
		wait(15 * time.Minute)
		j.quiet()
		listed := j.listed(holdfast.CauseFull)
		if listed < 500 {
			t.Errorf("%d numbers are listed as full", listed)
		}
		return counterexample{"the buffer drops what arrived without a receipt, and says so", "the ledger keeps what it has, and lists what never came",
			int(both.Count()), "numbers", note("%d of them receipted after the drop; %d others listed", late.Len(), listed)}
	})
}
