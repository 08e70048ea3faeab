package receiver

import (
	"database/sql"
	"encoding/json"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"holdfast"
	"holdfast/internal/proof"
	"holdfast/receiver/store"
	"holdfast/wire"
)

// A rejected record is set aside as a dead letter. Once the receiver takes it, its replay puts it into the database and
// turns its number to data, once; the same record from the device adds nothing.
func TestReplayedDeadLetter(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, r *rig) {
		b := readings(streamA, 1, 5)
		good := b.Records[2]
		b.Records[2] = json.RawMessage(`{"time":"2026-05-01T12:00:03Z","sensor":"bme280-1-76","values":{}}`)
		if got := r.send(b); len(got) != 1 || len(got[0].Rejected) != 1 {
			t.Fatalf("receipts %s, want one with a rejection", text(got))
		}
		letters := r.letters()
		if len(letters) != 1 || letters[0].First != 3 || letters[0].Through != 3 {
			t.Fatalf("dead letters %s", text(letters))
		}
		if _, err := r.receiver.Replay(t.Context(), letters[0].ID); !errors.Is(err, ErrRefused) {
			t.Fatalf("a replay by the same rules: %v, want a refusal", err)
		}
		if got := r.telemetry(streamA); got.Data != 4 || got.Rejected != 1 {
			t.Fatalf("after the refusal: %s", text(got))
		}

		r.rewrite(letters[0].ID, good) // as a receiver that has learnt to read it sees it
		if n, err := r.receiver.Replay(t.Context(), letters[0].ID); n != 1 || err != nil {
			t.Fatalf("replay: %d numbers, %v", n, err)
		}
		if got := r.telemetry(streamA); got.Data != 5 || len(got.Ranges) > 0 {
			t.Errorf("completeness %s", text(got))
		}
		r.expectValues(5)
		if r.letters()[0].Replayed.IsZero() {
			t.Error("the letter does not say that it was replayed")
		}
		if _, err := r.receiver.Replay(t.Context(), letters[0].ID); !errors.Is(err, ErrReplayed) {
			t.Errorf("a second replay: %v", err)
		}
		if _, err := r.receiver.Replay(t.Context(), letters[0].ID+1); !errors.Is(err, store.ErrNoLetter) {
			t.Errorf("a letter that there is not: %v", err)
		}
		r.sendReadings(streamA, 1, 5)
		r.expectValues(5)
		proof.Record(t, proof.Trial{Part: "Named counterexamples", Fault: "a rejected record, then its dead letter replayed, twice, and the record sent again",
			Holds: "its number turns from rejected to data with its row, once", Tried: 1, Unit: "replays"})
	})
}

// A batch that was given up is replayed whole; what came of it on another way meanwhile is not doubled.
func TestReplayedBatch(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, r *rig) {
		whole := readings(streamA, 1, 4)
		whole.V, whole.Device, whole.Head = holdfast.Version, device, 4
		payload, err := wire.EncodeBatch(whole, false)
		if err != nil {
			t.Fatal(err)
		}
		broken := []byte(strings.Replace(string(payload), `"records":[{`, `"records":[[{`, 1))
		for range lastTry {
			r.publish(holdfast.Topics{}.Batch(device, holdfast.LaneTelemetry), broken)
		}
		if got := r.telemetry(streamA); got.Rejected != 4 {
			t.Fatalf("completeness %s, want 4 rejected", text(got))
		}
		r.received()
		r.rewrite(r.letters()[0].ID, payload)
		if n, err := r.receiver.Replay(t.Context(), r.letters()[0].ID); n != 4 || err != nil {
			t.Fatalf("replay: %d numbers, %v", n, err)
		}
		r.expectValues(4)
		r.sendReadings(streamA, 3, 6)
		r.expectValues(6)
		if got := r.telemetry(streamA); got.Data != 6 || len(got.Ranges) > 0 {
			t.Errorf("completeness %s", text(got))
		}
	})
}

// A letter of a foreign stream is still refused, unless the device is known to have been the other one.
func TestReplayOfForeignStream(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, r *rig) {
		r.sendReadings(streamA, 1, 5)
		later := readings(streamA, 6, 8)
		later.Device = "pi-8"
		r.send(later)
		id := r.letters()[0].ID
		if _, err := r.receiver.Replay(t.Context(), id); !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), codeForeignStream) {
			t.Errorf("replay: %v", err)
		}
		if err := r.receiver.Adopt(t.Context(), "pi-8", device); err != nil {
			t.Fatal(err)
		}
		if n, err := r.receiver.Replay(t.Context(), id); n != 3 || err != nil {
			t.Errorf("replay: %d numbers, %v", n, err)
		}
		r.expectValues(8)
		if got := r.telemetry(streamA); !slices.Equal(got.Ranges, []Span{}) || got.Data != 8 {
			t.Errorf("completeness %s", text(got))
		}
	})
}

// rewrite changes what a dead letter holds.
func (r *rig) rewrite(id int64, payload []byte) {
	r.t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(r.dir, "receiver.db"))
	if err != nil {
		r.t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(r.t.Context(), "UPDATE dead_letter SET payload = ?, size = ? WHERE id = ?", payload, len(payload), id); err != nil {
		r.t.Fatal(err)
	}
}
