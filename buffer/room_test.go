package buffer

import (
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"holdfast"
)

// noise returns a record that does not compress.
func noise(rng *rand.Rand, lane holdfast.Lane, size int) Record {
	data := make([]byte, size/2)
	for i := range data {
		data[i] = byte(rng.Uint32())
	}
	return Record{Lane: lane, Time: epoch, Data: []byte(`"` + hex.EncodeToString(data) + `"`)}
}

func fullOptions(t testing.TB, changes *[]holdfast.BufferChange) Options {
	o := testOptionsIn(memoryDir(t))
	o.MaxBytes = minBytes
	o.Report = func(c holdfast.BufferChange) { *changes = append(*changes, c) }
	return o
}

func size(t testing.TB, o Options) int64 {
	t.Helper()
	info, err := os.Stat(o.Path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}

func TestFullGivesUpTheOldestTelemetryAndSaysSo(t *testing.T) {
	t.Parallel()
	var changes []holdfast.BufferChange
	o := fullOptions(t, &changes)
	b := mustOpen(t, o)
	rng := rand.New(rand.NewPCG(1, 2))
	const n = 400
	for range n {
		store(t, b, noise(rng, holdfast.LaneTelemetry, 6000), noise(rng, holdfast.LaneEvent, 200), noise(rng, holdfast.LaneAlert, 200))
		b.announce()
	}
	if got := size(t, o); got > o.MaxBytes {
		t.Errorf("file of %d bytes, the cap is %d", got, o.MaxBytes)
	}
	s := b.Status()
	if s.Failing != "" || s.Failures > 0 || !s.Full || s.Bytes > s.Limit+s.Limit/16 {
		t.Errorf("status %+v", s)
	}
	if len(changes) != 1 || changes[0].State != stateFull || changes[0].Records == 0 {
		t.Errorf("reported %+v, want that it is full, once", changes)
	}
	lines := owed(t, b, holdfast.LaneTelemetry, 1000)
	want(t, lines[:1], fmt.Sprintf("dropped 1-%d full", s.Dropped))
	if first := fmt.Sprintf("data %d-", s.Dropped+1); !strings.HasPrefix(lines[1], first) {
		t.Errorf("behind what was dropped comes %s, want %s", lines[1], first)
	}
	for _, lane := range []holdfast.Lane{holdfast.LaneEvent, holdfast.LaneAlert} {
		if line := owed(t, b, lane, 1000)[0]; !strings.HasPrefix(line, "data 1-") {
			t.Errorf("lane %s begins with %s: it went before telemetry", lane, line)
		}
	}
	b.Done(b.Stream(), holdfast.LaneTelemetry, ranges(1, n))
	b.announce()
	if len(changes) != 2 || changes[1].State != stateRecovered || changes[1].Records != s.Dropped {
		t.Errorf("reported %+v, want that it recovered and what was dropped", changes)
	}
	b.Close()
	if report, err := Check(t.Context(), o.Path); err != nil {
		t.Errorf("%+v: %v", report, err)
	}
}

func TestFullOfEventsGivesUpEvents(t *testing.T) {
	t.Parallel()
	var changes []holdfast.BufferChange
	b := mustOpen(t, fullOptions(t, &changes))
	rng := rand.New(rand.NewPCG(1, 2))
	store(t, b, noise(rng, holdfast.LaneAlert, 200))
	for range 600 {
		store(t, b, noise(rng, holdfast.LaneEvent, 3000))
	}
	if s := b.Status(); s.Dropped == 0 || s.Failures > 0 {
		t.Errorf("status %+v", s)
	}
	if lines := owed(t, b, holdfast.LaneEvent, 1000); !strings.HasPrefix(lines[0], "dropped 1-") || len(lines) < 2 {
		t.Errorf("events %v", lines)
	}
	want(t, owed(t, b, holdfast.LaneAlert, 10), "data 1-1")
}

func TestHistoryGoesBeforeWhatIsOwed(t *testing.T) {
	t.Parallel()
	var changes []holdfast.BufferChange
	o := fullOptions(t, &changes)
	o.HistoryBytes = o.MaxBytes // more than there is
	b := mustOpen(t, o)
	rng := rand.New(rand.NewPCG(1, 2))
	for n := range uint64(1000) {
		store(t, b, noise(rng, holdfast.LaneTelemetry, 3000))
		if n < 900 {
			b.Done(b.Stream(), holdfast.LaneTelemetry, ranges(1, n+1))
		}
	}
	s := b.Status()
	if s.Dropped > 0 || s.Full || s.HistoryBytes == 0 || s.HistoryBytes > s.Limit {
		t.Errorf("status %+v", s)
	}
	if got := owed(t, b, holdfast.LaneTelemetry, 1000)[0]; !strings.HasPrefix(got, "data 901-") {
		t.Errorf("first owed: %s", got)
	}
}

func TestHistoryIsBounded(t *testing.T) {
	t.Parallel()
	o := testOptionsIn(memoryDir(t))
	o.HistoryBytes = 100_000
	b := mustOpen(t, o)
	rng := rand.New(rand.NewPCG(1, 2))
	var got []int64
	for n := range uint64(300) {
		store(t, b, noise(rng, holdfast.LaneTelemetry, 2000))
		b.Done(b.Stream(), holdfast.LaneTelemetry, ranges(1, n+1))
		got = append(got, b.Status().HistoryBytes)
	}
	if most, end := slices.Max(got), got[len(got)-1]; most > o.HistoryBytes+3000 || end < o.HistoryBytes*8/10 {
		t.Errorf("history of up to %d bytes, %d in the end; want about %d", most, end, o.HistoryBytes)
	}
}

// Where the free pages lie too scattered after all, the buffer makes do with less and goes on by itself.
func TestMaxSizeIsSurvived(t *testing.T) {
	t.Parallel()
	var changes []holdfast.BufferChange
	o := fullOptions(t, &changes)
	b := mustOpen(t, o)
	b.limit = 10 * o.MaxBytes
	rng := rand.New(rand.NewPCG(1, 2))
	for range 700 {
		b.Append(Change{Records: []Record{noise(rng, holdfast.LaneTelemetry, 3000)}})
		b.commit(false)
		b.announce()
	}
	for range 20 {
		b.commit(false)
		b.announce()
	}
	s := b.Status()
	if s.Failures == 0 || s.Failing != "" || s.Queued > 0 || size(t, o) > o.MaxBytes {
		t.Errorf("status %+v: want failures that passed", s)
	}
	if line := owed(t, b, holdfast.LaneTelemetry, 1)[0]; line != fmt.Sprintf("dropped 1-%d full", s.Dropped) {
		t.Errorf("first owed: %s, %d were dropped", line, s.Dropped)
	}
	b.Close()
	if report, err := Check(t.Context(), o.Path); err != nil {
		t.Errorf("%+v: %v", report, err)
	}
}

// The last commit has no next one: where it finds no room it makes some, and goes through.
func TestEndIsNotOutOfRoom(t *testing.T) {
	t.Parallel()
	fill := func(records int) (*Buffer, *rand.Rand) { // as many as are wanted, or until the file takes no more
		var changes []holdfast.BufferChange
		o := fullOptions(t, &changes)
		b, rng := mustOpen(t, o), rand.New(rand.NewPCG(1, 2))
		b.limit = 10 * o.MaxBytes
		for n := 0; n < records && b.count.Failures == 0; n++ {
			b.Append(Change{Records: []Record{noise(rng, holdfast.LaneTelemetry, 3000)}})
			b.commit(false)
		}
		return b, rng
	}
	full, _ := fill(10_000)
	b, rng := fill(int(full.count.Records) - 2)
	b.limit = b.measured.used + 40<<10 // the room that there seems to be
	for range 10 {
		b.Append(Change{Records: []Record{noise(rng, holdfast.LaneTelemetry, 3000)}})
	}
	if err := b.end(); err != nil || b.count.Failures == 0 {
		t.Errorf("the end behind %d records: %v, %d commits failed", b.count.Records, err, b.count.Failures)
	}
}

func TestGrow(t *testing.T) {
	t.Parallel()
	o := testOptions(t)
	o.MaxBytes, o.Grow = 16<<20, true
	b := mustOpen(t, o)
	for n := 0; !b.writer.aged; n++ {
		if n > 20 {
			t.Fatal("it does not end")
		}
		store(t, b, record(holdfast.LaneTelemetry, n))
		b.grow()
	}
	grown := size(t, o)
	if s := b.Status(); s.Dropped > 0 || s.Bytes > 1<<20 || grown < workingSize(o.MaxBytes) || grown > o.MaxBytes {
		t.Errorf("file of %d bytes, status %+v", grown, s)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		store(t, b, noise(rng, holdfast.LaneTelemetry, 30_000))
	}
	if got := size(t, o); got != grown {
		t.Errorf("the file grew from %d to %d bytes", grown, got)
	}
	b.Close()
	if report, err := Check(t.Context(), o.Path); err != nil {
		t.Errorf("%+v: %v", report, err)
	}
}

// A start in the middle of growing begins anew.
func TestGrowIsInterrupted(t *testing.T) {
	t.Parallel()
	o := testOptions(t)
	o.MaxBytes, o.Grow = 16<<20, true
	b := mustOpen(t, o)
	for range 3 {
		b.grow()
	}
	b.Close()
	b = mustOpen(t, o)
	if s := b.Status(); s.Bytes > 1<<20 {
		t.Errorf("%d bytes in use after the filler went", s.Bytes)
	}
	for range 20 {
		b.grow()
	}
	if !b.writer.aged || size(t, o) < workingSize(o.MaxBytes) {
		t.Errorf("aged %v, file of %d bytes", b.writer.aged, size(t, o))
	}
}
