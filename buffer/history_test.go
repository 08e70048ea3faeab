package buffer

import (
	"fmt"
	"testing"
	"time"

	"holdfast"
)

func TestHistory(t *testing.T) {
	t.Parallel()
	o := testOptions(t)
	b := mustOpen(t, o)
	store(t, b, records(holdfast.LaneTelemetry, 1, 5)...)
	store(t, b, record(holdfast.LaneEvent, 6), record(holdfast.LaneTelemetry, 7))
	b.Done(b.Stream(), holdfast.LaneTelemetry, ranges(1, 3))
	b.Close()
	b = mustOpen(t, o)
	store(t, b, records(holdfast.LaneTelemetry, 8, 9)...)
	at := func(n int) time.Time { return epoch.Add(time.Duration(n) * time.Second) }
	for _, c := range []struct {
		from, to, most int
		want           string
	}{
		{0, 100, 100, "[t1 t2 t3 t4 t5 t7 e6 t8 t9]"},
		{3, 6, 100, "[t3 t4 t5 e6]"},
		{7, 8, 100, "[t7 t8]"},
		{0, 100, 2, "[t1 t2]"},
		{10, 100, 100, "[]"},
	} {
		var got []string
		err := b.History(at(c.from), at(c.to), func(lane holdfast.Lane, data []byte) bool {
			var n int
			fmt.Sscanf(string(data[len(`{"time":"2026-05-01T12:00:01Z",`):]), `"n":%d}`, &n)
			got = append(got, fmt.Sprintf("%c%d", lane[0], n))
			return len(got) < c.most
		})
		if err != nil || fmt.Sprint(got) != c.want {
			t.Errorf("from %d to %d: %v, %v; want %s", c.from, c.to, got, err, c.want)
		}
	}
}
