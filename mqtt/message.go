package mqtt

import (
	"errors"
	"fmt"
	"strings"
)

// MaxTopic and MaxPayload bound a message in bytes, in both directions. What is larger is not sent; what arrives larger is
// acknowledged, logged and dropped.
const (
	MaxTopic   = 1024
	MaxPayload = 1 << 20
)

// ErrMessage says that a message can never be sent, because topic or payload are out of bounds.
var ErrMessage = errors.New("message out of bounds")

// A Message is one publication. Its payload belongs to whoever receives it, and must not be changed after it was sent.
type Message struct {
	Topic    string
	Payload  []byte
	Retained bool // sent: keep it for later subscribers; received: it was kept, and is not news

	ack func()
}

// Ack tells the broker that the message was taken; it needs it only under Options.ManualAck. It may be called from any
// goroutine, more than once, and when the connection is gone: then the broker, where it keeps the session, sends the message
// again.
func (m Message) Ack() {
	if m.ack != nil {
		m.ack()
	}
}

// check returns an error unless m can be published.
func (m Message) check() error {
	switch {
	case m.Topic == "" || len(m.Topic) > MaxTopic || strings.ContainsAny(m.Topic, "+#\x00"):
		return fmt.Errorf("%w: topic %.80q: want 1 to %d bytes, none of + # NUL", ErrMessage, m.Topic, MaxTopic)
	case len(m.Payload) > MaxPayload:
		return fmt.Errorf("%w: topic %s: payload of %d bytes, at most %d", ErrMessage, m.Topic, len(m.Payload), MaxPayload)
	}
	return nil
}
