package uplink

import (
	"context"
	"errors"
	"fmt"
	"time"

	"holdfast"
	"holdfast/mqtt"
)

const (
	maxInbox       = 64  // messages between the connection and the loop
	maxUnacked     = 128 // publications that the broker owes a PUBACK, before forwarding waits
	queuePause     = 10 * time.Second
	defaultRetry   = 60 * time.Second // of a hold that names none
	longestAbsence = time.Hour        // without anything to wait for, the loop looks round all the same
)

// A session is one connection's life. All of it but the connection's handler runs in one goroutine.
type session struct {
	u        *Uplink
	conn     *mqtt.Conn
	inbox    chan mqtt.Message
	lanes    [len(holdfast.Lanes)]window
	unacked  []publication // in order; the broker acknowledges in order
	turn     uint64        // publications so far
	silence  silence
	held     time.Time                     // nothing is sent before; zero where nobody holds
	broken   time.Time                     // the queue is not read before; zero where it can be
	aside    map[holdfast.Stream]time.Time // streams of which the receiver takes nothing, and until when
	greeting *mqtt.Sent
	letter   *mqtt.Sent // the outbox's first, on its way; nil where none is
	number   uint64     // of that letter
	progress bool       // something was freed
	orders   orders
	told     map[string][]byte // documents as they were last published, by leaf
}

// A publication is a batch that the broker has not acknowledged yet.
type publication struct {
	sent   *mqtt.Sent
	lane   int
	flight *flight
	batch  holdfast.Batch // without its records
}

// session connects, forwards until the link is gone or ctx ends, and reports whether it freed anything.
func (u *Uplink) session(ctx context.Context) (progress bool, err error) {
	u.receivers.newSession()
	u.report(func(st *Status) { st.Aside = 0 })
	if err := u.settleBinding(ctx); err != nil {
		return false, err
	}
	s := &session{u: u, inbox: make(chan mqtt.Message, maxInbox), aside: make(map[holdfast.Stream]time.Time), told: make(map[string][]byte)}
	for i := range s.lanes {
		s.lanes[i].limit = eventWindow
		if holdfast.Lanes[i] == holdfast.LaneTelemetry {
			s.lanes[i].limit = u.o.Window
		}
	}
	live, end := context.WithCancel(ctx)
	defer end() // frees the handler, which Close waits for
	if s.conn, err = mqtt.Connect(ctx, s.broker(live)); err != nil {
		return false, err
	}
	defer s.conn.Close(ctx)
	denied, err := s.subscribe(ctx)
	if err != nil {
		return false, err
	}
	s.greet()
	u.up(denied)
	err = s.forward(ctx)
	end()
	if err == nil {
		s.leave(ctx)
		return s.progress, nil
	}
	s.autopsy()
	return s.progress, err
}

// settleBinding brings the binding in line with mode and pin.
func (u *Uplink) settleBinding(ctx context.Context) error {
	bound := u.receivers.bound.Store
	switch {
	case !u.unproven && u.o.Mode == holdfast.AckReceipt && bound != u.durable.Store:
		return u.bind(ctx, u.receivers.bound) // back from a target that was bound to another store
	case u.o.Mode != holdfast.AckReceipt && !bound.IsZero():
		return u.bind(ctx, Binding{}) // a store that is bound later lacks what the broker takes now
	case u.o.Mode == holdfast.AckReceipt && !u.o.Pin.IsZero() && bound != u.o.Pin:
		return u.bind(ctx, Binding{Store: u.o.Pin})
	case u.o.Mode == holdfast.AckReceipt && u.o.Pin.IsZero() && !u.o.First.IsZero():
		return u.bindFirst(ctx)
	}
	return nil
}

// bindFirst binds to the store that this gateway was provisioned for, once. What becomes of that database later, its receiver
// tells.
func (u *Uplink) bindFirst(ctx context.Context) error {
	b := u.receivers.bound
	if b.Store != u.o.First {
		b = Binding{Store: u.o.First}
	}
	if err := u.bind(ctx, b); err != nil {
		return err
	}
	u.o.First = holdfast.Stream{}
	return nil
}

// broker returns the options of this session's connection. Its handler gives up when live ends.
func (s *session) broker(live context.Context) mqtt.Options {
	o := s.u.o.Broker
	o.ClientID = fmt.Sprintf("%s-%.8s", s.u.o.Device, s.u.o.Stream)
	o.CleanSession = true
	o.ManualAck = false
	o.Log = s.u.o.Log
	will := s.u.will()
	o.Will = &will
	o.Handler = func(m mqtt.Message) {
		select {
		case s.inbox <- m:
		case <-live.Done():
		}
	}
	return o
}

// subscribe subscribes to what this gateway reads. Without receipts and presences there is no session; a command topic that
// the broker denies is reported, and holds back no data.
func (s *session) subscribe(ctx context.Context) (denied []string, err error) {
	o := &s.u.o
	if o.Mode == holdfast.AckReceipt {
		receipts, presences := o.Topics.Device(o.Device, holdfast.TopicReceipt), o.Topics.Receiver("+")
		if err := s.conn.Subscribe(ctx, receipts, presences); err != nil {
			return nil, err
		}
	}
	s.orders = s.u.ordersNow()
	return s.listen(ctx, s.u.commandTopics(s.orders.groups)...)
}

// listen subscribes to topics of commands, and returns those that the broker denies.
func (s *session) listen(ctx context.Context, topics ...string) (denied []string, err error) {
	for _, filter := range topics {
		err := s.conn.Subscribe(ctx, filter)
		switch {
		case errors.Is(err, mqtt.ErrRefused):
			s.u.o.Log.Warn("commands refused by the broker", "topic", filter)
			denied = append(denied, filter)
		case err != nil:
			return nil, err
		}
	}
	return denied, nil
}

func (u *Uplink) commandTopics(groups []string) []string {
	o := &u.o
	topics := []string{o.Topics.Device(o.Device, holdfast.TopicCommand), o.Topics.Broadcast()}
	for _, group := range groups {
		topics = append(topics, o.Topics.Group(group))
	}
	if o.Ask != nil {
		for _, verb := range []string{holdfast.ShadowGet, holdfast.ShadowUpdate, holdfast.ShadowDelete} {
			topics = append(topics, o.Topics.Device(o.Device, holdfast.ShadowTopic(verb)))
		}
	}
	return topics
}

// forward is the loop. It returns nil when ctx ends, and the reason when the link is lost.
func (s *session) forward(ctx context.Context) error {
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	alarm := time.NewTimer(longestAbsence)
	defer alarm.Stop()
	for {
		s.u.turns.Add(1)
		now := time.Now()
		s.expire(now)
		s.resend(now)
		s.fill()
		s.post()
		s.count()
		alarm.Reset(s.next(time.Now()))
		select {
		case <-ctx.Done():
			return nil
		case <-s.conn.Lost():
			return s.conn.Err()
		case m := <-s.inbox:
			s.take(ctx, m)
		case <-s.acknowledged():
			if err := s.settle(); err != nil {
				return err
			}
		case <-s.posted():
			if err := s.posting(); err != nil {
				return err
			}
		case <-s.u.o.Queue.Changed():
		case <-s.u.outbox.wake:
		case <-s.u.refresh:
			s.greet()
		case <-s.u.hurry:
			s.hurried()
		case <-s.u.ordered:
			if err := s.heed(ctx); err != nil {
				return err
			}
		case <-beat.C:
			s.publishState()
		case <-alarm.C:
		}
	}
}

// expire ends holds and pauses whose time has come.
func (s *session) expire(now time.Time) {
	if !s.broken.IsZero() && !s.broken.After(now) {
		s.broken = time.Time{}
	}
	if !s.held.IsZero() && !s.held.After(now) {
		s.held = time.Time{}
		s.restart()
	}
	s.retryAside(now)
}

// next returns how long there is nothing to do, if nothing happens.
func (s *session) next(now time.Time) time.Duration {
	first := now.Add(longestAbsence)
	for _, t := range []time.Time{s.held, s.broken, s.resendAt(now), s.asideUntil(), s.u.round.due} {
		if !t.IsZero() && t.Before(first) {
			first = t
		}
	}
	return max(first.Sub(now), 0)
}

// autopsy finds what was first in line when the link died. A link that did not carry the birth either is no evidence.
func (s *session) autopsy() {
	if s.greeting == nil || s.greeting.Err() != nil || s.u.unproven { // that one may carry nothing at all
		return
	}
	s.settle()
	if len(s.unacked) == 0 {
		return
	}
	p := &s.u.poison
	p.died(&s.unacked[0].batch)
	if p.stage == guilty {
		s.reject(s.unacked[0].lane, p.stream, p.record(), holdfast.CauseTooLarge, errPoison)
		p.stage, p.deaths = suspected, 0
	}
}
