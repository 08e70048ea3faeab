package uplink

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"time"

	"holdfast"
	"holdfast/mqtt"
	"holdfast/wire"
)

// take deals with one message: a receipt, a receiver's presence, or a command.
func (s *session) take(ctx context.Context, m mqtt.Message) {
	o := &s.u.o
	instance, presence := o.Topics.Instance(m.Topic)
	switch {
	case m.Topic == o.Topics.Device(o.Device, holdfast.TopicReceipt):
		s.receipt(ctx, m)
	case presence:
		s.presence(ctx, instance, m)
	case strings.HasSuffix(m.Topic, "/"+holdfast.TopicCommand):
		s.command(m)
	default:
		if _, ok := s.u.asks(m.Topic); ok {
			s.command(m)
		}
	}
}

// command passes a command on; obey carries it out.
func (s *session) command(m mqtt.Message) {
	if len(m.Payload) > holdfast.MaxCommandBytes { // it is refused for that, and must not fill the memory until then
		m.Payload = bytes.Clone(m.Payload[:holdfast.MaxCommandBytes+1])
	}
	select {
	case s.u.commands <- m:
	default:
		s.overflow(m)
	}
}

// overflow deals with a command that finds too many waiting. It is logged when that begins.
func (s *session) overflow(m mqtt.Message) {
	s.u.report(func(st *Status) { st.Overflown++ })
	if now := time.Now(); now.Sub(s.u.overflown) > time.Minute {
		s.u.overflown = now
		s.u.o.Log.Warn("command not taken, too many are waiting", "topic", m.Topic)
	}
	if _, ask := s.u.asks(m.Topic); !ask && s.u.o.Overflow != nil {
		s.u.o.Overflow(m.Payload)
	}
}

// presence takes what a receiver says of itself.
func (s *session) presence(ctx context.Context, instance string, m mqtt.Message) {
	if s.u.o.Mode != holdfast.AckReceipt {
		return
	}
	defer s.u.reportReceivers()
	if len(m.Payload) == 0 {
		s.u.receivers.gone(instance)
		return
	}
	p, err := wire.DecodePresence(m.Payload)
	if err != nil {
		s.u.o.Log.Warn("presence not understood", "instance", instance, "err", err)
		return
	}
	step := s.u.receivers.announced(instance, *p, !m.Retained)
	if step.foreign {
		s.foreign(p.Store)
	}
	if step.bind && !s.bind(ctx, Binding{p.Store, instance}) {
		return
	}
	if step.restart {
		s.held = time.Time{} // it may answer otherwise
		s.restart()
	}
}

// bind binds and tells the world. It reports whether the store may be obeyed now.
func (s *session) bind(ctx context.Context, b Binding) bool {
	if err := s.u.bind(ctx, b); err != nil {
		s.queueFailed(err)
		return false
	}
	s.publishState()
	return true
}

// foreign notes a store that is not obeyed.
func (s *session) foreign(store holdfast.Stream) {
	if s.u.receivers.other(store) {
		s.u.o.Log.Warn("another store speaks and is not obeyed", "store", store)
		s.u.reportReceivers()
	}
}

// receipt takes the word of a receiver. Only the bound store's counts.
func (s *session) receipt(ctx context.Context, m mqtt.Message) {
	if s.u.o.Mode != holdfast.AckReceipt || m.Retained {
		return // a retained receipt is nobody's answer to this session
	}
	r, err := wire.DecodeReceipt(m.Payload)
	if err != nil {
		s.u.o.Log.Warn("receipt not understood", "err", err)
		return
	}
	if !s.u.receivers.obeys(r.Store) {
		b, ok := s.u.receivers.binder(r.Store)
		if !ok {
			s.foreign(r.Store)
			return
		}
		if r.Hold {
			s.keepBack(r) // which takes no trust: it deletes nothing
			return
		}
		if !s.bind(ctx, b) {
			return
		}
		s.rewind()
	}
	switch {
	case r.Hold:
		s.keepBack(r)
	case s.u.unproven && len(r.Ranges)+len(r.Rejected) == 0:
		// what it lacks is offered anew as soon as it holds something
	case !s.proven(ctx):
	default:
		s.stored(r)
		s.wanted(r)
	}
}

// keepBack obeys the order to keep everything, or one stream.
func (s *session) keepBack(r *holdfast.Receipt) {
	if r.Stream.IsZero() {
		s.hold(r)
		return
	}
	s.setAside(r)
}

// hold stops sending for as long as the receiver says. Everything is kept.
func (s *session) hold(r *holdfast.Receipt) {
	retry := retryAfter(r)
	s.held = time.Now().Add(retry)
	reason := strings.ToValidUTF8(r.Reason[:min(len(r.Reason), 200)], "")
	if reason == "" {
		reason = "no reason given"
	}
	if s.u.hold != reason {
		s.u.hold = reason
		s.u.report(func(st *Status) { st.Hold = reason })
		s.u.o.Log.Warn("receiver takes nothing", "reason", reason, "retry", retry)
	}
}

// retryAfter is how long a hold is to last.
func retryAfter(r *holdfast.Receipt) time.Duration {
	if r.RetryS <= 0 {
		return defaultRetry
	}
	return time.Duration(r.RetryS) * time.Second
}

// release ends a hold.
func (s *session) release() {
	s.held, s.u.hold = time.Time{}, ""
	s.u.report(func(st *Status) { st.Hold = "" })
}

// stored frees what the database holds.
func (s *session) stored(r *holdfast.Receipt) {
	ranges := slices.Clone(r.Ranges)
	for _, rejected := range r.Rejected {
		one := holdfast.Range{First: rejected.Seq, Last: rejected.Seq}
		if one.Validate() == nil && !ranges.Contains(rejected.Seq) {
			ranges.Add(one)
		}
	}
	if len(ranges) == 0 {
		return
	}
	if err := s.u.o.Queue.Done(r.Stream, r.Lane, ranges); err != nil {
		s.queueFailed(err)
		return
	}
	if n := len(r.Rejected); n > 0 {
		first := r.Rejected[0]
		s.u.report(func(st *Status) { st.Rejected += uint64(n) })
		s.u.o.Log.Warn("records set aside by the receiver", "lane", r.Lane, "records", n, "seq", first.Seq, "code", first.Code)
	}
	s.freed(slices.Index(holdfast.Lanes[:], r.Lane), r.Stream, ranges)
	s.takeUp(r.Stream)
	if again := s.silence.heard(time.Now()); again || s.u.hold != "" {
		s.release()
		s.restart() // what was on its way while nobody listened is lost, more likely than not
	}
}

// wanted offers again what the database lacks.
func (s *session) wanted(r *holdfast.Receipt) {
	if len(r.Want) == 0 {
		return
	}
	if err := s.u.o.Queue.Again(r.Stream, r.Lane, r.Want); err != nil {
		s.queueFailed(err)
		return
	}
	s.u.o.Log.Info("receiver wants records again", "stream", r.Stream, "lane", r.Lane, "records", r.Want.Count())
	s.lanes[slices.Index(holdfast.Lanes[:], r.Lane)].rewind()
}

// resend publishes again what waits too long: without any receipt, the first batch as a probe; otherwise what was overtaken.
func (s *session) resend(now time.Time) {
	if s.u.o.Mode != holdfast.AckReceipt || !s.sending() {
		return
	}
	if oldest, ok := s.oldest(); ok && !s.silence.due(oldest).After(now) {
		s.silence.probed(now)
		s.probe()
		return
	}
	for i := range s.lanes {
		late, _ := s.lanes[i].late(now)
		for _, f := range late {
			f.impatient()
			s.relaunch(i, f)
		}
	}
}

// resendAt returns when resend will have something to do; zero for never.
func (s *session) resendAt(now time.Time) (at time.Time) {
	oldest, ok := s.oldest()
	if s.u.o.Mode != holdfast.AckReceipt || !s.sending() || !ok {
		return at
	}
	at = s.silence.due(oldest)
	for i := range s.lanes {
		if _, next := s.lanes[i].late(now); !next.IsZero() && next.Before(at) {
			at = next
		}
	}
	return at
}

// oldest returns since when the longest wait for a receipt goes on.
func (s *session) oldest() (at time.Time, ok bool) {
	for i := range s.lanes {
		if t, flying := s.lanes[i].oldest(); flying && (!ok || t.Before(at)) {
			at, ok = t, true
		}
	}
	return at, ok
}

// probe publishes one batch again, of the most urgent lane that has one on its way.
func (s *session) probe() {
	for i := range s.lanes {
		for len(s.lanes[i].flights) > 0 && s.sending() {
			if s.relaunch(i, s.lanes[i].flights[0]) {
				return
			}
		}
	}
}

// relaunch publishes a flight again, as the queue has it now. One of which nothing is owed any more leaves the window.
func (s *session) relaunch(lane int, f *flight) bool {
	b, ok := s.read(lane, holdfast.Position{Stream: f.stream, Seq: f.span.First - 1})
	if !s.sending() {
		return false
	}
	if !ok || b.Stream != f.stream || b.First > f.span.Last {
		s.lanes[lane].remove(f)
		return false
	}
	return s.publish(lane, &b, f)
}
