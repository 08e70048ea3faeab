package receiver

import (
	"database/sql"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"holdfast"
	"holdfast/mqtt"
	"holdfast/receiver/store"
	"holdfast/wire"
)

// Where the database refuses the rows of one batch, that one becomes a dead letter, and what came with it gets through.
func TestConflictStandsAlone(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, r *rig) {
		r.sendReadings(streamA, 1, 2)
		err := r.store.Write(t.Context(), func(tx *store.Tx) error { // a row that the ledger does not know of
			s, err := tx.Stream(streamA, device, moment(0))
			if err != nil {
				return err
			}
			return tx.AddReading(s, 4, &holdfast.Reading{Time: moment(4), Sensor: "bme280-1-76", Values: map[string]float64{"temperature_celsius": 4}})
		})
		if err != nil {
			t.Fatal(err)
		}
		var group []*delivery
		for first := uint64(3); first < 13; first += 2 {
			b := readings(streamA, first, first+1)
			b.V, b.Device, b.Head = holdfast.Version, device, 20
			payload, err := wire.EncodeBatch(b, false)
			if err != nil {
				t.Fatal(err)
			}
			group = append(group, read(holdfast.Topics{}, mqtt.Message{Topic: "devices/pi-7/telemetry", Payload: payload}, time.Now()))
		}
		for try := 1; try <= lastTry; try++ {
			if err := r.receiver.commit(t.Context(), r.gateway, group); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			var held holdfast.Ranges
			for _, receipt := range r.received() {
				for _, x := range receipt.Ranges {
					held.Add(x)
				}
			}
			want := holdfast.Ranges{{First: 5, Last: 12}}
			if try == lastTry {
				want = holdfast.Ranges{{First: 3, Last: 12}}
			}
			if !slices.Equal(held, want) {
				t.Errorf("try %d: receipts for %v, want %v", try, held, want)
			}
		}
		if letters := r.letters(); len(letters) != 1 || letters[0].Code != codeConflict || letters[0].Count != lastTry {
			t.Errorf("dead letters %+v", letters)
		}
	})
}

// A receiver that cannot commit is none: it withdraws, gives no receipt, and goes on when the database is well again.
func TestDatabaseFails(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, r *rig) {
		r.sendReadings(streamA, 1, 5)
		other, err := sql.Open("sqlite", filepath.Join(r.dir, "receiver.db"))
		if err != nil {
			t.Fatal(err)
		}
		defer other.Close()
		rename := func(from, to string) {
			if _, err := other.ExecContext(t.Context(), "ALTER TABLE "+from+" RENAME TO "+to); err != nil {
				t.Fatal(err)
			}
		}
		rename("sample", "elsewhere")
		if got := r.send(readings(streamA, 6, 10)); len(got) > 0 {
			t.Errorf("receipts %s for what is not committed", text(got))
		}
		if r.receiver.Connected() == nil {
			t.Error("the receiver claims to receive")
		}
		if p, err := wire.DecodePresence(r.broker.Retained("receivers/one/state")); err != nil || p.Online {
			t.Errorf("presence %+v, %v, want offline", p, err)
		}
		rename("elsewhere", "sample")
		time.Sleep(2 * lastDelay)
		synctest.Wait()
		r.received() // the broker may have sent it again already
		r.sendReadings(streamA, 6, 10)
		r.expectValues(10)
	})
}

func BenchmarkIngest(b *testing.B) {
	s, err := store.Open(b.Context(), store.Options{Path: filepath.Join(b.TempDir(), "receiver.db")})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	next := uint64(1)
	for b.Loop() {
		err := s.Write(b.Context(), func(tx *store.Tx) error {
			w := &writer{Tx: tx, now: time.Now(), fresh: store.StatusActive, outcome: outcome{stored: make(map[holdfast.What]uint64)}}
			for range groupSize {
				batch := readings(streamA, next, next+99)
				next += 100
				batch.V, batch.Device, batch.Head = holdfast.Version, device, batch.Last
				payload, err := wire.EncodeBatch(batch, false)
				if err != nil {
					return err
				}
				if err := w.put(read(holdfast.Topics{}, mqtt.Message{Topic: "devices/pi-7/telemetry", Payload: payload}, w.now)); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(next-1)/b.Elapsed().Seconds(), "readings/s")
}
