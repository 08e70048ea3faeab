package buffer

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"holdfast"
)

// Everybody at once, as in the gateway: each record is given out once, and in the end nothing is owed.
func TestConcurrentUse(t *testing.T) {
	t.Parallel()
	o := testOptionsIn(memoryDir(t))
	o.Window, o.WindowRecords, o.HistoryBytes = 2*time.Millisecond, 50, 20_000
	b := mustOpen(t, o)
	stop := start(t, b)
	const n = 2000
	var users sync.WaitGroup
	users.Go(func() {
		for i := range n {
			if err := b.Append(Change{Records: []Record{record(holdfast.LaneTelemetry, i)}}); err != nil {
				t.Error(err)
			}
		}
	})
	for worker := range 3 {
		users.Go(func() {
			for i := range n / 20 {
				c := Change{Records: []Record{record(holdfast.LaneEvent, i)}, State: map[string][]byte{fmt.Sprint(worker): fmt.Append(nil, i)}}
				if err := b.Commit(t.Context(), c); err != nil {
					t.Error(err)
				}
				if got := string(b.State(fmt.Sprint(worker))); got != fmt.Sprint(i) {
					t.Errorf("state %q behind the commit of %d", got, i)
				}
			}
		})
	}
	got := make(map[holdfast.Lane]uint64)
	users.Go(func() {
		for got[holdfast.LaneTelemetry] < n || got[holdfast.LaneEvent] < 3*n/20 {
			<-b.Changed()
			for _, lane := range laneNames {
				for {
					batch, ok, err := b.Next(lane, holdfast.Position{}, 100, holdfast.MaxBatchBytes)
					if err != nil {
						t.Error(err)
					}
					if !ok || err != nil {
						break
					}
					if batch.First != got[lane]+1 || batch.What != holdfast.Data {
						t.Errorf("lane %s: %s %d to %d behind %d", lane, batch.What, batch.First, batch.Last, got[lane])
					}
					got[lane] = batch.Last
					b.Done(batch.Stream, lane, holdfast.Ranges{batch.Range()})
				}
			}
		}
	})
	users.Go(func() {
		for range 50 {
			b.Status()
			b.History(epoch, epoch.Add(time.Hour), func(holdfast.Lane, []byte) bool { return true })
		}
	})
	users.Wait()
	for lane, status := range b.Status().Lanes {
		if status.Pending > 0 || status.Head != got[lane] {
			t.Errorf("lane %s: %+v, %d were given out", lane, status, got[lane])
		}
	}
	stop()
	if report, err := Check(t.Context(), o.Path); err != nil {
		t.Errorf("%+v: %v", report, err)
	}
}
