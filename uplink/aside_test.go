package uplink

import (
	"sync/atomic"
	"testing"
	"time"

	"holdfast"
	"holdfast/internal/testenv"
)

// The receiver takes nothing of an older stream, for it is bound to the id that this gateway had before. The current stream
// goes on; the older one is tried with one batch at a time, and flows once the receiver takes it.
func TestStreamSetAside(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, broker *testenv.Broker) {
		r := newReceiver(t, broker, "cloud", store)
		var taken atomic.Bool
		var refused atomic.Int32
		r.answers(func(b *holdfast.Batch) *holdfast.Receipt {
			if b.Device != device {
				t.Errorf("a batch of device %q on a topic of %q", b.Device, device)
			}
			if !taken.Load() && b.Stream == older {
				refused.Add(1)
				return &holdfast.Receipt{V: 1, Store: store, Stream: b.Stream, Hold: true, RetryS: 600, Reason: "foreign_stream"}
			}
			return &holdfast.Receipt{V: 1, Store: store, Stream: b.Stream, Lane: b.Lane, Ranges: holdfast.Ranges{b.Range()}}
		})
		r.start("1")
		q := newTable(older, stream)
		q.device = "its-former-id"
		q.streams = q.streams[:1]
		q.fill(holdfast.LaneTelemetry, 5000)
		q.streams = q.streams[:2]
		q.fill(holdfast.LaneTelemetry, 3000)
		g := start(t, broker, q, nil)
		time.Sleep(time.Minute)
		if n := q.pending(holdfast.LaneTelemetry); n != 5000 {
			t.Errorf("%d records wait, want the 5000 of the older stream: the current one must not stand behind it", n)
		}
		if s := g.Status(); s.Aside != 1 || s.Hold != "" {
			t.Errorf("status: %d streams aside, hold %q; want 1 and none", s.Aside, s.Hold)
		}
		before := refused.Load()
		time.Sleep(30 * time.Minute)
		if tries := refused.Load() - before; tries < 2 || tries > 4 {
			t.Errorf("the older stream was tried %d times in 30 minutes, want one batch every 10", tries)
		}
		q.fill(holdfast.LaneTelemetry, 500)
		settled()
		if n := q.pending(holdfast.LaneTelemetry); n != 5000 {
			t.Errorf("%d records wait, want 5000: new ones flow", n)
		}

		taken.Store(true)
		time.Sleep(11 * time.Minute)
		if n := q.pending(holdfast.LaneTelemetry); n != 0 {
			t.Errorf("%d records wait although the receiver takes the older stream now", n)
		}
		if s := g.Status(); s.Aside != 0 {
			t.Errorf("status: %d streams aside, want none", s.Aside)
		}
	})
}
