package uplink

import (
	"bytes"
	"context"

	"holdfast"
	"holdfast/mqtt"
	"holdfast/wire"
)

// greet publishes state, catalog and documents: the birth, and whenever something in them has changed.
func (s *session) greet() {
	s.publishState()
	if s.u.o.Catalog != nil {
		catalog := s.u.o.Catalog()
		catalog.V = holdfast.Version
		s.keep(holdfast.TopicCatalog, &catalog)
	}
	if s.u.o.Documents == nil {
		return
	}
	for _, d := range s.u.o.Documents() {
		if bytes.Equal(s.told[d.Leaf], d.Payload) {
			continue
		}
		s.told[d.Leaf] = d.Payload
		if len(d.Payload) > 0 {
			s.conn.Send(mqtt.Message{Topic: s.u.o.Topics.Device(s.u.o.Device, d.Leaf), Payload: d.Payload})
		}
	}
}

// publishState publishes the gateway's state. The first one is the birth.
func (s *session) publishState() {
	state := s.u.o.Status()
	state.V, state.Online, state.Stream, state.Ack = holdfast.Version, true, s.u.o.Stream, s.u.o.Mode
	state.Store = s.u.receivers.bound.Store
	if sent := s.keep(holdfast.TopicState, &state); s.greeting == nil {
		s.greeting = sent
	}
}

// keep publishes v, retained. What cannot be encoded is logged and left out: an empty payload would delete what is there.
func (s *session) keep(leaf string, v any) *mqtt.Sent {
	m := s.u.retained(leaf, v)
	if len(m.Payload) == 0 {
		return nil
	}
	return s.conn.Send(m)
}

// will is what is true when the gateway is gone.
func (u *Uplink) will() mqtt.Message {
	return u.retained(holdfast.TopicState, &holdfast.Status{V: holdfast.Version, Stream: u.o.Stream})
}

// retained returns the message that keeps v on a topic of this gateway.
func (u *Uplink) retained(leaf string, v any) mqtt.Message {
	payload, err := wire.Encode(v)
	if err != nil {
		u.o.Log.Error("message not published", "topic", leaf, "err", err)
	}
	return mqtt.Message{Topic: u.o.Topics.Device(u.o.Device, leaf), Payload: payload, Retained: true}
}

// leave says good-bye: the state is offline, by word instead of by last will.
func (s *session) leave(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
	defer cancel()
	if err := s.conn.Publish(ctx, s.u.will()); err != nil {
		s.u.o.Log.Debug("left without a word", "err", err)
	}
	s.settle() // an error here is the link's, which nobody needs any more
	s.conn.Close(ctx)
}
