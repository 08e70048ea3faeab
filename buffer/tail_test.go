package buffer

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"go.etcd.io/bbolt"

	"holdfast"
)

// blocks lists the blocks of a lane of the current stream; those of the tail have a star.
func blocks(b *Buffer, lane int) []string {
	var out []string
	for _, block := range b.current().lanes[lane].blocks {
		line := fmt.Sprintf("%d-%d", block.First, block.Last)
		if block.tail {
			line += "*"
		}
		out = append(out, line)
	}
	return out
}

// A few records a commit cost the root page and the meta page, and become blocks of full size.
func TestTail(t *testing.T) {
	t.Parallel()
	o := testOptions(t)
	b := mustOpen(t, o)
	n := 0
	window := func() {
		var few []Record
		for range 10 {
			n++
			few = append(few, reading(n))
		}
		store(t, b, few...)
	}
	window()
	before := written(b)
	window()
	if got := written(b) - before; got != 2*pageSize {
		t.Errorf("a commit wrote %d bytes, want root and meta", got)
	}
	want(t, blocks(b, telemetry), "1-20*")
	store(t, b, record(holdfast.LaneEvent, 1))
	for len(b.current().lanes[telemetry].blocks) < 12 {
		window()
	}
	for _, block := range b.current().lanes[telemetry].blocks {
		if block.Len() < 60 && !block.tail {
			t.Errorf("block of %d records: %v", block.Len(), blocks(b, telemetry))
		}
	}
	if got := b.current().lanes[1].blocks; len(got) != 1 || got[0].tail {
		t.Errorf("events %v, want that they moved too", got)
	}
	for range 2 {
		if lines := owed(t, b, holdfast.LaneTelemetry, 600); len(lines) != 2 || lines[1] != fmt.Sprintf("data 601-%d", n) {
			t.Errorf("owed %v, want all of %d", lines, n)
		}
		want(t, owed(t, b, holdfast.LaneEvent, 1000), "data 1-1")
		b.Close()
		if report, err := Check(t.Context(), o.Path); err != nil || report.Records != uint64(n+1) {
			t.Fatalf("%+v, %v; want %d records", report, err, n+1)
		}
		b = mustOpen(t, o)
		if len(b.tail) > 0 {
			t.Errorf("the tail of the last stream is still there")
		}
	}
}

// State that needs the root page for itself drives the tail out; the root page stays one page.
func TestTailMakesRoomForState(t *testing.T) {
	t.Parallel()
	b := mustOpen(t, testOptions(t))
	rng := rand.New(rand.NewPCG(1, 2))
	for n := range 400 {
		c := Change{Records: []Record{noise(rng, holdfast.LaneTelemetry, 100+rng.IntN(900))}, State: map[string][]byte{"rules": make([]byte, rng.IntN(1200))}}
		if err := b.Append(c); err != nil {
			t.Fatal(err)
		}
		if err := b.commit(false); err != nil {
			t.Fatal(err)
		}
		b.Done(b.Stream(), holdfast.LaneTelemetry, ranges(uint64(n/2+1), uint64(n/2+1)))
		err := b.db.View(func(tx *bbolt.Tx) error {
			page, err := tx.Page(int(tx.Cursor().Bucket().Root()))
			if err == nil && page.Type != "leaf" {
				err = errors.New("the root page has overflown")
			}
			return err
		})
		if err != nil {
			t.Fatalf("commit %d: %v", n, err)
		}
	}
}

// What is wrong in the tail is found by Check and at the start, and costs no other block.
func TestTailIsDamaged(t *testing.T) {
	t.Parallel()
	o := testOptions(t)
	b := mustOpen(t, o)
	storeApart(t, b, records(holdfast.LaneTelemetry, 1, 5)...)
	store(t, b, records(holdfast.LaneTelemetry, 6, 8)...)
	store(t, b, record(holdfast.LaneEvent, 1))
	b.AgainAll()
	b.hasty = true
	b.commit(false) // the entry knows the heads
	err := b.db.Update(func(tx *bbolt.Tx) error {
		bucket := tx.Bucket(tailNames[0])
		k, v := bucket.Cursor().First()
		k, v = bytes.Clone(k), bytes.Clone(v)
		v[len(v)-9] ^= 0x10
		return bucket.Put(k, v)
	})
	if err != nil {
		t.Fatal(err)
	}
	b.Close()
	if _, err := Check(t.Context(), o.Path); err == nil {
		t.Error("Check finds it sound")
	}
	if _, err := Open(o); !errors.Is(err, ErrDamaged) {
		t.Errorf("Open: %v", err)
	}
	damaged, err := Quarantine(o.Path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Salvage(t.Context(), damaged, o); err != nil {
		t.Fatal(err)
	}
	b = mustOpen(t, o)
	got := strings.Join(owed(t, b, holdfast.LaneTelemetry, 10), ", ")
	if got != "data 1-8" && got != "data 1-5, dropped 6-8 corrupt" { // a freed page may have them
		t.Errorf("owed %s", got)
	}
	want(t, owed(t, b, holdfast.LaneEvent, 10), "data 1-1")
}

// A file of another layout is not misread: it is refused, and its records come over by way of Salvage.
func TestAnotherLayout(t *testing.T) {
	t.Parallel()
	o := testOptions(t)
	b := mustOpen(t, o)
	store(t, b, records(holdfast.LaneTelemetry, 1, 5)...)
	if err := b.db.Update(func(tx *bbolt.Tx) error { return tx.Bucket(bucketLive).SetSequence(layout + 1) }); err != nil {
		t.Fatal(err)
	}
	b.Close()
	if _, err := Open(o); !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), "layout 3") {
		t.Errorf("Open: %v", err)
	}
	if _, err := Check(t.Context(), o.Path); !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), "layout 3") {
		t.Errorf("Check: %v", err)
	}
	damaged, err := Quarantine(o.Path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Salvage(t.Context(), damaged, o); err != nil {
		t.Fatal(err)
	}
	want(t, owed(t, mustOpen(t, o), holdfast.LaneTelemetry, 10), "data 1-5")
}
