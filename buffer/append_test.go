package buffer

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"holdfast"
)

func TestAppendRefuses(t *testing.T) {
	t.Parallel()
	b := mustOpen(t, testOptions(t))
	good := record(holdfast.LaneEvent, 1)
	for name, c := range map[string]Change{
		"no JSON":      {Records: []Record{good, {Lane: holdfast.LaneEvent, Data: []byte(`{"a":`)}}},
		"no data":      {Records: []Record{good, {Lane: holdfast.LaneEvent}}},
		"no lane":      {Records: []Record{good, {Data: []byte(`{}`)}}},
		"no key":       {Records: []Record{good}, State: map[string][]byte{"": nil}},
		"a long key":   {Records: []Record{good}, State: map[string][]byte{strings.Repeat("k", maxKey+1): nil}},
		"a long value": {Records: []Record{good}, State: map[string][]byte{"k": make([]byte, maxValue+1)}},
	} {
		if err := b.Append(c); err == nil {
			t.Errorf("%s: Append returns no error", name)
		}
		if err := b.Commit(t.Context(), c); err == nil {
			t.Errorf("%s: Commit returns no error", name)
		}
	}
	if got := b.Status().Queued; got != 0 {
		t.Errorf("%d records of refused changes wait", got)
	}
}

func TestARecordOfSeveralLinesBecomesOne(t *testing.T) {
	t.Parallel()
	b := mustOpen(t, testOptions(t))
	c := Change{Records: []Record{{Lane: holdfast.LaneEvent, Data: []byte("{\n \"a\": \"x\\ny\"\r\n}")}}}
	if err := b.Append(c); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(c.Records[0].Data), "\n") {
		t.Error("the caller's record was changed")
	}
	store(t, b, record(holdfast.LaneEvent, 2))
	batch, ok, err := b.Next(holdfast.LaneEvent, holdfast.Position{}, 10, 1000)
	if !ok || err != nil || len(batch.Records) != 2 || string(batch.Records[0]) != `{"a":"x\ny"}` {
		t.Errorf("records %q, %v, %v", batch.Records, ok, err)
	}
}

func TestARecordTooLargeIsStated(t *testing.T) {
	t.Parallel()
	o := testOptions(t)
	b := mustOpen(t, o)
	large := record(holdfast.LaneTelemetry, 2)
	large.Data = fmt.Appendf(nil, `"%*d"`, maxRecord, 2)
	largest := record(holdfast.LaneTelemetry, 3)
	largest.Data = fmt.Appendf(nil, `"%*d"`, maxRecord-2, 3)
	store(t, b, record(holdfast.LaneTelemetry, 1), large, large, largest, record(holdfast.LaneTelemetry, 4))
	for range 2 {
		want(t, owed(t, b, holdfast.LaneTelemetry, 10), "data 1-1", "rejected 2-3 too_large", "data 4-5")
		b.Close()
		b = mustOpen(t, o)
	}
}

func TestBlocksAreBounded(t *testing.T) {
	t.Parallel()
	b := mustOpen(t, testOptions(t))
	var long, tiny []Record
	for n := range 7 {
		long = append(long, Record{Lane: holdfast.LaneEvent, Data: fmt.Appendf(nil, `"%*d"`, 3*blockBytes/10, n)})
	}
	long = append(long, Record{Lane: holdfast.LaneEvent, Data: fmt.Appendf(nil, `"%*d"`, 2*blockBytes, 7)})
	for range 2*blockRecords + 1 {
		tiny = append(tiny, Record{Lane: holdfast.LaneTelemetry, Data: []byte(`{}`)})
	}
	store(t, b, append(tiny, long...)...)
	for lane, want := range map[int]string{telemetry: "[1000 1000 1]", 1: "[3 3 1 1]"} {
		var got []uint64
		for _, block := range b.current().lanes[lane].blocks {
			got = append(got, block.Len())
		}
		if fmt.Sprint(got) != want {
			t.Errorf("lane %s has blocks of %v records, want %s", laneNames[lane], got, want)
		}
	}
}

func TestState(t *testing.T) {
	t.Parallel()
	o := testOptions(t)
	b := mustOpen(t, o)
	set := func(key, value string) {
		t.Helper()
		state := map[string][]byte{key: nil}
		if value != "" {
			state[key] = []byte(value)
		}
		if err := b.Append(Change{State: state}); err != nil {
			t.Fatal(err)
		}
	}
	set("command/1", "a")
	set("command/2", "b")
	set("settings", "c")
	set("command/1", "d")
	check := func(when string) {
		t.Helper()
		if got := string(b.State("command/1")); got != "d" {
			t.Errorf("%s: %q, want d", when, got)
		}
		want(t, b.StateKeys("command/"), "command/1", "command/2")
	}
	check("not durable")
	if len(b.puts) != 3 {
		t.Errorf("%d values wait, want 3", len(b.puts))
	}
	b.commit(false)
	check("durable")
	b.Close()
	b = mustOpen(t, o)
	check("another start")
	set("command/2", "")
	want(t, b.StateKeys(""), "command/1", "settings")
	if b.State("command/2") != nil {
		t.Error("a deleted key has a value")
	}
	b.commit(false)
	b.Close()
	b = mustOpen(t, o)
	want(t, b.StateKeys(""), "command/1", "settings")
}

// The window counts from when a record was made, where it waited elsewhere; and at its end what others hold back is asked for.
func TestWindowCountsWhatWaited(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := testOptions(t)
		o.Window = 10 * time.Second
		var b *Buffer
		asked := 0
		o.Gather = func() {
			if asked++; asked == 2 {
				b.Append(Change{Records: records(holdfast.LaneTelemetry, 3, 3)})
			}
		}
		b = mustOpen(t, o)
		defer start(t, b)()
		head := func(want uint64, when string) {
			t.Helper()
			synctest.Wait()
			if got := b.Status().Lanes[holdfast.LaneTelemetry].Head; got != want {
				t.Errorf("%s: head %d, want %d", when, got, want)
			}
		}
		time.Sleep(time.Second)
		b.Append(Change{Records: records(holdfast.LaneTelemetry, 1, 1), Waited: 7 * time.Second})
		b.Append(Change{Records: records(holdfast.LaneTelemetry, 2, 2), Waited: time.Second}) // no reason to wait longer
		time.Sleep(2900 * time.Millisecond)
		head(0, "before its window is over")
		time.Sleep(200 * time.Millisecond)
		head(2, "a window after the oldest was made")
		time.Sleep(9 * time.Second)
		head(2, "in the next window")
		time.Sleep(time.Second)
		head(3, "what was held back")
		b.Append(Change{Records: records(holdfast.LaneTelemetry, 4, 4), Waited: time.Hour})
		time.Sleep(time.Millisecond)
		head(4, "long overdue")
	})
}
