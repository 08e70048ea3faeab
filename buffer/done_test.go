package buffer

import (
	"testing"

	"holdfast"
)

func TestDoneAgainReject(t *testing.T) {
	t.Parallel()
	o := testOptions(t)
	b := mustOpen(t, o)
	id := b.Stream()
	storeApart(t, b, records(holdfast.LaneTelemetry, 1, 10)...)
	storeApart(t, b, records(holdfast.LaneTelemetry, 11, 20)...)
	b.Done(id, holdfast.LaneTelemetry, ranges(1, 10, 15, 15))
	b.Reject(id, holdfast.LaneTelemetry, holdfast.Range{First: 12, Last: 13}, holdfast.CauseTooLarge)
	for range 2 {
		want(t, owed(t, b, holdfast.LaneTelemetry, 100), "data 11-11", "rejected 12-13 too_large", "data 14-14", "data 16-20")
		b.commit(false)
		b.Close()
		b = mustOpen(t, o)
	}
	if got := b.Status().HistoryBytes; got == 0 {
		t.Error("a block that is done is no history")
	}
	b.Again(id, holdfast.LaneTelemetry, ranges(9, 16))
	if got := b.Status().HistoryBytes; got != 0 {
		t.Errorf("history of %d bytes of what is owed", got)
	}
	want(t, owed(t, b, holdfast.LaneTelemetry, 100), "data 9-11", "rejected 12-13 too_large", "data 14-20")
	b.hasty = true
	b.commit(false)
	b.AgainAll()
	for range 2 {
		want(t, owed(t, b, holdfast.LaneTelemetry, 100), "data 1-11", "rejected 12-13 too_large", "data 14-20")
		b.hasty = true
		b.commit(false)
		b.Close()
		b = mustOpen(t, o)
	}
}

func TestWantedAgainButGone(t *testing.T) {
	t.Parallel()
	o := testOptions(t)
	o.HistoryBytes = -1
	b := mustOpen(t, o)
	store(t, b, records(holdfast.LaneEvent, 1, 10)...)
	b.Done(b.Stream(), holdfast.LaneEvent, ranges(1, 10))
	store(t, b, records(holdfast.LaneEvent, 11, 12)...) // the trim rides along
	id := b.Stream()
	b.Again(id, holdfast.LaneEvent, ranges(3, 5))
	want(t, owed(t, b, holdfast.LaneEvent, 100), "dropped 3-5 receipted_then_lost", "data 11-12")
	b.hasty = true
	b.commit(false)
	b.Close()
	b = mustOpen(t, o)
	want(t, owed(t, b, holdfast.LaneEvent, 100), "dropped 3-5 receipted_then_lost", "data 11-12")
}

func TestReceiptsOfUnknownNumbersAreCounted(t *testing.T) {
	t.Parallel()
	b := mustOpen(t, testOptions(t))
	store(t, b, records(holdfast.LaneEvent, 1, 10)...)
	for _, c := range []struct {
		id      holdfast.Stream
		ranges  holdfast.Ranges
		unknown uint64
		pending uint64
	}{
		{b.Stream(), ranges(1, 2), 0, 8},
		{b.Stream(), ranges(9, 11), 1, 6},
		{b.Stream(), ranges(11, 12, 5, 5), 2, 5},
		{holdfast.NewStream(), ranges(1, 2), 3, 5},
	} {
		if err := b.Done(c.id, holdfast.LaneEvent, c.ranges); err != nil {
			t.Fatal(err)
		}
		s := b.Status()
		if s.UnknownReceipts != c.unknown || s.Lanes[holdfast.LaneEvent].Pending != c.pending {
			t.Errorf("after %v: %d unknown, %d pending; want %d, %d", c.ranges, s.UnknownReceipts, s.Lanes[holdfast.LaneEvent].Pending, c.unknown, c.pending)
		}
	}
	if err := b.Done(b.Stream(), holdfast.LaneEvent, ranges(0, 2)); err == nil {
		t.Error("number 0: no error")
	}
}
