package buffer

import (
	"encoding/json"
	"fmt"
	"testing"

	"holdfast"
)

// What follows a position is there whether it is owed or done, across streams, and nothing else is.
func TestFollow(t *testing.T) {
	t.Parallel()
	o := testOptions(t)
	b := mustOpen(t, o)
	older := b.Stream()
	store(t, b, records(holdfast.LaneTelemetry, 1, 5)...)
	store(t, b, record(holdfast.LaneEvent, 6), record(holdfast.LaneTelemetry, 7))
	b.Done(older, holdfast.LaneTelemetry, ranges(1, 3))
	b.Close()
	b = mustOpen(t, o)
	store(t, b, records(holdfast.LaneTelemetry, 8, 9)...)
	at := func(stream holdfast.Stream, seq uint64) holdfast.Position {
		return holdfast.Position{Stream: stream, Seq: seq}
	}
	for _, c := range []struct {
		after holdfast.Position
		most  int
		want  string
	}{
		{holdfast.Position{}, 100, "[1:1 1:2 1:3 1:4 1:5 1:6 2:1 2:2]"},
		{at(holdfast.Stream{1}, 7), 100, "[1:1 1:2 1:3 1:4 1:5 1:6 2:1 2:2]"},
		{at(older, 2), 100, "[1:3 1:4 1:5 1:6 2:1 2:2]"},
		{at(older, 2), 2, "[1:3 1:4]"},
		{at(older, 6), 100, "[2:1 2:2]"},
		{at(b.Stream(), 1), 100, "[2:2]"},
		{at(b.Stream(), 2), 100, "[]"},
	} {
		var got []string
		err := b.Follow(holdfast.LaneTelemetry, c.after, func(at holdfast.Position, record json.RawMessage) bool {
			which := map[holdfast.Stream]int{older: 1, b.Stream(): 2}[at.Stream]
			got = append(got, fmt.Sprintf("%d:%d", which, at.Seq))
			return len(got) < c.most
		})
		if err != nil || fmt.Sprint(got) != c.want {
			t.Errorf("behind %v: %v, %v; want %s", c.after, got, err, c.want)
		}
	}
	b.Close()
	if err := b.Follow(holdfast.LaneTelemetry, holdfast.Position{}, nil); err == nil {
		t.Error("a closed buffer is followed")
	}
}
