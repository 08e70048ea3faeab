package buffer

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.etcd.io/bbolt"

	"holdfast"
)

// withhold appends records to the local lane.
func withhold(t *testing.T, b *Buffer, records ...Record) {
	t.Helper()
	if err := b.Append(Change{Local: records}); err != nil {
		t.Fatal(err)
	}
}

// ripe lets what was withheld have waited for its time.
func ripe(b *Buffer) {
	for i := range b.shelf.items {
		b.shelf.items[i].since = b.shelf.items[i].since.Add(-localAfter)
	}
}

// browsed returns the numbers that the records of the local lane say of themselves.
func browsed(t *testing.T, b *Buffer) (out []int) {
	t.Helper()
	err := b.Browse(holdfast.LaneLocal, holdfast.Position{}, time.Time{}, time.Time{}, func(_ holdfast.Stream, _ uint64, data []byte) bool {
		var n int
		fmt.Sscanf(string(data[len(`{"time":"2026-05-01T12:00:01Z",`):]), `"n":%d`, &n)
		out = append(out, n)
		return true
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func hasBucket(t *testing.T, b *Buffer) (has bool) {
	t.Helper()
	if err := b.view(func(tx *bbolt.Tx) error { has = tx.Bucket(bucketLocal) != nil; return nil }); err != nil {
		t.Fatal(err)
	}
	return has
}

// What is withheld is history: no lane owes it, its numbers are nobody's, and it is read with the rest; also by the next
// start, and after salvage. A file in which nothing was ever withheld has no place for it.
func TestWithheld(t *testing.T) {
	t.Parallel()
	o := testOptions(t)
	b := mustOpen(t, o)
	store(t, b, record(holdfast.LaneTelemetry, 1))
	withhold(t, b, records(holdfast.LaneTelemetry, 2, 3)...)
	if store(t, b, record(holdfast.LaneTelemetry, 4)); hasBucket(t, b) || len(browsed(t, b)) > 0 {
		t.Error("a few that are withheld went along at once")
	}
	if b.commit(false); b.Status().Withheld != 0 {
		t.Error("a few that are withheld caused a commit at once")
	}
	ripe(b)
	b.commit(false)
	b.Again(b.Stream(), holdfast.LaneLocal, ranges(1, 2)) // no lane that can be asked for
	if s := b.Status(); s.Withheld != 2 || s.Lanes[holdfast.LaneTelemetry].Head != 2 || s.Lanes[holdfast.LaneTelemetry].Pending != 2 || len(s.Lanes) != 3 {
		t.Errorf("status %+v", s)
	}
	check := func(when string, b *Buffer) {
		t.Helper()
		var got []string
		b.History(epoch, epoch.Add(time.Hour), func(lane holdfast.Lane, data []byte) bool {
			got = append(got, fmt.Sprintf("%c%s", lane[0], strings.Split(string(data), `"n":`)[1]))
			return true
		})
		if want := "[t1} t4} t2} t3}]"; fmt.Sprint(got) != want {
			t.Errorf("%s: history is %v, want %s", when, got, want)
		}
		if got := fmt.Sprint(browsed(t, b)); got != "[2 3]" {
			t.Errorf("%s: withheld are %s", when, got)
		}
		if got := fmt.Sprint(owed(t, b, holdfast.LaneTelemetry, 10)); got != "[data 1-2]" {
			t.Errorf("%s: owed is %s", when, got)
		}
	}
	check("durable", b)
	b.Close()
	if _, err := Check(t.Context(), o.Path); err != nil {
		t.Error(err)
	}
	b = mustOpen(t, o)
	check("another start", b)
	b.Close()
	saved := o
	saved.Path += "2"
	if report, err := Salvage(t.Context(), o.Path, saved); err != nil || report.Lost != 0 {
		t.Error(report, err)
	}
	b = mustOpen(t, saved)
	check("salvaged", b)
}

// Whole blocks go with the next commit; what is left waits. Many cause a commit by themselves, and so does time. State that comes
// with them does not wait.
func TestWithheldAreLazy(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := testOptions(t)
		o.Window = time.Second
		b := mustOpen(t, o)
		defer start(t, b)()
		commits := func() uint64 { return b.Status().Commits }
		time.Sleep(500 * time.Millisecond) // nothing comes at the instant at which a window ends
		began := commits()
		b.Append(Change{Local: records(holdfast.LaneTelemetry, 1, 3)})
		time.Sleep(10 * time.Second)
		b.Append(Change{Local: records(holdfast.LaneTelemetry, 4, 5)})
		time.Sleep(19 * time.Second)
		if commits() != began {
			t.Error("a few caused a commit before their time")
		}
		time.Sleep(3 * time.Second)
		if s := b.Status(); s.Commits != began+1 || s.Withheld != 5 {
			t.Errorf("after their time: %d commits, %d kept", s.Commits-began, s.Withheld)
		}
		b.Append(Change{Local: records(holdfast.LaneTelemetry, 1, 1), State: map[string][]byte{"rule": []byte("c")}})
		b.Append(Change{Records: records(holdfast.LaneTelemetry, 1, 1)})
		time.Sleep(2 * time.Second)
		if s := b.Status(); s.Commits != began+2 || s.Withheld != 5 || string(b.state["rule"]) != "c" {
			t.Errorf("with others: %d commits, %d kept, state %s", s.Commits-began, s.Withheld, b.state["rule"])
		}
		b.Append(Change{Local: records(holdfast.LaneTelemetry, 1, 1), State: map[string][]byte{"rule": []byte("d")}})
		time.Sleep(2 * time.Second)
		if s := b.Status(); s.Commits != began+3 || s.Withheld != 5 || string(b.state["rule"]) != "d" {
			t.Errorf("state: %d commits, %d kept, state %s", s.Commits-began, s.Withheld, b.state["rule"])
		}
		began += 2
		many := records(holdfast.LaneTelemetry, 6, 1005) // four blocks
		withhold(t, b, many...)
		time.Sleep(3 * time.Second)
		if commits() != began+1 {
			t.Error("blocks caused a commit")
		}
		b.Append(Change{Records: records(holdfast.LaneTelemetry, 1, 1)})
		time.Sleep(2 * time.Second)
		whole := b.Status().Withheld
		if whole <= 505 || whole >= 1005 {
			t.Errorf("%d went along, want whole blocks", whole)
		}
		large := record(holdfast.LaneTelemetry, 1006)
		large.Data = fmt.Appendf(nil, `{"n":"%0*d"}`, 90<<10, 1)
		withhold(t, b, large, large, large)
		synctest.Wait()
		if s := b.Status(); s.Commits != began+3 || s.Withheld <= whole {
			t.Errorf("much: %d commits, %d kept", s.Commits-began, s.Withheld)
		}
	})
}

// Memory for what is withheld is bounded, also while a commit carries some of it.
func TestShelfIsBounded(t *testing.T) {
	t.Parallel()
	s := new(shelf)
	if s.put([]Record{{Data: make([]byte, maxRecord+1)}}); s.lost != 1 || len(s.items) > 0 {
		t.Error("took what no block holds")
	}
	s = new(shelf)
	r := Record{Data: make([]byte, 1000)}
	for i := range 5000 {
		r.Mono = int64(i)
		s.put([]Record{r})
		if i == 100 {
			s.flying = 50
		}
	}
	if s.bytes > localMost || s.bytes < localMost-2000 || s.bytes != 1000*len(s.items) || s.lost != uint64(5000-len(s.items)) {
		t.Errorf("%d bytes, %d items, %d lost", s.bytes, len(s.items), s.lost)
	}
	if s.items[49].Mono != 49 || s.items[50].Mono == 50 || s.items[len(s.items)-1].Mono != 4999 {
		t.Error("what flies, or the newest, went")
	}
	if s.land(true, 50); s.kept != 50 || s.bytes != 1000*len(s.items) {
		t.Errorf("%d kept, %d bytes of %d items", s.kept, s.bytes, len(s.items))
	}
}

// Without history nothing is kept of what is withheld; and what an earlier start kept goes.
func TestWithheldWithoutHistory(t *testing.T) {
	t.Parallel()
	o := testOptions(t)
	b := mustOpen(t, o)
	withhold(t, b, records(holdfast.LaneTelemetry, 1, 3)...)
	ripe(b)
	b.commit(false)
	b.Close()
	o.HistoryBytes = -1
	b = mustOpen(t, o)
	withhold(t, b, records(holdfast.LaneTelemetry, 4, 5)...)
	b.commit(true)
	if got := browsed(t, b); len(got) > 0 || len(b.shelf.items) > 0 {
		t.Errorf("kept %v", got)
	}
}

// History is trimmed by age, whether it was sent or withheld.
func TestTrimByAge(t *testing.T) {
	t.Parallel()
	o := testOptions(t)
	o.HistoryBytes = 60 << 10
	b := mustOpen(t, o)
	n := 0
	for range 120 {
		var c Change
		for range 400 {
			n++
			r := record(holdfast.LaneTelemetry, n)
			r.Data = fmt.Appendf(r.Data[:len(r.Data)-1], `,"x":"%08x"}`, uint32(n)*2654435761)
			if n/400%3 == 0 {
				c.Local = append(c.Local, r)
			} else {
				c.Records = append(c.Records, r)
			}
		}
		if err := b.Append(c); err != nil {
			t.Fatal(err)
		}
		ripe(b)
		b.commit(false)
		b.Done(b.Stream(), holdfast.LaneTelemetry, ranges(1, b.Status().Lanes[holdfast.LaneTelemetry].Head))
	}
	b.hasty = true
	b.commit(false)
	s := b.current()
	sent, kept := s.lanes[telemetry].blocks[0].from, s.local.blocks[0].from
	if first := s.local.blocks[0].First; first == 1 {
		t.Error("nothing was trimmed")
	}
	if apart := time.Duration(sent-kept) * time.Microsecond; apart.Abs() > 2400*time.Second { // a record is a second, and blocks come in turns
		t.Errorf("the oldest of what was sent and withheld are %v apart", apart)
	}
	if b.Status().HistoryBytes > o.HistoryBytes {
		t.Errorf("%d bytes of history", b.Status().HistoryBytes)
	}
}

// noisy are records that hardly shrink.
func noisy(from, to int) []Record {
	rs := records(holdfast.LaneTelemetry, from, to)
	random := rand.New(rand.NewPCG(1, uint64(from)))
	for i, r := range rs {
		rs[i].Data = fmt.Appendf(r.Data[:len(r.Data)-1], `,"x":"%016x%016x%016x%016x"}`, random.Uint64(), random.Uint64(), random.Uint64(), random.Uint64())
	}
	return rs
}

// What is withheld takes no room from what is owed: where there is none it goes, and is counted.
func TestWithheldGiveWay(t *testing.T) {
	t.Parallel()
	b := mustOpen(t, testOptions(t))
	b.limit = 200 << 10
	n := 0
	for b.measured.used < b.limit-20<<10 {
		store(t, b, noisy(n, n+199)...)
		n += 200
	}
	if b.Status().Dropped > 0 {
		t.Fatal("too much from the beginning")
	}
	withhold(t, b, noisy(1e6, 1e6+999)...)
	ripe(b)
	b.commit(false)
	if s := b.Status(); s.Dropped > 0 || s.WithheldLost != 1000 || s.Withheld != 0 || len(b.shelf.items) > 0 {
		t.Errorf("%d owed were dropped; %d that were withheld are lost, %d kept", s.Dropped, s.WithheldLost, s.Withheld)
	}
	b.Done(b.Stream(), holdfast.LaneTelemetry, ranges(1, uint64(n)))
	withhold(t, b, noisy(1e6, 1e6+999)...)
	ripe(b)
	b.commit(false)
	if s := b.Status(); s.Withheld != 1000 || len(browsed(t, b)) != 1000 {
		t.Errorf("%d are kept where history gives way", s.Withheld)
	}
}

// The local lane has no part in what a clean stop vouches for, nor in the layout: a gateway that knows nothing of it opens the
// file. When such a one forgot a stream, what was withheld in it goes, and the file is sound.
func TestWithheldAndOlderGateways(t *testing.T) {
	t.Parallel()
	o := testOptions(t)
	b := mustOpen(t, o)
	before := b.digest()
	withhold(t, b, records(holdfast.LaneTelemetry, 1, 3)...)
	ripe(b)
	b.commit(false)
	if b.digest() != before {
		t.Error("the digest knows of what was withheld")
	}
	err := b.db.Update(func(tx *bbolt.Tx) error {
		if tx.Bucket(bucketLive).Sequence() != 2 {
			t.Error("another layout is damage to a gateway before")
		}
		return tx.Bucket(bucketLive).Delete(blockKey(b.current().ordinal, 0)[:4])
	})
	if err != nil {
		t.Fatal(err)
	}
	b.Close()
	if _, err := Check(t.Context(), o.Path); err != nil {
		t.Error(err)
	}
	b = mustOpen(t, o)
	if got := browsed(t, b); len(got) > 0 || len(b.streams) != 1 {
		t.Errorf("%v of %d streams", got, len(b.streams))
	}
}
