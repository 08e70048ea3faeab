package uplink

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"holdfast"
	"holdfast/mqtt"
)

// A Queue is the durable buffer, as the uplink uses it: from one goroutine, and never two calls at a time. Every method
// returns soon; what it changes is durable with the queue's next commit.
type Queue interface {
	// Next returns the first durable statement of lane that is not done and lies behind after, with at most maxRecords
	// records and maxBytes of their JSON (at least one record); false where there is none.
	Next(lane holdfast.Lane, after holdfast.Position, maxRecords, maxBytes int) (holdfast.Batch, bool, error)
	// Done says that the numbers were answered for. Unknown numbers are ignored.
	Done(stream holdfast.Stream, lane holdfast.Lane, ranges holdfast.Ranges) error
	// Again says that the numbers are wanted again, though they were done.
	Again(stream holdfast.Stream, lane holdfast.Lane, ranges holdfast.Ranges) error
	// AgainAll is Again for every number that the queue ever gave out and still knows of.
	AgainAll() error
	// Reject replaces records by the statement that they were set aside.
	Reject(stream holdfast.Stream, lane holdfast.Lane, r holdfast.Range, cause holdfast.Cause) error
	// Changed is signalled when there may be something new to send. It holds one signal.
	Changed() <-chan struct{}
}

// Options say what to forward, to whom, and how. Queue, Broker, Device, Stream, Mode and Status are needed.
type Options struct {
	Queue  Queue
	Broker mqtt.Options // a template: address, credentials, TLS. Without address and Dial, Run only waits for its end.
	Device string
	Stream holdfast.Stream // of this start; names the client and the last will
	Topics holdfast.Topics
	Groups []string // whose commands this gateway takes, until SetGroups says otherwise
	Mode   holdfast.AckMode

	Pin   holdfast.Stream                      // the only store to obey; zero to be bound by the first receipt
	First holdfast.Stream                      // without Pin: the store to be bound to now, whatever was bound; zero for none
	Store func() Binding                       // the durable binding, zero where there is none; read once
	Bind  func(context.Context, Binding) error // makes a binding durable before it returns

	Status  func() holdfast.Status  // of the gateway; the uplink fills in V, Online, Stream, Ack and Store
	Catalog func() holdfast.Catalog // nil: none is published

	// Command is called for each command, one at a time, from a goroutine of its own and in order of arrival. It may take its
	// time; ctx ends with Run.
	Command func(ctx context.Context, payload []byte, retained bool)

	// Overflow is told of each command that finds too many waiting, at once and by the goroutine of the session: it must not
	// block. May be nil.
	Overflow func(payload []byte)

	// Ask is Command for requests to the shadow: get, update, delete. Nil: there is no shadow.
	Ask func(ctx context.Context, verb string, payload []byte, retained bool)

	// Documents returns what is published, not retained, at birth and whenever [Uplink.Refresh] finds it changed. May be nil.
	Documents func() []Document

	// Link is called when the link goes "up" or "down", once per change, with the reason of a "down". It must not block.
	Link func(state string, err error)

	BatchRecords int // default 100
	BatchBytes   int // of JSON; default [holdfast.MaxBatchBytes]
	Window       int // telemetry batches on their way; default 20

	Now  func() holdfast.Instant // for the times in Status; default the wall clock
	Rand func() float64          // jitter in [0,1); default math/rand
	Log  *slog.Logger
}

// A Document is something that the gateway tells of itself on a topic of its own. An empty payload is not published.
type Document struct {
	Leaf    string
	Payload []byte
}

const (
	eventWindow   = 4 // batches of the lanes alert and event, each
	heartbeat     = 60 * time.Second
	stopTimeout   = 2 * time.Second // for saying good-bye
	bindTimeout   = 30 * time.Second
	steady        = 60 * time.Second // a session that lived so long was no accident
	zstdThreshold = 1 << 10          // bytes of JSON worth compressing
	maxCommands   = 64               // waiting: a burst of what control takes at once
)

// An Uplink forwards one gateway's records. Its methods may be called from any goroutine; Run once.
type Uplink struct {
	o         Options
	outbox    *outbox
	refresh   chan struct{} // this and the next two hold one signal
	hurry     chan struct{}
	ordered   chan struct{}
	commands  chan mqtt.Message
	receivers receivers
	poison    poison
	failing   bool                                            // the queue
	hold      string                                          // the receiver's reason for taking nothing; empty where it takes
	forwarded [len(holdfast.Lanes)]map[holdfast.Stream]uint64 // highest number published so far
	turns     atomic.Uint64                                   // see Turns

	durable   Binding                                               // as it is kept; another one than the session's while a target is unproven
	unproven  bool                                                  // nothing was freed by this target yet, and until then it changes nothing durable
	freedBy   func(holdfast.Stream, holdfast.Lane, holdfast.Ranges) // the target's Freed; may be nil
	round     round                                                 // this and the next only the session uses
	overflown time.Time                                             // when a warning last told of commands that were not taken

	mu     sync.Mutex
	status Status
	orders orders
	next   *Target // to go on with; nil where that has been done
	leave  func()  // ends the session
}

// New returns an uplink that does nothing until [Uplink.Run].
func New(o Options) *Uplink {
	if o.BatchRecords <= 0 {
		o.BatchRecords = 100
	}
	if o.BatchBytes <= 0 {
		o.BatchBytes = holdfast.MaxBatchBytes
	}
	if o.Window <= 0 {
		o.Window = 20
	}
	if o.Now == nil {
		o.Now = func() holdfast.Instant { return holdfast.Instant{Time: holdfast.Micro(time.Now())} }
	}
	if o.Rand == nil {
		o.Rand = rand.Float64
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	u := &Uplink{
		o:        o,
		outbox:   newOutbox(),
		refresh:  make(chan struct{}, 1),
		hurry:    make(chan struct{}, 1),
		ordered:  make(chan struct{}, 1),
		orders:   orders{groups: o.Groups},
		commands: make(chan mqtt.Message, maxCommands),
		status:   Status{Broker: o.Broker.Broker, Mode: o.Mode},
	}
	for i := range u.forwarded {
		u.forwarded[i] = map[holdfast.Stream]uint64{}
	}
	u.receivers.pin = o.Pin
	if o.Store != nil {
		u.receivers.bound = o.Store()
		u.durable = u.receivers.bound
	}
	return u
}

// Run forwards until ctx ends, then says good-bye to the broker for 2 s at most, and returns nil. It never returns because of
// a broker or a network.
func (u *Uplink) Run(ctx context.Context) error {
	var running sync.WaitGroup
	defer running.Wait()
	running.Go(func() { u.obey(ctx) })
	pause := Backoff{Rand: u.o.Rand}
	for ctx.Err() == nil {
		u.turns.Add(1)
		here, leave := u.adopt(ctx)
		u.attempt(here, &pause)
		if here.Err() != nil {
			pause.Reset()
		}
		leave()
	}
	return nil
}

// attempt is one session with the broker of now, and the pause after it. It ends early with here: where the uplink goes on with
// another broker, or ends.
func (u *Uplink) attempt(here context.Context, pause *Backoff) {
	if u.o.Broker.Broker == "" && u.o.Broker.Dial == nil {
		u.report(func(s *Status) { s.Error = "no broker is configured" })
		u.wait(here, heartbeat)
		return
	}
	start := time.Now()
	progress, err := u.session(here)
	if here.Err() != nil {
		u.down(nil)
		return
	}
	u.down(err)
	if progress || time.Since(start) >= steady {
		pause.Reset()
	}
	u.wait(here, pause.After(err))
}

// Turns counts how often the loops of Run have turned: some times in five minutes at least, also without a link. It never
// blocks.
func (u *Uplink) Turns() uint64 { return u.turns.Load() }

// wait waits for d, or until somebody is in a hurry, or ctx ends.
func (u *Uplink) wait(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-u.hurry:
	case <-ctx.Done():
	}
}

// obey carries out commands until ctx ends.
func (u *Uplink) obey(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case m := <-u.commands:
			if verb, ok := u.asks(m.Topic); ok {
				u.o.Ask(ctx, verb, m.Payload, m.Retained)
			} else if u.o.Command != nil {
				u.o.Command(ctx, m.Payload, m.Retained)
			}
		}
	}
}

// asks reports whether the topic is that of a request to the shadow, and of which.
func (u *Uplink) asks(topic string) (verb string, ok bool) {
	verb, ok = strings.CutPrefix(topic, u.o.Topics.Device(u.o.Device, holdfast.ShadowTopic("")))
	return verb, ok && u.o.Ask != nil
}

// Send publishes a message on a topic of this gateway's own, such as response, once and in order, as soon as there is a link. A
// few messages wait for one; of more, the oldest are dropped and counted in Status.
func (u *Uplink) Send(leaf string, payload []byte, retained bool) {
	if u.outbox.put(mqtt.Message{Topic: u.o.Topics.Device(u.o.Device, leaf), Payload: payload, Retained: retained}) {
		u.o.Log.Warn("message dropped, too many are waiting for the link", "topic", leaf)
		u.report(func(s *Status) { s.Dropped++ })
	}
}

// Offer is Send for what may be left out: it is, and counted, where half of the room for waiting messages is taken.
func (u *Uplink) Offer(leaf string, payload []byte) {
	if u.outbox.waiting() >= maxOutbox/2 {
		u.report(func(s *Status) { s.Dropped++ })
		return
	}
	u.Send(leaf, payload, false)
}

// Drained waits until every message of Send has reached the broker, or ctx ends.
func (u *Uplink) Drained(ctx context.Context) error {
	look := time.NewTicker(10 * time.Millisecond)
	defer look.Stop()
	for u.outbox.waiting() > 0 {
		select {
		case <-look.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// Refresh publishes state and catalog anew, because something in them has changed, and documents that have.
func (u *Uplink) Refresh() { signal(u.refresh) }

// bind makes b the binding. Where the store is another one, everything is offered again first: a crash in between finds the
// old binding, and does both once more. For the same reason the binding counts for this process even where it cannot be made
// durable: after the next start everything is offered again, and nothing is lost.
//
// A target that has not proven itself binds this process only, and nothing is offered again for its sake.
func (u *Uplink) bind(ctx context.Context, b Binding) error {
	if u.unproven && u.o.Mode == holdfast.AckReceipt {
		u.bound(b)
		return nil
	}
	if b.Store != u.durable.Store && !b.Store.IsZero() {
		if err := u.o.Queue.AgainAll(); err != nil {
			return fmt.Errorf("bind to store %s: %w", b.Store, err)
		}
	}
	if u.o.Bind != nil {
		ctx, cancel := context.WithTimeout(ctx, bindTimeout)
		defer cancel()
		if err := u.o.Bind(ctx, b); err != nil {
			u.o.Log.Error("binding is not durable", "store", b.Store, "err", err)
		}
	}
	u.o.Log.Info("bound to a store", "store", b.Store, "instance", b.Instance)
	u.durable = b
	u.bound(b)
	return nil
}

func (u *Uplink) bound(b Binding) {
	u.receivers.bound = b
	delete(u.receivers.others, b.Store)
	u.reportReceivers()
}
