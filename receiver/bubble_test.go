package receiver

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"holdfast"
	"holdfast/internal/testenv"
	"holdfast/mqtt"
	"holdfast/receiver/store"
	"holdfast/wire"
)

const device = "pi-7"

var (
	streamA = holdfast.Stream{0xaa}
	streamB = holdfast.Stream{0xbb}
)

// rig is a receiver on a real database, a broker in memory, and a gateway's connection, in a bubble.
type rig struct {
	t        *testing.T
	dir      string // of the database
	broker   *testenv.Broker
	store    *store.Store
	receiver *Receiver
	stop     func() // ends the receiver and waits for it
	gateway  *mqtt.Conn
	receipts chan *holdfast.Receipt
}

// bubble runs a test in a synctest bubble, with everything started.
func bubble(t *testing.T, test func(*testing.T, *rig)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r := &rig{t: t, dir: t.TempDir(), broker: testenv.MemoryBroker(t), receipts: make(chan *holdfast.Receipt, 100)}
		s, err := store.Open(t.Context(), store.Options{Path: filepath.Join(r.dir, "receiver.db")})
		if err != nil {
			t.Fatal(err)
		}
		r.store = s
		t.Cleanup(func() {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
		r.run()
		r.connect()
		test(t, r)
	})
}

// run starts a receiver.
func (r *rig) run() {
	r.t.Helper()
	rec, err := New(Options{
		Store: r.store, Link: mqtt.Options{Dial: r.broker.Dial}, Instance: "one", Version: "1.2.0",
		Log: slog.New(slog.NewTextHandler(r.t.Output(), nil)),
	})
	if err != nil {
		r.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- rec.Run(ctx) }()
	r.receiver = rec
	r.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			r.t.Errorf("run: %v", err)
		}
	})
	r.t.Cleanup(r.stop)
	time.Sleep(2 * time.Second) // the broker in memory refuses to subscribe while it waits for an acknowledgement; once
	synctest.Wait()
	if err := rec.Connected(); err != nil {
		r.t.Fatalf("not connected: %v", err)
	}
}

// connect connects a gateway that collects its receipts.
func (r *rig) connect() {
	r.t.Helper()
	conn, err := mqtt.Connect(r.t.Context(), mqtt.Options{Dial: r.broker.Dial, ClientID: device, CleanSession: true, Handler: func(m mqtt.Message) {
		receipt, err := wire.DecodeReceipt(m.Payload)
		if err != nil {
			r.t.Errorf("receipt %s: %v", m.Payload, err)
			return
		}
		r.receipts <- receipt
	}})
	if err != nil {
		r.t.Fatal(err)
	}
	if err := conn.Subscribe(r.t.Context(), holdfast.Topics{}.Device(device, holdfast.TopicReceipt)); err != nil {
		r.t.Fatal(err)
	}
	r.gateway = conn
	r.t.Cleanup(func() { conn.Close(context.Background()) })
}

// publish sends a payload as a gateway does and waits until nothing moves any more.
func (r *rig) publish(topic string, payload []byte) {
	r.t.Helper()
	if err := r.gateway.Publish(r.t.Context(), mqtt.Message{Topic: topic, Payload: payload}); err != nil {
		r.t.Fatal(err)
	}
	synctest.Wait()
}

// send sends a batch and returns the receipts that came for it.
func (r *rig) send(b *holdfast.Batch) []*holdfast.Receipt {
	r.t.Helper()
	b.V = holdfast.Version
	if b.Device == "" {
		b.Device = device
	}
	b.Head = max(b.Head, b.Last)
	payload, err := wire.EncodeBatch(b, b.First%2 == 0)
	if err != nil {
		r.t.Fatal(err)
	}
	r.publish(holdfast.Topics{}.Batch(b.Device, b.Lane), payload)
	return r.received()
}

func (r *rig) received() []*holdfast.Receipt {
	var all []*holdfast.Receipt
	for len(r.receipts) > 0 {
		all = append(all, <-r.receipts)
	}
	return all
}

// sendReadings sends first..last of a stream's telemetry, and expects the receipt for it.
func (r *rig) sendReadings(stream holdfast.Stream, first, last uint64) {
	r.t.Helper()
	got := r.send(readings(stream, first, last))
	if len(got) != 1 || !slices.Equal(got[0].Ranges, holdfast.Ranges{{First: first, Last: last}}) || got[0].Stream != stream {
		r.t.Errorf("readings %d to %d: receipts %s", first, last, text(got))
	}
}

// readings returns a batch of one reading a second: number n has the value n.
func readings(stream holdfast.Stream, first, last uint64) *holdfast.Batch {
	b := &holdfast.Batch{Stream: stream, Lane: holdfast.LaneTelemetry, First: first, Last: last, What: holdfast.Data}
	for n := first; n <= last; n++ {
		b.Records = append(b.Records, encode(&holdfast.Reading{
			Time: moment(n), Sensor: "bme280-1-76", Values: map[string]float64{"temperature_celsius": float64(n)},
		}))
	}
	return b
}

func moment(n uint64) time.Time {
	return time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC).Add(time.Duration(n) * time.Second)
}

func encode(record any) json.RawMessage {
	text, err := json.Marshal(record)
	if err != nil {
		panic(err)
	}
	return text
}

// event returns a batch of the event lane with one event.
func event(stream holdfast.Stream, seq uint64, name string, at time.Time, data any) *holdfast.Batch {
	record := encode(holdfast.NewEvent(holdfast.Instant{Time: at, Synchronized: true}, name, data))
	return &holdfast.Batch{Stream: stream, Lane: holdfast.LaneEvent, First: seq, Last: seq, What: holdfast.Data, Records: []json.RawMessage{record}}
}

func boot(stream, previous holdfast.Stream, clean bool, durable uint64) *holdfast.Batch {
	return event(stream, 1, holdfast.EventBoot, moment(0), holdfast.Boot{Boot: "boot-1", Version: "1.2.0",
		Previous: &holdfast.Previous{Stream: previous, Clean: clean, Lanes: map[holdfast.Lane]uint64{holdfast.LaneTelemetry: durable}}})
}

// telemetry returns the completeness of a stream's telemetry.
func (r *rig) telemetry(stream holdfast.Stream) LaneCompleteness {
	r.t.Helper()
	c, err := Complete(r.t.Context(), r.store, device)
	if err != nil {
		r.t.Fatal(err)
	}
	for _, s := range c.Streams {
		for _, lane := range s.Lanes {
			if s.Stream == stream.String() && lane.Lane == holdfast.LaneTelemetry {
				return lane
			}
		}
	}
	return LaneCompleteness{}
}

// samples returns the stored values, in order of time.
func (r *rig) samples() []store.Sample {
	r.t.Helper()
	series, err := r.store.Series(r.t.Context(), store.Query{Device: device}, 10)
	if err != nil {
		r.t.Fatal(err)
	}
	var all []store.Sample
	for _, s := range series {
		some, err := r.store.Samples(r.t.Context(), s.ID, time.Unix(0, 0), moment(1e6), store.Place{}, 10000)
		if err != nil {
			r.t.Fatal(err)
		}
		all = append(all, some...)
	}
	return all
}

// expectValues expects exactly the values 1..n, each once.
func (r *rig) expectValues(n int) {
	r.t.Helper()
	var got []int
	for _, s := range r.samples() {
		got = append(got, int(s.Value))
	}
	var want []int
	for i := range n {
		want = append(want, i+1)
	}
	if !slices.Equal(got, want) {
		r.t.Errorf("stored values %v, want 1 to %d", got, n)
	}
}

func (r *rig) letters() []store.Letter {
	r.t.Helper()
	all, err := r.store.Letters(r.t.Context(), "", 100)
	if err != nil {
		r.t.Fatal(err)
	}
	return all
}

func golden(t *testing.T, name string) []byte {
	t.Helper()
	payload, err := os.ReadFile(filepath.Join("..", "testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return payload
}

func text(v any) string {
	out, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(out)
}
