package uplink

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"holdfast"
	"holdfast/internal/testenv"
)

func TestPubackMode(t *testing.T) {
	bubble(t, func(t *testing.T, broker *testenv.Broker) {
		q := newTable(stream)
		q.fill(holdfast.LaneTelemetry, 5000)
		q.fill(holdfast.LaneAlert, 2)
		broker.Swallow(func(_, topic string) bool { return strings.HasSuffix(topic, "/alert") })
		g := start(t, broker, q, func(o *Options) { o.Mode = holdfast.AckPuback })
		settled()
		if got := q.pending(holdfast.LaneAlert); got != 2 {
			t.Errorf("%d alerts pending, want those 2 that no PUBACK came for", got)
		}
		broker.Swallow(nil)
		time.Sleep(3 * time.Minute) // the silent broker is given up, the next session does better
		if q.pending(holdfast.LaneTelemetry) != 0 || q.pending(holdfast.LaneAlert) != 0 {
			t.Errorf("%d and %d pending", q.pending(holdfast.LaneTelemetry), q.pending(holdfast.LaneAlert))
		}
		// A receiver that turns up changes nothing: neither its presence nor its receipts are obeyed.
		r := newReceiver(t, broker, "cloud", store)
		r.start("1")
		r.say(&holdfast.Receipt{V: 1, Store: store, Stream: stream, Lane: holdfast.LaneTelemetry, Want: holdfast.Ranges{{First: 1, Last: 9}}})
		settled()
		if n := len(r.arrived()); n != 0 || len(g.bindings()) != 0 || g.Status().Mode != holdfast.AckPuback {
			t.Errorf("%d batches sent again, bound to %v", n, g.bindings())
		}
	})
}

// A gateway that was bound, and runs in puback mode now, is bound anew later: the store lacks what the broker took.
func TestPubackModeUnbinds(t *testing.T) {
	bubble(t, func(t *testing.T, broker *testenv.Broker) {
		q := newTable(stream)
		g := start(t, broker, q, func(o *Options) {
			o.Mode = holdfast.AckPuback
			o.Store = func() Binding { return Binding{store, "cloud"} }
		})
		settled()
		if got := g.bindings(); !slices.Equal(got, []Binding{{}}) || q.again != 0 {
			t.Errorf("bindings %v", got)
		}
	})
}

// The receiver that the gateway is bound to gets a new database: everything that history holds goes there.
func TestRestoredDatabase(t *testing.T) {
	bubble(t, func(t *testing.T, broker *testenv.Broker) {
		r := newReceiver(t, broker, "cloud", store)
		r.start("1")
		q := newTable(stream)
		q.fill(holdfast.LaneTelemetry, 1000)
		g := start(t, broker, q, func(o *Options) {
			keep, n := o.Bind, 0
			o.Bind = func(ctx context.Context, b Binding) error {
				if n++; q.again != n {
					t.Errorf("bound to %v before everything was offered again", b)
				}
				return keep(ctx, b)
			}
		})
		settled()
		r.stop()
		r.wipe(store2)
		r.start("2")
		settled()
		if r.holds(holdfast.LaneTelemetry) != 1000 || q.pending(holdfast.LaneTelemetry) != 0 {
			t.Errorf("%d in the new database, %d pending", r.holds(holdfast.LaneTelemetry), q.pending(holdfast.LaneTelemetry))
		}
		if got, want := g.bindings(), []Binding{{store, "cloud"}, {store2, "cloud"}}; !slices.Equal(got, want) || q.again != 2 {
			t.Errorf("bindings %v, want %v", got, want)
		}
	})
}

// A gateway that was provisioned for a database is bound to that one, whatever it was bound to before and whoever else
// answers; and it follows its receiver to a new database.
func TestProvisioned(t *testing.T) {
	for _, before := range []Binding{{}, {store2, "test-bench"}, {store, "cloud"}} {
		bubble(t, func(t *testing.T, broker *testenv.Broker) {
			stranger := newReceiver(t, broker, "test-bench", store2)
			stranger.start("1")
			q := newTable(stream)
			q.fill(holdfast.LaneTelemetry, 100)
			r := newReceiver(t, broker, "cloud", store)
			r.silence(true)
			g := start(t, broker, q, func(o *Options) {
				o.First = store
				o.Store = func() Binding { return before }
			})
			settled()
			if got := q.pending(holdfast.LaneTelemetry); got != 100 {
				t.Errorf("bound to %v before: %d pending, want 100: a stranger freed the others", before, got)
			}
			r.silence(false)
			r.start("1")
			settled()
			if got := q.pending(holdfast.LaneTelemetry); got != 0 || g.Status().Store != store {
				t.Errorf("bound to %v before: %d pending at store %s", before, got, g.Status().Store)
			}
			r.stop()
			store3 := holdfast.Stream{3}
			r.wipe(store3)
			r.start("2")
			settled()
			if r.holds(holdfast.LaneTelemetry) != 100 || g.Status().Store != store3 {
				t.Errorf("bound to %v before: %d in the new database, bound to %s", before, r.holds(holdfast.LaneTelemetry), g.Status().Store)
			}
		})
	}
}

// Another instance with another database is watched, and frees nothing, whatever it says.
func TestForeignStore(t *testing.T) {
	for _, pin := range []holdfast.Stream{{}, store} {
		bubble(t, func(t *testing.T, broker *testenv.Broker) {
			r := newReceiver(t, broker, "cloud", store)
			r.start("1")
			q := newTable(stream)
			g := start(t, broker, q, func(o *Options) { o.Pin = pin })
			q.fill(holdfast.LaneTelemetry, 1)
			settled()
			r.silence(true)
			stranger := newReceiver(t, broker, "test-bench", store2)
			stranger.start("1")
			q.fill(holdfast.LaneTelemetry, 500)
			settled()
			stranger.say(&holdfast.Receipt{V: 1, Store: store2, Hold: true, RetryS: 3600})
			settled()
			if got := q.pending(holdfast.LaneTelemetry); got != 500 {
				t.Errorf("pin %v: %d pending, want 500: a stranger freed the others", pin, got)
			}
			s := g.Status()
			if !slices.Equal(s.Others, []holdfast.Stream{store2}) || s.Store != store || s.Hold != "" {
				t.Errorf("pin %v: status %+v", pin, s)
			}
			r.silence(false)
			time.Sleep(time.Minute)
			if got := q.pending(holdfast.LaneTelemetry); got != 0 {
				t.Errorf("pin %v: %d pending", pin, got)
			}
		})
	}
}

// A crash between "again" and "bound" does both once more, and a card that keeps nothing holds up nothing.
func TestBindingThatCannotBeKept(t *testing.T) {
	bubble(t, func(t *testing.T, broker *testenv.Broker) {
		r := newReceiver(t, broker, "cloud", store)
		r.start("1")
		q := newTable(stream)
		q.fill(holdfast.LaneTelemetry, 10)
		refuse := func(o *Options) {
			o.Bind = func(context.Context, Binding) error { return errors.New("read-only file system") }
		}
		for n := 1; n <= 2; n++ {
			g := start(t, broker, q, refuse)
			q.fill(holdfast.LaneTelemetry, 10)
			settled()
			if q.pending(holdfast.LaneTelemetry) != 0 || q.again != n {
				t.Errorf("start %d: %d pending, everything again %d times", n, q.pending(holdfast.LaneTelemetry), q.again)
			}
			g.stop()
			settled()
		}
	})
}
