package testenv

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"math"
	"net"
	"slices"
	"sync"
	"testing"

	"github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"
)

// ErrBlocked is what dialling a blocked broker returns.
var ErrBlocked = errors.New("the broker is blocked")

var errPoison = errors.New("a poisonous message")

// A Broker is an MQTT broker in memory, reached through net.Pipe, for tests in a synctest bubble. Its methods may be called
// from any goroutine.
type Broker struct {
	server *mqtt.Server
	gone   sync.WaitGroup // one for each connection

	mu      sync.Mutex
	conns   map[net.Conn]bool // the broker's ends
	blocked bool
	deny    func(client, topic string, write bool) bool
	swallow func(client, topic string) bool
	poison  func(client string, payload []byte) bool
}

// MemoryBroker runs a broker until the test ends. Inside a bubble it must be made there.
func MemoryBroker(t testing.TB) *Broker {
	t.Helper()
	capabilities := mqtt.NewDefaultServerCapabilities()
	capabilities.MaximumMessageExpiryInterval = math.MaxInt32 // retained messages stay through any simulated outage
	b := &Broker{conns: map[net.Conn]bool{}}
	b.server = mqtt.New(&mqtt.Options{
		Capabilities:           capabilities,
		InlineClient:           true,
		Logger:                 slog.New(slog.DiscardHandler),
		SysTopicResendInterval: 24 * 60 * 60, // nobody reads them, and simulated days have many seconds
	})
	if err := b.server.AddHook(&rules{broker: b}, nil); err != nil {
		t.Fatal(err)
	}
	if err := b.server.Serve(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.close)
	return b
}

func (b *Broker) close() {
	b.Block()
	b.gone.Wait()
	b.server.Close()
}

// Dial connects to the broker. It has the shape that clients take for opening a connection.
func (b *Broker) Dial(ctx context.Context) (net.Conn, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.blocked {
		return nil, ErrBlocked
	}
	theirs, pipe := net.Pipe()
	ours := newCushion(pipe)
	gone := make(chan struct{})
	b.conns[ours] = true
	b.gone.Go(ours.pump)
	b.gone.Go(func() {
		defer close(gone)
		b.server.EstablishConnection("memory", ours)
		ours.Close()
		b.mu.Lock()
		delete(b.conns, ours)
		b.mu.Unlock()
	})
	return end{theirs, gone}, nil
}

// An end is a client's end of a connection. Close returns when the broker has put its own end away. This mends a fault of
// mochi: a client that comes back at once is forgotten together with its last connection.
type end struct {
	net.Conn
	gone <-chan struct{}
}

func (e end) Close() error {
	err := e.Conn.Close()
	<-e.gone
	return err
}

// Kick cuts every connection, as a broker does that dies and is back at once.
func (b *Broker) Kick() {
	b.mu.Lock()
	conns := slices.Collect(maps.Keys(b.conns))
	b.mu.Unlock()
	for _, conn := range conns {
		conn.Close()
	}
}

// Block cuts every connection and refuses new ones, until Unblock.
func (b *Broker) Block() {
	b.mu.Lock()
	b.blocked = true
	b.mu.Unlock()
	b.Kick()
}

// Unblock lets clients connect again.
func (b *Broker) Unblock() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.blocked = false
}

// Deny makes the broker refuse what f says: a subscription to topic (with 0x80), or, where write is set, a publication to it
// (by closing the connection, as MQTT 3.1.1 wants).
func (b *Broker) Deny(f func(client, topic string, write bool) bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.deny = f
}

// Swallow makes the broker take messages that f points at without acknowledging or forwarding them.
func (b *Broker) Swallow(f func(client, topic string) bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.swallow = f
}

// Poison makes messages that f points at end the connection that they come on.
func (b *Broker) Poison(f func(client string, payload []byte) bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.poison = f
}

// Publish sends a message as the broker itself.
func (b *Broker) Publish(topic string, payload []byte, retained bool) error {
	return b.server.Publish(topic, payload, retained, 1)
}

// Retained returns the payload that the broker keeps for topic, nil where it has none.
func (b *Broker) Retained(topic string) []byte {
	for _, m := range b.server.Topics.Messages(topic) {
		return m.Payload
	}
	return nil
}

// rules is the broker's hook into mochi: who may do what.
type rules struct {
	mqtt.HookBase
	broker *Broker
}

func (*rules) ID() string { return "rules" }

func (*rules) Provides(b byte) bool {
	return b == mqtt.OnConnectAuthenticate || b == mqtt.OnACLCheck || b == mqtt.OnSubscribe || b == mqtt.OnPublish
}

func (*rules) OnConnectAuthenticate(*mqtt.Client, packets.Packet) bool { return true }

func (r *rules) OnACLCheck(client *mqtt.Client, topic string, write bool) bool {
	r.broker.mu.Lock()
	deny := r.broker.deny
	r.broker.mu.Unlock()
	return deny == nil || !deny(client.ID, topic, write)
}

// OnSubscribe mends a fault of mochi: it keeps one table for the packet ids of both directions, and refuses a subscription
// whose id is that of a message on its way to the client.
func (*rules) OnSubscribe(client *mqtt.Client, pk packets.Packet) packets.Packet {
	client.State.Inflight.Delete(pk.PacketID)
	return pk
}

func (r *rules) OnPublish(client *mqtt.Client, pk packets.Packet) (packets.Packet, error) {
	r.broker.mu.Lock()
	swallow, poison := r.broker.swallow, r.broker.poison
	r.broker.mu.Unlock()
	if poison != nil && poison(client.ID, pk.Payload) {
		client.Stop(errPoison)
		return pk, packets.ErrRejectPacket
	}
	if swallow != nil && swallow(client.ID, pk.TopicName) {
		return pk, packets.ErrRejectPacket
	}
	return pk, nil
}
