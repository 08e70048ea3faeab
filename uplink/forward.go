package uplink

import (
	"errors"
	"time"

	"holdfast"
	"holdfast/mqtt"
	"holdfast/wire"
)

// fill publishes what the windows have room for, the most urgent lane first.
func (s *session) fill() {
	for i := range s.lanes {
		w := &s.lanes[i]
		for s.open(i, time.Now()) && s.may(w) {
			b, ok := s.read(i, w.cursor)
			if !ok {
				s.sentAll(i, time.Now())
				break
			}
			if s.passes(w, b.Stream, time.Now()) {
				w.cursor = holdfast.Position{Stream: b.Stream, Seq: holdfast.MaxInteger}
				continue
			}
			known := w.covers(b.Stream, b.Range()) || s.u.poison.skips(&b)
			w.alone = !known && s.u.poison.within(&b)
			if w.alone && s.inflight() > 0 {
				break // it waits until nothing is on its way that it could take down
			}
			w.cursor = holdfast.Position{Stream: b.Stream, Seq: b.Last}
			if known {
				continue
			}
			if !s.publish(i, &b, nil) {
				break
			}
		}
	}
}

// may reports whether another batch may be published in w.
func (s *session) may(w *window) bool {
	return w.room() && s.sending() && len(s.unacked) < maxUnacked && !(s.u.hold != "" && s.inflight() > 0)
}

// sending reports whether batches are published at all.
func (s *session) sending() bool { return s.held.IsZero() && s.broken.IsZero() && !s.orders.off }

func (s *session) inflight() (n int) {
	for i := range s.lanes {
		n += len(s.lanes[i].flights)
	}
	return n
}

// read returns the lane's first statement behind after, no longer than suspicion of poison allows.
func (s *session) read(lane int, after holdfast.Position) (holdfast.Batch, bool) {
	o := &s.u.o
	b, ok, err := o.Queue.Next(holdfast.Lanes[lane], after, o.BatchRecords, o.BatchBytes)
	if most := s.u.poison.most(&b); err == nil && ok && most > 0 && uint64(len(b.Records)) > most {
		b, ok, err = o.Queue.Next(holdfast.Lanes[lane], after, int(most), o.BatchBytes)
	}
	if err != nil {
		s.queueFailed(err)
		return b, false
	}
	if s.u.failing {
		s.u.failing = false
		s.u.report(func(st *Status) { st.QueueError = "" })
		o.Log.Info("queue can be used again")
	}
	b.Device = o.Device // also of a stream from the time of a former id: a device writes its own topics only
	return b, ok
}

// queueFailed lets the queue rest for a while. It is logged when it begins.
func (s *session) queueFailed(err error) {
	s.broken = time.Now().Add(queuePause)
	s.u.report(func(st *Status) { st.QueueError = err.Error() })
	if !s.u.failing {
		s.u.failing = true
		s.u.o.Log.Error("queue cannot be used", "err", err)
	}
}

// publish sends b, as a new flight or, where f is one, as that one again. It reports whether the lane may go on.
func (s *session) publish(lane int, b *holdfast.Batch, f *flight) bool {
	payload, err := s.encode(b)
	if err != nil {
		return s.unfit(lane, b, err)
	}
	s.turn++
	now := time.Now()
	if f == nil {
		f = s.lanes[lane].add(b.Stream, b.Range(), s.turn, now)
	} else {
		f.launch(b.Range(), s.turn, now)
	}
	sent := s.conn.Send(mqtt.Message{Topic: s.u.o.Topics.Batch(s.u.o.Device, b.Lane), Payload: payload})
	s.u.countSent(lane, b)
	s.u.countBytes(b, len(payload))
	records := b.Records
	b.Records = nil
	s.unacked = append(s.unacked, publication{sent, lane, f, *b})
	b.Records = records
	return true
}

// encode returns the payload of b, compressed where that pays and the receiver takes it.
func (s *session) encode(b *holdfast.Batch) ([]byte, error) {
	payload, err := wire.EncodeBatch(b, false)
	if err == nil && len(payload) > zstdThreshold && s.u.o.Mode == holdfast.AckReceipt && s.u.receivers.zstd() {
		return wire.Compress(nil, payload), nil
	}
	return payload, err
}

// unfit deals with a batch that cannot be encoded: the record that is to blame is set aside, the others are not.
func (s *session) unfit(lane int, b *holdfast.Batch, why error) bool {
	w := &s.lanes[lane]
	before := holdfast.Position{Stream: b.Stream, Seq: b.First - 1}
	switch {
	case b.What == holdfast.Data && len(b.Records) > 1:
		single, ok, err := s.u.o.Queue.Next(b.Lane, before, 1, s.u.o.BatchBytes)
		if err != nil {
			s.queueFailed(err)
			return false
		}
		if !ok || len(single.Records) > 1 {
			return false
		}
		w.cursor = holdfast.Position{Stream: single.Stream, Seq: single.Last}
		single.Device = b.Device
		return s.publish(lane, &single, nil)
	case b.What == holdfast.Data || b.What == holdfast.Thin:
		cause := holdfast.CauseCorrupt
		if errors.Is(why, wire.ErrTooLarge) {
			cause = holdfast.CauseTooLarge
		}
		s.reject(lane, b.Stream, b.Range(), cause, why)
		return false // the statement of it comes with the queue's signal
	}
	s.queueFailed(why)
	return false
}

// reject sets records aside for good, because the link does not carry them.
func (s *session) reject(lane int, stream holdfast.Stream, r holdfast.Range, cause holdfast.Cause, why error) {
	if err := s.u.o.Queue.Reject(stream, holdfast.Lanes[lane], r, cause); err != nil {
		s.queueFailed(err)
		return
	}
	s.lanes[lane].rewind()
	s.u.report(func(st *Status) { st.Poisoned += r.Len() })
	s.u.o.Log.Error("records set aside, the link does not carry them",
		"stream", stream, "lane", holdfast.Lanes[lane], "first", r.First, "last", r.Last, "cause", cause, "err", why)
}

// acknowledged is closed when the broker has taken the first publication that it owes a PUBACK.
func (s *session) acknowledged() <-chan struct{} {
	if len(s.unacked) == 0 {
		return nil
	}
	return s.unacked[0].sent.Done()
}

var errPoison = errors.New("the link died with it again and again, and carried what came behind it")

// settle takes the broker's PUBACKs. In puback mode they free their batches; in receipt mode they free nothing, and only say
// that the link carries them. It returns the error of a publication that failed, and leaves that one first.
func (s *session) settle() error {
	for len(s.unacked) > 0 {
		p := s.unacked[0]
		switch err := p.sent.Err(); {
		case errors.Is(err, mqtt.ErrPending):
			return nil
		case err != nil:
			return err
		}
		s.unacked = s.unacked[1:]
		s.taken(&p)
	}
	return nil
}

// taken deals with a publication that the broker has acknowledged.
func (s *session) taken(p *publication) {
	if s.u.poison.acknowledged(&p.batch) {
		s.lanes[p.lane].rewind()
	}
	if s.u.o.Mode == holdfast.AckReceipt {
		return
	}
	if err := s.u.o.Queue.Done(p.batch.Stream, p.batch.Lane, holdfast.Ranges{p.batch.Range()}); err != nil {
		s.queueFailed(err)
		return
	}
	s.freed(p.lane, p.batch.Stream, holdfast.Ranges{p.batch.Range()})
}

// freed takes numbers out of the lane's window that were answered for.
func (s *session) freed(lane int, stream holdfast.Stream, ranges holdfast.Ranges) {
	landed := s.lanes[lane].receipt(stream, ranges)
	s.progress, s.u.unproven = true, false
	if s.u.freedBy != nil {
		s.u.freedBy(stream, holdfast.Lanes[lane], ranges)
	}
	now := s.u.o.Now().Time
	s.u.report(func(st *Status) {
		st.Receipted += landed
		st.LastReceipt = now
	})
}

// restart forgets what is on its way in every lane: all that is not done is read and sent again.
func (s *session) restart() {
	for i := range s.lanes {
		s.lanes[i].forget()
	}
	s.silence = silence{}
}

// count tells Status how much is on its way.
func (s *session) count() {
	n := s.inflight()
	s.u.report(func(st *Status) { st.Inflight = n })
}

// countSent counts records that are published for the first time, and those that are not.
func (u *Uplink) countSent(lane int, b *holdfast.Batch) {
	before := u.forwarded[lane][b.Stream]
	n := uint64(len(b.Records))
	fresh := n
	if b.What != holdfast.Data {
		fresh = 0
	} else if b.First <= before {
		fresh = b.Last - min(before, b.Last)
	}
	u.forwarded[lane][b.Stream] = max(before, b.Last)
	u.report(func(s *Status) { s.Sent, s.Resent = s.Sent+fresh, s.Resent+n-fresh })
}

// countBytes counts how telemetry packs.
func (u *Uplink) countBytes(b *holdfast.Batch, wire int) {
	if b.Lane != holdfast.LaneTelemetry || b.What != holdfast.Data {
		return
	}
	records := 0
	for _, r := range b.Records {
		records += len(r)
	}
	u.report(func(s *Status) { s.Records, s.Wire = s.Records+uint64(records), s.Wire+uint64(wire) })
}
