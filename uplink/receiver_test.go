package uplink

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"holdfast"
	"holdfast/internal/testenv"
	"holdfast/mqtt"
	"holdfast/wire"
)

// receiver is a receiver in miniature: a ledger that answers every batch with a receipt, over a real connection.
type receiver struct {
	t        *testing.T
	broker   *testenv.Broker
	instance string

	mu       sync.Mutex
	conn     *mqtt.Conn
	presence holdfast.Presence
	ledger   map[holdfast.Lane]map[holdfast.Stream]holdfast.Ranges
	batches  []*holdfast.Batch // everything that arrived
	frames   int               // of them compressed
	mute     bool              // commits nothing and answers nothing
	answer   func(*holdfast.Batch) *holdfast.Receipt
}

func newReceiver(t *testing.T, broker *testenv.Broker, instance string, store holdfast.Stream) *receiver {
	r := &receiver{t: t, broker: broker, instance: instance}
	r.presence = holdfast.Presence{V: 1, Store: store, Start: "1", Accepts: []string{holdfast.AcceptsJSON}}
	r.wipe(store)
	return r
}

// wipe gives the receiver an empty database.
func (r *receiver) wipe(store holdfast.Stream) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.presence.Store = store
	r.ledger = map[holdfast.Lane]map[holdfast.Stream]holdfast.Ranges{}
	for _, lane := range holdfast.Lanes {
		r.ledger[lane] = map[holdfast.Stream]holdfast.Ranges{}
	}
}

// start connects and announces the receiver. Messages are taken in the connection's own goroutine.
func (r *receiver) start(start string) {
	r.t.Helper()
	topics := holdfast.Topics{}
	conn, err := mqtt.Connect(r.t.Context(), mqtt.Options{
		Dial: r.broker.Dial, ClientID: r.instance, CleanSession: true, Handler: r.take,
	})
	if err != nil {
		r.t.Fatal(err)
	}
	r.mu.Lock()
	r.conn, r.presence.Start, r.presence.Online = conn, start, true
	r.mu.Unlock()
	r.t.Cleanup(func() { conn.Close(context.Background()) })
	for _, lane := range holdfast.Lanes {
		if err := conn.Subscribe(r.t.Context(), topics.Devices(string(lane))); err != nil {
			r.t.Fatal(err)
		}
	}
	r.announce()
	settled() // the broker has it, for whoever comes next: to a gateway that hears of it as news, the receiver is a fresh one
}

func (r *receiver) announce() {
	r.mu.Lock()
	defer r.mu.Unlock()
	payload, err := wire.Encode(&r.presence)
	if err != nil {
		r.t.Error(err)
	}
	r.conn.Send(mqtt.Message{Topic: holdfast.Topics{}.Receiver(r.instance), Payload: payload, Retained: true})
}

// stop announces that the receiver leaves, and leaves.
func (r *receiver) stop() {
	r.mu.Lock()
	r.presence.Online = false
	conn := r.conn
	r.mu.Unlock()
	r.announce()
	time.Sleep(time.Second)
	conn.Close(r.t.Context())
}

func (r *receiver) take(m mqtt.Message) {
	b, err := wire.DecodeBatch(m.Payload)
	if err != nil {
		r.t.Errorf("a batch that is none: %v", err)
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.batches = append(r.batches, b)
	if m.Payload[0] != '{' {
		r.frames++
	}
	if r.mute {
		return
	}
	receipt := &holdfast.Receipt{V: 1, Store: r.presence.Store, Stream: b.Stream, Lane: b.Lane, Ranges: holdfast.Ranges{b.Range()}}
	if r.answer != nil {
		receipt = r.answer(b)
	}
	if receipt == nil {
		return
	}
	if len(receipt.Ranges) > 0 {
		held := r.ledger[b.Lane][b.Stream]
		held.Add(b.Range())
		r.ledger[b.Lane][b.Stream] = held
	}
	r.send(receipt)
}

// send publishes a receipt. Called with the lock held.
func (r *receiver) send(receipt *holdfast.Receipt) {
	payload, err := wire.EncodeReceipt(receipt)
	if err != nil {
		r.t.Error(err)
	}
	r.conn.Send(mqtt.Message{Topic: holdfast.Topics{}.Device(device, holdfast.TopicReceipt), Payload: payload})
}

func (r *receiver) say(receipt *holdfast.Receipt) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.send(receipt)
}

func (r *receiver) silence(mute bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.mute = mute
}

func (r *receiver) answers(f func(*holdfast.Batch) *holdfast.Receipt) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answer = f
}

// holds counts the numbers of a lane in the ledger.
func (r *receiver) holds(lane holdfast.Lane) (n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, ranges := range r.ledger[lane] {
		n += int(ranges.Count())
	}
	return n
}

// arrived returns the batches that came so far.
func (r *receiver) arrived() []*holdfast.Batch {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.batches)
}
