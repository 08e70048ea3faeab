package buffer

import (
	"strings"
	"testing"

	"go.etcd.io/bbolt"

	"holdfast"
)

func TestNextCutsByRecordsAndBytes(t *testing.T) {
	t.Parallel()
	b := mustOpen(t, testOptions(t))
	for n := 1; n <= 10; n++ {
		store(t, b, records(holdfast.LaneTelemetry, 2*n-1, 2*n)...)
	}
	want(t, owed(t, b, holdfast.LaneTelemetry, 8), "data 1-8", "data 9-16", "data 17-20")
	want(t, owed(t, b, holdfast.LaneEvent, 8))
	size := len(record(holdfast.LaneTelemetry, 1).Data)
	for _, c := range []struct {
		maxBytes int
		last     uint64
	}{{1, 1}, {2*size + 1, 2}, {2 * size, 1}, {3*size + 2, 3}} {
		batch, ok, err := b.Next(holdfast.LaneTelemetry, holdfast.Position{}, 100, c.maxBytes)
		if !ok || err != nil || batch.Last != c.last {
			t.Errorf("at most %d bytes: 1 to %d, %v, %v; want 1 to %d", c.maxBytes, batch.Last, ok, err, c.last)
		}
	}
}

func TestNextIsABatchForTheWire(t *testing.T) {
	t.Parallel()
	b := mustOpen(t, testOptions(t))
	store(t, b, records(holdfast.LaneEvent, 1, 3)...)
	got, ok, err := b.Next(holdfast.LaneEvent, holdfast.Position{Stream: b.Stream(), Seq: 1}, 1, 1000)
	if !ok || err != nil {
		t.Fatal(ok, err)
	}
	if got.Device != "pi-7" || got.Stream != b.Stream() || got.First != 2 || got.Last != 2 || got.Head != 3 || string(got.Records[0]) != string(record(holdfast.LaneEvent, 2).Data) {
		t.Errorf("batch %+v", got)
	}
	for _, lane := range []holdfast.Lane{"", "telemetrie"} {
		if _, _, err := b.Next(lane, holdfast.Position{}, 1, 1); err == nil {
			t.Errorf("lane %q: no error", lane)
		}
	}
}

func TestNextGoesThroughStreamsInOrder(t *testing.T) {
	t.Parallel()
	o := testOptions(t)
	var at []holdfast.Position
	for n := range 3 {
		b := mustOpen(t, o)
		store(t, b, records(holdfast.LaneTelemetry, n, n)...)
		at = append(at, holdfast.Position{Stream: b.Stream(), Seq: 1})
		b.Close()
	}
	b := mustOpen(t, o)
	at = append(at, holdfast.Position{Stream: holdfast.NewStream(), Seq: 7}) // forgotten: begin at the beginning
	for i, want := range map[int]string{0: "1", 1: "2", 3: "0"} {
		batch, ok, err := b.Next(holdfast.LaneTelemetry, at[i], 10, 1000)
		if !ok || err != nil || !strings.Contains(string(batch.Records[0]), `"n":`+want) {
			t.Errorf("behind %+v: %s, %v, %v; want the record %s", at[i], batch.Records, ok, err, want)
		}
	}
	if _, ok, err := b.Next(holdfast.LaneTelemetry, at[2], 10, 1000); ok || err != nil {
		t.Errorf("behind the last: %v, %v", ok, err)
	}
}

// A summary is one statement about its range and is not cut, by whatever part of it is done.
func TestNextSendsASummaryWhole(t *testing.T) {
	t.Parallel()
	o := testOptions(t)
	b := mustOpen(t, o)
	storeApart(t, b, records(holdfast.LaneTelemetry, 1, 5)...)
	storeApart(t, b, records(holdfast.LaneTelemetry, 6, 10)...)
	id := b.Stream()
	rewrite(t, b, 6, func(data []byte) []byte {
		h, lines, err := decodeBlock(data)
		if err != nil {
			t.Fatal(err)
		}
		h.what = holdfast.Thin
		return appendBlock(nil, h, lines[:2])
	})
	b.Close()
	b = mustOpen(t, o)
	b.Done(id, holdfast.LaneTelemetry, ranges(8, 9))
	want(t, owed(t, b, holdfast.LaneTelemetry, 3), "data 1-3", "data 4-5", "thinned 6-10")
	b.Done(id, holdfast.LaneTelemetry, ranges(6, 7, 10, 10))
	want(t, owed(t, b, holdfast.LaneTelemetry, 3), "data 1-3", "data 4-5")
}

// rewrite changes the telemetry block that begins at first, behind the buffer's back.
func rewrite(t *testing.T, b *Buffer, first uint64, f func([]byte) []byte) {
	t.Helper()
	err := b.db.Update(func(tx *bbolt.Tx) error {
		bucket := tx.Bucket([]byte(holdfast.LaneTelemetry))
		key := blockKey(b.current().ordinal, first)
		return bucket.Put(key, f(append([]byte(nil), bucket.Get(key)...)))
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestNextStatesADamagedBlockAsLost(t *testing.T) {
	t.Parallel()
	o := testOptions(t)
	b := mustOpen(t, o)
	for n := range 3 {
		storeApart(t, b, records(holdfast.LaneTelemetry, 10*n+1, 10*n+10)...)
	}
	rewrite(t, b, 11, func(data []byte) []byte {
		data[len(data)-9] ^= 0x10
		return data
	})
	want(t, owed(t, b, holdfast.LaneTelemetry, 100), "data 1-10", "dropped 11-20 corrupt", "data 21-30")
	if got := b.Status().Corrupt; got != 10 {
		t.Errorf("%d corrupt, want 10", got)
	}
	if err := b.commit(false); err != nil {
		t.Fatal(err)
	}
	b.Close()
	if report, err := Check(t.Context(), o.Path); err != nil {
		t.Errorf("the file is not sound after the damaged block left: %+v, %v", report, err)
	}
	b = mustOpen(t, o)
	want(t, owed(t, b, holdfast.LaneTelemetry, 100), "data 1-10", "dropped 11-20 corrupt", "data 21-30")
}
