package uplink

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"holdfast"
	"holdfast/internal/testenv"
	"holdfast/mqtt"
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
