package buffer

import (
	"testing"

	"holdfast"
)

// TestCutBeforeTheFirstRecord opens a file again and again without a record that was durable: none of these starts told how
// the one before ended, so the one that does names the newest that has a number, and the others are gone.
func TestCutBeforeTheFirstRecord(t *testing.T) {
	t.Parallel()
	o := testOptions(t)
	cut := func(of string) {
		b := mustOpen(t, o)
		if b.Previous() != nil {
			t.Errorf("%s: previous %+v, want none: no stream has a number", of, b.Previous())
		}
		b.Close()
	}
	cut("the file's birth")
	cut("the start behind it")

	b := mustOpen(t, o)
	if b.Previous() != nil {
		t.Errorf("previous %+v, want none: no stream has a number", b.Previous())
	}
	told := b.Stream()
	store(t, b, records(holdfast.LaneEvent, 1, 2)...)
	b.Close()
	for range 2 {
		b = mustOpen(t, o)
		b.Append(Change{Records: records(holdfast.LaneEvent, 3, 3)})
		b.Close()
	}

	b = mustOpen(t, o)
	if p := b.Previous(); p == nil || p.Stream != told || p.Clean || p.Lanes[holdfast.LaneEvent] != 2 {
		t.Errorf("previous %+v, want stream %s, cut at event 2", p, told)
	}
	store(t, b, record(holdfast.LaneEvent, 4))
	last := b.Stream()
	start(t, b)()
	b = mustOpen(t, o)
	if p := b.Previous(); p == nil || p.Stream != last || !p.Clean {
		t.Errorf("previous %+v, want stream %s, stopped", p, last)
	}
	if len(b.streams) != 3 {
		t.Errorf("the file knows %d streams, want those two and the current one", len(b.streams))
	}
	want(t, owed(t, b, holdfast.LaneEvent, 100), "data 1-2", "data 1-1")
}

// A stream whose only numbers are of the local lane has readings.
func TestStreamOfWithheldRecordsStays(t *testing.T) {
	t.Parallel()
	o := testOptions(t)
	b := mustOpen(t, o)
	withheld := b.Stream()
	withhold(t, b, records(holdfast.LaneTelemetry, 1, 3)...)
	start(t, b)()
	b = mustOpen(t, o)
	if p := b.Previous(); p == nil || p.Stream != withheld {
		t.Errorf("previous %+v, want stream %s", p, withheld)
	}
}

func TestIdleStreamsAreForgotten(t *testing.T) {
	t.Parallel()
	b := mustOpen(t, testOptions(t))
	for i := range maxIdle + 3 {
		b.keep(newStream(holdfast.NewStream(), uint32(i+1), "pi-7", b.sum))
	}
	b.streams[2].lanes[telemetry].head = 1 // owes a number
	owes := b.streams[2].id
	b.forgetIdle()
	if len(b.streams) != maxIdle || b.byID[owes] == nil || len(b.forget) != 4 {
		t.Errorf("%d streams left, %d forgotten, the owing one known: %v", len(b.streams), len(b.forget), b.byID[owes] != nil)
	}
}
