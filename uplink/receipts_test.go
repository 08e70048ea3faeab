package uplink

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"holdfast"
	"holdfast/internal/testenv"
)

// Probes come after 30 s and then at doubled intervals; the first receipt brings all the rest.
func TestProbes(t *testing.T) {
	bubble(t, func(t *testing.T, broker *testenv.Broker) {
		r := newReceiver(t, broker, "cloud", store)
		r.start("1")
		q := newTable(stream)
		g := start(t, broker, q, nil)
		settled()
		r.silence(true)
		q.fill(holdfast.LaneTelemetry, 300)
		q.fill(holdfast.LaneEvent, 2)
		begin := time.Now()
		settled()
		var at []time.Duration
		for n := len(r.arrived()); time.Since(begin) < 30*time.Minute; time.Sleep(time.Second) {
			if arrived := len(r.arrived()); arrived > n {
				n = arrived
				at = append(at, time.Since(begin).Round(5*time.Second))
			}
		}
		want := []time.Duration{30 * time.Second, 90 * time.Second, 210 * time.Second, 450 * time.Second, 930 * time.Second, 1530 * time.Second}
		if !slices.Equal(at, want) {
			t.Errorf("batches arrived at %v, want %v", at, want)
		}
		r.silence(false)
		for q.pending(holdfast.LaneEvent) == 2 && time.Since(begin) < time.Hour { // the more urgent lane is probed
			time.Sleep(time.Second)
		}
		settled()
		if got := q.pending(holdfast.LaneTelemetry); got != 0 {
			t.Errorf("%d records pending two seconds after the first receipt", got)
		}
		if s := g.Status(); s.Inflight != 0 {
			t.Errorf("%d batches on their way for ever", s.Inflight)
		}
	})
}

// A receiver that starts anew may have lost what it had not committed: all that is on its way is sent again at once.
func TestReceiverStartsAnew(t *testing.T) {
	bubble(t, func(t *testing.T, broker *testenv.Broker) {
		r := newReceiver(t, broker, "cloud", store)
		r.start("1")
		q := newTable(stream)
		start(t, broker, q, nil)
		settled()
		r.silence(true)
		q.fill(holdfast.LaneTelemetry, 1500)
		q.fill(holdfast.LaneAlert, 2)
		settled()
		if !slices.ContainsFunc(r.arrived(), func(b *holdfast.Batch) bool { return b.Lane == holdfast.LaneAlert }) {
			t.Error("the alert waits behind telemetry that has no receipt")
		}
		r.stop()
		r.silence(false)
		r.start("2")
		settled()
		if n := q.pending(holdfast.LaneTelemetry) + q.pending(holdfast.LaneAlert); n != 0 {
			t.Errorf("%d records pending a second after the new start", n)
		}
	})
}

// A batch whose receipt was lost while later ones got theirs does not wait for ever.
func TestOvertaken(t *testing.T) {
	bubble(t, func(t *testing.T, broker *testenv.Broker) {
		r := newReceiver(t, broker, "cloud", store)
		lost := 0
		r.answers(func(b *holdfast.Batch) *holdfast.Receipt {
			if b.First == 101 && lost < 2 {
				lost++
				return nil
			}
			return &holdfast.Receipt{V: 1, Store: store, Stream: b.Stream, Lane: b.Lane, Ranges: holdfast.Ranges{b.Range()}}
		})
		r.start("1")
		q := newTable(stream)
		q.fill(holdfast.LaneTelemetry, 300)
		start(t, broker, q, nil)
		for range 200 { // telemetry keeps flowing, there is no silence
			time.Sleep(time.Second)
			q.fill(holdfast.LaneTelemetry, 1)
		}
		settled()
		if got := q.pending(holdfast.LaneTelemetry); got != 0 || lost != 2 {
			t.Errorf("%d records pending, %d receipts lost", got, lost)
		}
	})
}

// Receipts may come in pieces, in any order, for strangers' streams and for numbers that never were.
func TestReceiptsInPieces(t *testing.T) {
	bubble(t, func(t *testing.T, broker *testenv.Broker) {
		r := newReceiver(t, broker, "cloud", store)
		r.answers(func(*holdfast.Batch) *holdfast.Receipt { return nil })
		r.start("1")
		q := newTable(stream)
		q.fill(holdfast.LaneTelemetry, 100)
		g := start(t, broker, q, nil)
		settled()
		piece := func(stream holdfast.Stream, lane holdfast.Lane, ranges holdfast.Ranges, rejected ...uint64) {
			receipt := &holdfast.Receipt{V: 1, Store: store, Stream: stream, Lane: lane, Ranges: ranges}
			for _, seq := range rejected {
				receipt.Rejected = append(receipt.Rejected, holdfast.Rejection{Seq: seq, Code: "invalid_value"})
			}
			r.say(receipt)
			settled()
		}
		piece(older, holdfast.LaneTelemetry, holdfast.Ranges{{First: 1, Last: 100}})
		piece(stream, holdfast.LaneAlert, holdfast.Ranges{{First: 1, Last: 100}})
		piece(stream, holdfast.LaneTelemetry, holdfast.Ranges{{First: 500, Last: 600}, {First: 40, Last: 60}})
		if got := q.pending(holdfast.LaneTelemetry); got != 79 || g.Status().Inflight != 1 {
			t.Errorf("%d pending, %d on their way; want 79 and the one batch", got, g.Status().Inflight)
		}
		piece(stream, holdfast.LaneTelemetry, holdfast.Ranges{{First: 61, Last: 100}, {First: 1, Last: 38}}, 39)
		if s := g.Status(); q.pending(holdfast.LaneTelemetry) != 0 || s.Inflight != 0 || s.Receipted != 100 || s.Rejected != 1 {
			t.Errorf("%d pending, status %+v", q.pending(holdfast.LaneTelemetry), s)
		}
	})
}

func TestWant(t *testing.T) {
	bubble(t, func(t *testing.T, broker *testenv.Broker) {
		r := newReceiver(t, broker, "cloud", store)
		r.start("1")
		q := newTable(stream)
		q.fill(holdfast.LaneTelemetry, 1000)
		start(t, broker, q, nil)
		settled()
		before := len(r.arrived())
		r.say(&holdfast.Receipt{V: 1, Store: store, Stream: stream, Lane: holdfast.LaneTelemetry, Want: holdfast.Ranges{{First: 51, Last: 60}, {First: 700, Last: 700}}})
		settled()
		var got []holdfast.Range
		for _, b := range r.arrived()[before:] {
			got = append(got, b.Range())
		}
		if want := []holdfast.Range{{First: 51, Last: 60}, {First: 700, Last: 700}}; !slices.Equal(got, want) || q.pending(holdfast.LaneTelemetry) != 0 {
			t.Errorf("sent %v, %d pending; want %v", got, q.pending(holdfast.LaneTelemetry), want)
		}
	})
}

// A device that is not accepted yet keeps everything, and asks with one batch at a time.
func TestHold(t *testing.T) {
	bubble(t, func(t *testing.T, broker *testenv.Broker) {
		r := newReceiver(t, broker, "cloud", store)
		r.answers(func(*holdfast.Batch) *holdfast.Receipt {
			return &holdfast.Receipt{V: 1, Store: store, Hold: true, RetryS: 60, Reason: "pending"}
		})
		r.start("1")
		q := newTable(stream)
		q.fill(holdfast.LaneTelemetry, 5000)
		g := start(t, broker, q, nil)
		time.Sleep(20*time.Minute + time.Second)
		broker.Kick() // a new session is as careful as the one before
		settled()     // the broker in memory forgets a client that returns while it is being thrown out
		r.start("1")
		time.Sleep(2 * time.Minute)
		if s := g.Status(); s.Hold != "pending" || !s.Store.IsZero() || q.pending(holdfast.LaneTelemetry) != 5000 {
			t.Errorf("%d pending, status %+v", q.pending(holdfast.LaneTelemetry), s)
		}
		if n := len(r.arrived()); n > 20+25 {
			t.Errorf("%d batches were sent in twenty minutes of hold, want one a minute after the first window", n)
		}
		r.answers(nil)
		time.Sleep(61 * time.Second)
		if s := g.Status(); s.Hold != "" || q.pending(holdfast.LaneTelemetry) != 0 {
			t.Errorf("accepted, and %d pending, status %+v", q.pending(holdfast.LaneTelemetry), s)
		}
	})
}

func TestZstdWhereAnnounced(t *testing.T) {
	for _, accepts := range [][]string{{"json"}, {"json", "zstd"}} {
		bubble(t, func(t *testing.T, broker *testenv.Broker) {
			r := newReceiver(t, broker, "cloud", store)
			r.presence.Accepts = accepts
			r.start("1")
			q := newTable(stream)
			start(t, broker, q, nil)
			q.fill(holdfast.LaneTelemetry, 1)
			settled() // bound now
			q.fill(holdfast.LaneTelemetry, 100)
			q.put(holdfast.LaneAlert, json.RawMessage(`{}`))
			settled()
			if want := len(accepts) - 1; r.frames != want || r.holds(holdfast.LaneTelemetry) != 101 {
				t.Errorf("accepts %v: %d frames, %d records; want %d frames", accepts, r.frames, r.holds(holdfast.LaneTelemetry), want)
			}
		})
	}
}
