package uplink

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"holdfast"
	"holdfast/internal/testenv"
	"holdfast/mqtt"
	"holdfast/wire"
)

const device = "pi-7"

var (
	stream = holdfast.Stream{1}
	older  = holdfast.Stream{2}
	store  = holdfast.Stream{0xa}
	store2 = holdfast.Stream{0xb}
)

// gateway is an uplink under test, and what it told the rest of the gateway.
type gateway struct {
	*Uplink
	queue *table
	stop  func() // ends Run and waits for it

	mu    sync.Mutex
	bound Binding
	binds []Binding
	links []string
	took  []string // commands
}

// start runs an uplink against the broker until the test ends. change may adjust its options.
func start(t *testing.T, broker *testenv.Broker, queue *table, change func(*Options)) *gateway {
	g := &gateway{queue: queue}
	o := Options{
		Queue: queue, Broker: mqtt.Options{Dial: broker.Dial}, Device: device, Stream: stream, Mode: holdfast.AckReceipt,
		Store: func() Binding { return g.bound },
		Bind: func(_ context.Context, b Binding) error {
			g.mu.Lock()
			defer g.mu.Unlock()
			g.binds = append(g.binds, b)
			return nil
		},
		Status:  func() holdfast.Status { return holdfast.Status{Version: "test"} },
		Catalog: func() holdfast.Catalog { return holdfast.Catalog{Revision: 7} },
		Command: func(_ context.Context, payload []byte, retained bool) {
			g.mu.Lock()
			defer g.mu.Unlock()
			g.took = append(g.took, fmt.Sprint(string(payload), retained))
		},
		Link: func(state string, err error) {
			g.mu.Lock()
			defer g.mu.Unlock()
			g.links = append(g.links, state)
		},
	}
	if change != nil {
		change(&o)
	}
	g.Uplink = New(o)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := g.Run(ctx); err != nil {
			t.Errorf("Run: %v", err)
		}
	}()
	g.stop = func() { cancel(); <-ended }
	t.Cleanup(g.stop)
	return g
}

func (g *gateway) bindings() []Binding {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Clone(g.binds)
}

// bubble runs a test in a synctest bubble with a broker.
func bubble(t *testing.T, f func(t *testing.T, broker *testenv.Broker)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { f(t, testenv.MemoryBroker(t)) })
}

// settled waits until nothing moves any more within a second.
func settled() { time.Sleep(time.Second); synctest.Wait() }

func TestEverythingArrivesOnceAndIsFreed(t *testing.T) {
	bubble(t, func(t *testing.T, broker *testenv.Broker) {
		r := newReceiver(t, broker, "cloud", store)
		r.start("1")
		q := newTable(older, stream)
		q.streams = q.streams[:1] // what an earlier start left
		q.fill(holdfast.LaneTelemetry, 150)
		q.streams = q.streams[:2]
		q.fill(holdfast.LaneTelemetry, 5000)
		q.fill(holdfast.LaneEvent, 30)
		q.fill(holdfast.LaneAlert, 3)
		g := start(t, broker, q, nil)
		settled()
		for lane, want := range map[holdfast.Lane]int{holdfast.LaneTelemetry: 5150, holdfast.LaneEvent: 30, holdfast.LaneAlert: 3} {
			if r.holds(lane) != want || q.pending(lane) != 0 {
				t.Errorf("%s: %d in the ledger, %d pending; want %d and none", lane, r.holds(lane), q.pending(lane), want)
			}
		}
		n := 0
		for _, b := range r.arrived() {
			n += len(b.Records)
		}
		if n != 5183 {
			t.Errorf("%d records arrived, want each of 5183 once", n)
		}
		if first := r.arrived()[0]; first.Lane != holdfast.LaneAlert {
			t.Errorf("the first batch is of lane %s", first.Lane)
		}
		if got, want := g.bindings(), []Binding{{store, "cloud"}}; !slices.Equal(got, want) || q.again != 1 {
			t.Errorf("bound %v with everything again %d times, want %v after once", got, q.again, want)
		}
		s := g.Status()
		if !s.Up || s.Store != store || !s.Online || s.Inflight != 0 || s.Sent != 5183 || s.Resent != 0 || s.Receipted != 5183 {
			t.Errorf("status %+v", s)
		}
		q.fill(holdfast.LaneTelemetry, 1)
		settled()
		if q.pending(holdfast.LaneTelemetry) != 0 {
			t.Error("a record that came later was not forwarded")
		}
	})
}

// A PUBACK frees nothing, an absent receiver costs nothing but a probe now and then, and its start brings everything.
func TestReceiverStartsLate(t *testing.T) {
	bubble(t, func(t *testing.T, broker *testenv.Broker) {
		q := newTable(stream)
		q.fill(holdfast.LaneTelemetry, 5000)
		g := start(t, broker, q, nil)
		time.Sleep(10 * time.Minute)
		if got := q.pending(holdfast.LaneTelemetry); got != 5000 {
			t.Errorf("%d records pending without a receiver, want all 5000", got)
		}
		s := g.Status()
		if want := uint64(20+4) * 100; s.Sent+s.Resent > want || s.Inflight != 20 {
			t.Errorf("published %d records for the first time and %d again into the void, want %d at most", s.Sent, s.Resent, want)
		}
		r := newReceiver(t, broker, "cloud", store)
		r.start("1")
		settled()
		if q.pending(holdfast.LaneTelemetry) != 0 || r.holds(holdfast.LaneTelemetry) != 5000 {
			t.Errorf("%d pending, %d in the ledger a second after the receiver's start", q.pending(holdfast.LaneTelemetry), r.holds(holdfast.LaneTelemetry))
		}
	})
}

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

// Losing the link loses nothing and frees nothing.
func TestLinkFlaps(t *testing.T) {
	bubble(t, func(t *testing.T, broker *testenv.Broker) {
		r := newReceiver(t, broker, "cloud", store)
		r.start("1")
		q := newTable(stream)
		g := start(t, broker, q, func(o *Options) { o.Rand = func() float64 { return 0 } })
		settled()
		for i := range 20 {
			q.fill(holdfast.LaneTelemetry, 700)
			q.fill(holdfast.LaneEvent, 3)
			time.Sleep(time.Duration(i) * time.Millisecond)
			broker.Kick()
			time.Sleep(10 * time.Second)
			if r.conn.Err() != nil {
				r.start(fmt.Sprint(i))
			}
		}
		settled()
		if q.pending(holdfast.LaneTelemetry) != 0 || q.pending(holdfast.LaneEvent) != 0 {
			t.Errorf("%d and %d pending", q.pending(holdfast.LaneTelemetry), q.pending(holdfast.LaneEvent))
		}
		if r.holds(holdfast.LaneTelemetry) != 14000 || r.holds(holdfast.LaneEvent) != 60 {
			t.Errorf("%d and %d in the ledger", r.holds(holdfast.LaneTelemetry), r.holds(holdfast.LaneEvent))
		}
		g.stop()
		want := slices.Repeat([]string{"up", "down"}, 21)
		if !slices.Equal(g.links, want) {
			t.Errorf("link went %v", g.links)
		}
	})
}

// Long without a network is weather: tries go on, a minute apart at most, and one change is told.
func TestNoBroker(t *testing.T) {
	bubble(t, func(t *testing.T, broker *testenv.Broker) {
		broker.Block()
		q := newTable(stream)
		q.fill(holdfast.LaneTelemetry, 10)
		g := start(t, broker, q, nil)
		time.Sleep(20 * time.Minute)
		if s := g.Status(); s.Up || !strings.Contains(s.Error, testenv.ErrBlocked.Error()) {
			t.Errorf("status %+v", s)
		}
		broker.Unblock()
		r := newReceiver(t, broker, "cloud", store)
		r.start("1")
		time.Sleep(61 * time.Second)
		if q.pending(holdfast.LaneTelemetry) != 0 || !slices.Equal(g.links, []string{"down", "up"}) {
			t.Errorf("%d pending, link went %v", q.pending(holdfast.LaneTelemetry), g.links)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		u := New(Options{Queue: newTable(stream), Device: device, Stream: stream, Mode: holdfast.AckReceipt})
		ctx, cancel := context.WithTimeout(t.Context(), 24*time.Hour)
		defer cancel()
		if err := u.Run(ctx); err != nil || u.Status().Error == "" {
			t.Errorf("without a broker: %v, status %+v", err, u.Status())
		}
	})
}

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

func TestStateAndCatalog(t *testing.T) {
	bubble(t, func(t *testing.T, broker *testenv.Broker) {
		topics := holdfast.Topics{}
		measuring := true
		state := func() *holdfast.Status {
			s, err := wire.DecodeStatus(broker.Retained(topics.Device(device, holdfast.TopicState)))
			if err != nil {
				t.Fatal(err)
			}
			return s
		}
		beats := 0
		g := start(t, broker, newTable(stream), func(o *Options) {
			o.Status = func() holdfast.Status { beats++; return holdfast.Status{Version: "test", Measuring: &measuring} }
		})
		settled()
		want := &holdfast.Status{V: 1, Online: true, Stream: stream, Version: "test", Measuring: &measuring, Ack: holdfast.AckReceipt}
		if got := state(); !reflect.DeepEqual(got, want) {
			t.Errorf("birth %+v, want %+v", got, want)
		}
		catalog, err := wire.DecodeCatalog(broker.Retained(topics.Device(device, holdfast.TopicCatalog)))
		if err != nil || catalog.Revision != 7 {
			t.Errorf("catalog %+v, %v", catalog, err)
		}
		time.Sleep(10*time.Minute - 2*time.Second)
		synctest.Wait()
		if beats != 10 {
			t.Errorf("state published %d times in ten minutes, want 10", beats)
		}
		measuring = false
		g.Refresh()
		settled()
		if got := state(); *got.Measuring {
			t.Error("the change was not published")
		}
		broker.Kick() // no good-bye: the last will speaks, then the next birth
		synctest.Wait()
		if got := state(); got.Online || got.Stream != stream {
			t.Errorf("after the link's death: %+v", got)
		}
		time.Sleep(3 * time.Second)
		if !state().Online {
			t.Error("no birth after the link's death")
		}
		begin := time.Now()
		g.stop()
		if got := state(); got.Online || time.Since(begin) > stopTimeout {
			t.Errorf("%v after the stop: %+v", time.Since(begin), got)
		}
	})
}

// Stopping is bounded where the broker says nothing any more.
func TestStopIsBounded(t *testing.T) {
	bubble(t, func(t *testing.T, broker *testenv.Broker) {
		g := start(t, broker, newTable(stream), nil)
		settled()
		broker.Swallow(func(string, string) bool { return true })
		begin := time.Now()
		g.stop()
		if took := time.Since(begin); took > stopTimeout {
			t.Errorf("stopping took %v", took)
		}
	})
}

// Commands of all three kinds arrive in order; answers survive a lost link, the oldest give way.
func TestCommandsAndResponses(t *testing.T) {
	bubble(t, func(t *testing.T, broker *testenv.Broker) {
		topics := holdfast.Topics{Prefix: "plant/1"}
		broker.Publish(topics.Device(device, holdfast.TopicCommand), []byte("kept"), true)
		g := start(t, broker, newTable(stream), func(o *Options) { o.Topics, o.Groups = topics, []string{"north"} })
		settled()
		broker.Publish(topics.Device(device, holdfast.TopicCommand), []byte("own"), false)
		broker.Publish(topics.Broadcast(), []byte("all"), false)
		broker.Publish(topics.Group("north"), []byte("group"), false)
		broker.Publish(topics.Group("south"), []byte("others"), false)
		settled()
		if got, want := strings.Join(g.took, " "), "kepttrue ownfalse allfalse groupfalse"; got != want {
			t.Errorf("commands %s, want %s", got, want)
		}
		var answers []string
		conn, err := mqtt.Connect(t.Context(), mqtt.Options{Dial: broker.Dial, ClientID: "ops", CleanSession: true,
			Handler: func(m mqtt.Message) { answers = append(answers, string(m.Payload)) }})
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close(context.Background())
		if err := conn.Subscribe(t.Context(), topics.Device(device, holdfast.TopicResponse)); err != nil {
			t.Fatal(err)
		}
		g.Send(holdfast.TopicResponse, []byte("1"), false)
		settled()
		broker.Swallow(func(_, topic string) bool { return strings.HasSuffix(topic, "/response") })
		for i := range maxOutbox + 10 {
			g.Send(holdfast.TopicResponse, fmt.Append(nil, i+2), false)
		}
		settled()
		broker.Swallow(nil)
		time.Sleep(3 * time.Minute) // the silent broker is given up
		synctest.Wait()
		if n := len(answers); n != 1+maxOutbox || answers[1] != "12" || answers[n-1] != fmt.Sprint(maxOutbox+11) || g.Status().Dropped != 10 {
			t.Errorf("%d answers %v, %d dropped", n, answers, g.Status().Dropped)
		}
	})
}

// Data flows where the broker denies command topics, and does not where it denies receipts: that would only look like a link.
func TestDeniedSubscriptions(t *testing.T) {
	bubble(t, func(t *testing.T, broker *testenv.Broker) {
		r := newReceiver(t, broker, "cloud", store)
		r.start("1")
		broadcast := holdfast.Topics{}.Broadcast()
		broker.Deny(func(_, topic string, write bool) bool { return topic == broadcast && !write })
		q := newTable(stream)
		q.fill(holdfast.LaneTelemetry, 10)
		g := start(t, broker, q, nil)
		settled()
		if s := g.Status(); !s.Up || !slices.Equal(s.Denied, []string{broadcast}) || q.pending(holdfast.LaneTelemetry) != 0 {
			t.Errorf("%d pending, status %+v", q.pending(holdfast.LaneTelemetry), s)
		}
		g.stop()
		settled()
		receipts := holdfast.Topics{}.Device(device, holdfast.TopicReceipt)
		broker.Deny(func(_, topic string, write bool) bool { return topic == receipts && !write })
		g = start(t, broker, q, nil)
		settled()
		if s := g.Status(); s.Up || !strings.Contains(s.Error, receipts) {
			t.Errorf("status %+v, want down with an error that names %s", s, receipts)
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

// A queue that cannot be read is said to be so, and tried again.
func TestQueueFails(t *testing.T) {
	bubble(t, func(t *testing.T, broker *testenv.Broker) {
		r := newReceiver(t, broker, "cloud", store)
		r.start("1")
		q := newTable(stream)
		q.fill(holdfast.LaneTelemetry, 10)
		q.fail(errors.New("input/output error"))
		g := start(t, broker, q, nil)
		time.Sleep(time.Minute)
		if s := g.Status(); !s.Up || s.QueueError == "" {
			t.Errorf("status %+v", s)
		}
		q.fail(nil)
		time.Sleep(queuePause + time.Second)
		if s := g.Status(); s.QueueError != "" || q.pending(holdfast.LaneTelemetry) != 0 {
			t.Errorf("%d pending, status %+v", q.pending(holdfast.LaneTelemetry), s)
		}
	})
}
