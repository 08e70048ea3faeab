package store

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"holdfast"
)

var noon = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)

func open(t *testing.T, path string) *Store {
	t.Helper()
	s, err := Open(t.Context(), Options{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func write(t *testing.T, s *Store, f func(*Tx) error) {
	t.Helper()
	if err := s.Write(t.Context(), f); err != nil {
		t.Fatal(err)
	}
}

// The name is minted once and stays; another database has another.
func TestID(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "new", "receiver.db")
	first := open(t, path)
	id := first.ID()
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	if again := open(t, path); again.ID() != id || id.IsZero() {
		t.Errorf("id %s, then %s", id, again.ID())
	}
	if other := open(t, filepath.Join(t.TempDir(), "receiver.db")); other.ID() == id {
		t.Error("two databases of one name")
	}
}

// A database that is not durable is refused, and so is one that a newer receiver has changed.
func TestRefused(t *testing.T) {
	t.Parallel()
	s := open(t, filepath.Join(t.TempDir(), "receiver.db"))
	if _, err := s.writer.ExecContext(t.Context(), "PRAGMA synchronous=NORMAL"); err != nil {
		t.Fatal(err)
	}
	if err := checkDurable(t.Context(), s.writer); err == nil || !strings.Contains(err.Error(), "durable") {
		t.Errorf("synchronous=NORMAL: %v", err)
	}

	path := filepath.Join(t.TempDir(), "receiver.db")
	newer := open(t, path)
	write(t, newer, func(tx *Tx) error {
		return tx.exec("INSERT INTO goose_db_version (version_id, is_applied) VALUES (999, 1)")
	})
	newer.Close()
	if _, err := Open(t.Context(), Options{Path: path}); err == nil || !strings.Contains(err.Error(), "version 999") {
		t.Errorf("a newer database: %v", err)
	}
}

// An error in the function undoes all of it, the numbers of new series too.
func TestRollback(t *testing.T) {
	t.Parallel()
	s := open(t, filepath.Join(t.TempDir(), "receiver.db"))
	reading := &holdfast.Reading{Time: noon, Sensor: "a", Values: map[string]float64{"x": 1}}
	store := func(tx *Tx) error {
		stream, err := tx.Stream(holdfast.Stream{1}, "pi-7", noon)
		if err != nil {
			return err
		}
		return tx.AddReading(stream, 1, reading)
	}
	broken := errors.New("broken")
	err := s.Write(t.Context(), func(tx *Tx) error { return errors.Join(store(tx), broken) })
	if !errors.Is(err, broken) {
		t.Fatalf("got %v", err)
	}
	if series, err := s.Series(t.Context(), Query{Device: "pi-7"}, 10); err != nil || len(series) > 0 || len(s.series) > 0 {
		t.Errorf("series %v, %v after a rollback, remembered %v", series, err, s.series)
	}
	write(t, s, store)
	if err := s.Write(t.Context(), store); !errors.Is(err, ErrConflict) {
		t.Errorf("the same sample again: %v, want a conflict", err)
	}
	if err := s.Writable(t.Context()); err != nil {
		t.Errorf("writable: %v", err)
	}
}

// Transactions take turns; a wait ends with its context, and a reader never waits.
func TestTurns(t *testing.T) {
	t.Parallel()
	s := open(t, filepath.Join(t.TempDir(), "receiver.db"))
	write(t, s, func(tx *Tx) error {
		if _, err := tx.Seen("pi-7", StatusActive, true, noon); err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if err := s.Write(ctx, func(*Tx) error { return nil }); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a transaction within a transaction: %v", err)
		}
		devices, err := s.Devices(t.Context(), "", 10)
		if len(devices) > 0 {
			t.Errorf("a reader sees what is not committed: %v", devices)
		}
		return err
	})
	if devices, err := s.Devices(t.Context(), "", 10); err != nil || len(devices) != 1 {
		t.Errorf("devices %v, %v", devices, err)
	}
}

func TestReadOnly(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "receiver.db")
	if _, err := OpenReadOnly(t.Context(), path); err == nil {
		t.Error("opened a database that is not there")
	}
	s := open(t, path)
	beside, err := OpenReadOnly(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer beside.Close()
	if beside.ID() != s.ID() {
		t.Error("another name")
	}
	if err := beside.Write(t.Context(), func(*Tx) error { return nil }); err == nil {
		t.Error("wrote to a database that was opened for reading")
	}
}

// The ledger shows what lies in a range and what touches it.
func TestHeld(t *testing.T) {
	t.Parallel()
	s := open(t, filepath.Join(t.TempDir(), "receiver.db"))
	interval := func(first, last uint64) Interval {
		return Interval{Range: holdfast.Range{First: first, Last: last}, State: holdfast.Data}
	}
	all := []Interval{interval(1, 3), interval(5, 10), interval(12, 20), interval(30, 40), interval(50, 60)}
	write(t, s, func(tx *Tx) error {
		if err := tx.Replace(1, holdfast.LaneTelemetry, nil, all, noon); err != nil {
			return err
		}
		for _, test := range []struct {
			first, last uint64
			must        []Interval
		}{
			{11, 11, all[1:3]}, {13, 14, all[2:3]}, {21, 29, all[2:4]}, {1, 60, all}, {45, 46, nil}, {41, 49, all[3:5]}, {1, 1, all[:1]},
		} {
			got, err := tx.Held(1, holdfast.LaneTelemetry, holdfast.Range{First: test.first, Last: test.last})
			if err != nil {
				return err
			}
			for _, want := range test.must {
				if !slices.Contains(got, want) {
					t.Errorf("[%d,%d]: %v lacks %v", test.first, test.last, got, want)
				}
			}
			if !slices.IsSortedFunc(got, func(a, b Interval) int { return int(a.First) - int(b.First) }) {
				t.Errorf("[%d,%d]: %v does not ascend", test.first, test.last, got)
			}
		}
		return nil
	})
}

// The same letter again counts up; what is kept of it is bounded.
func TestLetters(t *testing.T) {
	t.Parallel()
	s := open(t, filepath.Join(t.TempDir(), "receiver.db"))
	letter := Letter{Device: "pi-7", Topic: "t", Code: "malformed", Text: "no JSON", Payload: make([]byte, MaxLetterBytes+1)}
	numbered := Letter{Device: "pi-7", Topic: "t", Code: "invalid_batch", Text: "x", Stream: holdfast.Stream{1}, Lane: holdfast.LaneEvent, First: 3, Through: 4}
	write(t, s, func(tx *Tx) error {
		for want := range 3 {
			numbered.Payload = []byte{byte(want)} // the head in it has grown meanwhile
			for _, l := range []Letter{letter, numbered} {
				if n, err := tx.AddLetter(l, noon); err != nil || n != want+1 {
					t.Errorf("%s: count %d, %v, want %d", l.Code, n, err, want+1)
				}
			}
		}
		return nil
	})
	all, err := s.Letters(t.Context(), "pi-7", 10)
	if err != nil || len(all) != 2 {
		t.Fatalf("letters %v, %v", all, err)
	}
	if l := all[1]; len(l.Payload) != MaxLetterBytes || l.Size != MaxLetterBytes+1 || l.Count != 3 {
		t.Errorf("kept %d of %d bytes, count %d", len(l.Payload), l.Size, l.Count)
	}
	if l := all[0]; l.Stream != numbered.Stream || l.Lane != numbered.Lane || l.First != 3 || l.Through != 4 {
		t.Errorf("letter %+v", l)
	}
}

// The same aggregate again replaces, and an older one does not; an alert keeps its latest step.
func TestUpserts(t *testing.T) {
	t.Parallel()
	s := open(t, filepath.Join(t.TempDir(), "receiver.db"))
	write(t, s, func(tx *Tx) error {
		stream, err := tx.Stream(holdfast.Stream{1}, "pi-7", noon)
		if err != nil {
			return err
		}
		for _, seq := range []uint64{2, 3, 1} {
			a := &holdfast.Aggregate{Time: noon, From: noon, To: noon.Add(time.Minute), Rule: "minute", RuleVersion: 1,
				Values: map[string]float64{"x_mean": float64(seq)}, Count: seq}
			if err := tx.AddAggregate(stream, seq, 0, a, []byte("{}")); err != nil {
				return err
			}
			state := []holdfast.AlertState{holdfast.Raised, holdfast.Acknowledged, holdfast.Cleared}[seq-1]
			text := []byte(`{"id":"a","state":"` + state + `"}`)
			if err := tx.AddAlert(stream, seq, &holdfast.Alert{Time: noon, ID: "a", State: state}, text); err != nil {
				return err
			}
		}
		var rows, count int
		if err := tx.row("SELECT COUNT(*), MAX(count) FROM aggregate", nil, &rows, &count); err != nil {
			return err
		}
		if rows != 1 || count != 3 {
			t.Errorf("%d aggregates, count %d, want one with 3", rows, count)
		}
		return nil
	})
	alerts, err := s.Alerts(t.Context(), "", holdfast.Cleared, 10)
	if err != nil || len(alerts) != 1 {
		t.Errorf("cleared alerts %+v, %v, want one", alerts, err)
	}
}
