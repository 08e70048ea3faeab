package buffer

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"holdfast"
	"holdfast/internal/testenv"
)

// smallDiskOptions are those of a buffer that may take more than its disk has.
func smallDiskOptions(t *testing.T) Options {
	o := testOptionsIn(testenv.SmallDisk(t, 3<<20))
	o.MaxBytes = 16 << 20
	return o
}

// History goes when the disk is full, before anything that is owed: what comes in is durable after one failed commit.
func TestHistoryGoesWhenTheDiskIsFull(t *testing.T) {
	t.Parallel()
	o := smallDiskOptions(t)
	b := mustOpen(t, o)
	rng := rand.New(rand.NewPCG(1, 2))
	const n = 1000 // of 4 KB: more than the disk, and less than history may keep
	for i := range n {
		if err := b.Append(Change{Records: []Record{noise(rng, holdfast.LaneTelemetry, 8000)}}); err != nil {
			t.Fatal(err)
		}
		if b.commit(false) != nil {
			if err := b.commit(false); err != nil {
				t.Fatalf("record %d is not durable in the second try either: %v", i+1, err)
			}
		}
		b.Done(b.Stream(), holdfast.LaneTelemetry, ranges(uint64(i+1), uint64(i+1)))
	}
	s := b.Status()
	if s.Failures == 0 || s.Failures > 10 || s.Dropped > 0 || s.Lanes[holdfast.LaneTelemetry].Head != n {
		t.Errorf("status %+v, want few failures and all records", s)
	}
	if s.HistoryBytes < 1<<20 {
		t.Errorf("history of %d bytes, want most of what the disk has", s.HistoryBytes)
	}
	if err := b.Close(); err != nil {
		t.Error(err)
	}
	checkWell(t, o)
}

// A stop on a disk that the buffer has filled to the last byte is a good one: every record is durable. Only the mark of it has
// no room, so the next start examines the file, and finds it well.
func TestStopOnFullDisk(t *testing.T) {
	t.Parallel()
	o := smallDiskOptions(t)
	b := mustOpen(t, o)
	ballast, err := os.Create(filepath.Join(filepath.Dir(o.Path), "ballast"))
	if err != nil {
		t.Fatal(err)
	}
	defer ballast.Close()
	for err == nil {
		_, err = ballast.Write(make([]byte, 4096))
	}
	store(t, b, records(holdfast.LaneEvent, 1, 3)...)
	if err := b.end(); err != nil {
		t.Errorf("stop: %v", err)
	}
	if !NeedsCheck(o.Path) {
		t.Error("it is marked clean: the disk was not full")
	}
	checkWell(t, o)
	again := mustOpen(t, o)
	if p := again.Previous(); p == nil || !p.Clean || p.Lanes[holdfast.LaneEvent] != 3 {
		t.Errorf("previous %+v, want a clean stop with three events", p)
	}
}

// What lets the file grow ahead gives its place to records when the disk is smaller than the file was to be.
func TestFillerGoesWhenTheDiskIsFull(t *testing.T) {
	t.Parallel()
	o := smallDiskOptions(t)
	o.Grow = true
	b := mustOpen(t, o)
	for range 10 {
		b.grow()
	}
	rng := rand.New(rand.NewPCG(1, 2))
	const n = 300 // of 4 KB: 1.2 MB of 3 MB
	for i := range n {
		if err := b.Append(Change{Records: []Record{noise(rng, holdfast.LaneTelemetry, 8000)}}); err != nil {
			t.Fatal(err)
		}
		if err := b.commit(false); err != nil {
			t.Fatalf("record %d: %v", i+1, err)
		}
	}
	if err := b.Close(); err != nil {
		t.Error(err)
	}
	checkWell(t, o)
}

func checkWell(t *testing.T, o Options) {
	t.Helper()
	if _, err := Check(t.Context(), o.Path); err != nil {
		t.Errorf("check: %v", err)
	}
}
