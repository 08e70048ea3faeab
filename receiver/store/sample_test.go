package store

import (
	"errors"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"holdfast"
)

// Every sample of a large transaction is there once, with all that its reading said, whichever statement wrote it.
func TestManySamples(t *testing.T) {
	t.Parallel()
	s := open(t, filepath.Join(t.TempDir(), "receiver.db"))
	const n = maxSamples/3 + 2*bulk + 1 // three a reading: some are written early, the last ones one by one
	write(t, s, func(tx *Tx) error {
		stream, err := tx.Stream(holdfast.Stream{1}, "pi-7", noon)
		for i := n; i > 0 && err == nil; i-- { // not in the order of the table
			r := &holdfast.Reading{Time: noon.Add(time.Duration(i) * time.Second), Sensor: "a", Values: map[string]float64{
				"good": float64(i), "graded": -float64(i), "other": 0.5,
			}}
			if i%2 == 0 {
				r.Quality = map[string]holdfast.Quality{"graded": holdfast.Suspect}
			}
			if i%3 == 0 {
				r.Clock = &holdfast.Clock{Boot: "boot", Mono: int64(i)}
			}
			err = tx.AddReading(stream, uint64(i), r)
		}
		return err
	})
	series, err := s.Series(t.Context(), Query{Device: "pi-7"}, 10)
	if err != nil || len(series) != 3 {
		t.Fatalf("series %v, %v", series, err)
	}
	for k, value := range []func(i int) float64{
		func(i int) float64 { return float64(i) }, func(i int) float64 { return -float64(i) }, func(int) float64 { return 0.5 },
	} {
		got, err := s.Samples(t.Context(), series[k].ID, noon, noon.Add(time.Hour*24), Place{}, 2*n)
		if err != nil || len(got) != n {
			t.Fatalf("%s: %d samples, %v; want %d", series[k].Quantity, len(got), err, n)
		}
		for j, x := range got {
			i, quality := j+1, holdfast.Good
			if k == 1 && i%2 == 0 {
				quality = holdfast.Suspect
			}
			if x.Seq != uint64(i) || x.Value != value(i) || x.Quality != quality || !x.Time.Equal(noon.Add(time.Duration(i)*time.Second)) {
				t.Fatalf("%s: sample %d is %+v", series[k].Quantity, i, x)
			}
		}
	}
	var guesses int
	if err := s.readers.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM sample WHERE boot = 'boot' AND mono = seq AND seq % 3 = 0").Scan(&guesses); err != nil || guesses != n/3*3 {
		t.Errorf("%d samples with the device's clock, %v; want %d", guesses, err, n/3*3)
	}
}

// A row that the database refuses undoes everything that was written with it, before and after.
func TestOneBadSample(t *testing.T) {
	t.Parallel()
	s := open(t, filepath.Join(t.TempDir(), "receiver.db"))
	add := func(seqs ...uint64) error {
		return s.Write(t.Context(), func(tx *Tx) error {
			stream, err := tx.Stream(holdfast.Stream{1}, "pi-7", noon)
			for _, seq := range seqs {
				err = errors.Join(err, tx.AddReading(stream, seq, &holdfast.Reading{
					Time: noon.Add(time.Duration(seq) * time.Second), Sensor: "a", Values: map[string]float64{"x": 1},
					Clock: clockOf(seq),
				}))
			}
			return err
		})
	}
	if err := add(bulk / 2); err != nil {
		t.Fatal(err)
	}
	var all []uint64
	for seq := range uint64(3 * bulk) {
		all = append(all, seq+1)
	}
	if err := add(all...); !errors.Is(err, ErrConflict) {
		t.Errorf("got %v, want a conflict", err)
	}
	count := func() (n int) {
		if err := s.readers.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM sample").Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	if n := count(); n != 1 {
		t.Errorf("%d samples after the conflict, want the one before it", n)
	}
	if err := add(slices.DeleteFunc(all, func(seq uint64) bool { return seq == bulk/2 })...); err != nil || count() != 3*bulk {
		t.Errorf("without the bad one: %v, %d samples", err, count())
	}
}

// clockOf makes every fourth reading a guess.
func clockOf(seq uint64) *holdfast.Clock {
	if seq%4 > 0 {
		return nil
	}
	return &holdfast.Clock{Boot: "boot", Mono: int64(seq)}
}
