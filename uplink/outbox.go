package uplink

import (
	"errors"
	"sync"

	"holdfast/mqtt"
)

// maxOutbox bounds the messages that wait for a link.
const maxOutbox = 64

// outbox keeps messages, beside batches, until the broker has acknowledged them.
type outbox struct {
	wake chan struct{} // holds one signal: there is something new

	mu       sync.Mutex
	messages []mqtt.Message
	first    uint64 // number of messages[0]; every message has one
}

func newOutbox() *outbox { return &outbox{wake: make(chan struct{}, 1)} }

// put appends m, and reports whether the oldest message was dropped for it.
func (o *outbox) put(m mqtt.Message) (dropped bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.messages = append(o.messages, m)
	if dropped = len(o.messages) > maxOutbox; dropped {
		o.messages = o.messages[1:]
		o.first++
	}
	signal(o.wake)
	return dropped
}

// waiting is how many messages the broker has not acknowledged yet.
func (o *outbox) waiting() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.messages)
}

// peek returns the oldest message and its number.
func (o *outbox) peek() (m mqtt.Message, number uint64, ok bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.messages) == 0 {
		return m, 0, false
	}
	return o.messages[0], o.first, true
}

// done forgets the message of that number, unless it was dropped meanwhile.
func (o *outbox) done(number uint64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.messages) > 0 && o.first == number {
		o.messages = o.messages[1:]
		o.first++
	}
}

// post sends the outbox's first message; the next follows when the broker has taken it.
func (s *session) post() {
	if s.letter != nil {
		return
	}
	if m, number, ok := s.u.outbox.peek(); ok {
		s.letter, s.number = s.conn.Send(m), number
	}
}

func (s *session) posted() <-chan struct{} {
	if s.letter == nil {
		return nil
	}
	return s.letter.Done()
}

// posting takes the fate of the letter. One that the link took down with it stays; one that no link carries does not.
func (s *session) posting() error {
	switch err := s.letter.Err(); {
	case errors.Is(err, mqtt.ErrMessage):
		s.u.o.Log.Error("message dropped", "err", err)
	case err != nil:
		return err
	}
	s.u.outbox.done(s.number)
	s.letter = nil
	return nil
}
