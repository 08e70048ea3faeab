package buffer

import (
	"fmt"
	"testing"
	"time"

	"holdfast"
)

// Browse finds what is owed and what is done, with its numbers, across starts, and moves nothing.
func TestBrowse(t *testing.T) {
	t.Parallel()
	o := testOptions(t)
	b := mustOpen(t, o)
	first := b.Stream()
	store(t, b, records(holdfast.LaneTelemetry, 1, 5)...)
	store(t, b, record(holdfast.LaneEvent, 6), record(holdfast.LaneTelemetry, 7))
	b.Done(first, holdfast.LaneTelemetry, ranges(1, 3))
	b.Close()
	b = mustOpen(t, o)
	second := b.Stream()
	store(t, b, records(holdfast.LaneTelemetry, 8, 9)...)
	browse := func(after holdfast.Position, from, to time.Time, most int) string {
		t.Helper()
		var got []string
		err := b.Browse(holdfast.LaneTelemetry, after, from, to, func(stream holdfast.Stream, seq uint64, data []byte) bool {
			var n int
			fmt.Sscanf(string(data[len(`{"time":"2026-05-01T12:00:01Z",`):]), `"n":%d}`, &n)
			start := 1
			if stream == second {
				start = 2
			}
			got = append(got, fmt.Sprintf("%d/%d=%d", start, seq, n))
			return len(got) < most
		})
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprint(got)
	}
	at := func(n int) time.Time { return epoch.Add(time.Duration(n) * time.Second) }
	never := time.Time{}
	pending := b.Status()
	for _, c := range []struct{ name, got, want string }{
		{"all", browse(holdfast.Position{}, never, never, 100), "[1/1=1 1/2=2 1/3=3 1/4=4 1/5=5 1/6=7 2/1=8 2/2=9]"},
		{"behind a number", browse(holdfast.Position{Stream: first, Seq: 4}, never, never, 100), "[1/5=5 1/6=7 2/1=8 2/2=9]"},
		{"behind the last of a stream", browse(holdfast.Position{Stream: first, Seq: 6}, never, never, 100), "[2/1=8 2/2=9]"},
		{"behind a stream that nobody knows", browse(holdfast.Position{Stream: holdfast.Stream{1}}, never, never, 100), "[]"},
		{"times", browse(holdfast.Position{}, at(3), at(8), 100), "[1/3=3 1/4=4 1/5=5 1/6=7 2/1=8]"},
		{"a few", browse(holdfast.Position{}, never, never, 2), "[1/1=1 1/2=2]"},
	} {
		if c.got != c.want {
			t.Errorf("%s: %s, want %s", c.name, c.got, c.want)
		}
	}
	for n, want := range map[uint64]string{
		1: "[2/2=9]", 2: "[2/1=8 2/2=9]", 4: "[1/5=5 1/6=7 2/1=8 2/2=9]", 8: "[1/1=1 1/2=2 1/3=3 1/4=4 1/5=5 1/6=7 2/1=8 2/2=9]", 99: "[1/1=1 1/2=2 1/3=3 1/4=4 1/5=5 1/6=7 2/1=8 2/2=9]",
	} {
		after, err := b.Newest(holdfast.LaneTelemetry, n)
		if got := browse(after, never, never, 100); err != nil || got != want {
			t.Errorf("the newest %d: %s, %v; want %s", n, got, err, want)
		}
	}
	if now := b.Status(); now.Lanes[holdfast.LaneTelemetry] != pending.Lanes[holdfast.LaneTelemetry] || len(now.Older) != len(pending.Older) {
		t.Errorf("status %+v before, %+v after: something moved", pending, now)
	}
}
