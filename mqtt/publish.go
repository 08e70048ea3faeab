package mqtt

import (
	"context"
	"errors"
	"fmt"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
)

// MaxUnacknowledged bounds the messages that were sent and not yet acknowledged.
const MaxUnacknowledged = 256

// ErrPending is what [Sent.Err] returns before the broker has answered.
var ErrPending = errors.New("not acknowledged yet")

// Sent is a message on its way to the broker.
type Sent struct {
	message Message
	done    chan struct{}
	err     error // written before done is closed
}

// Done returns a channel that is closed when the message's fate is known.
func (s *Sent) Done() <-chan struct{} { return s.done }

// Err returns nil only where the broker acknowledged the message on this very connection. Otherwise it says why not:
// [ErrPending] before Done is closed, [ErrMessage] for one that can never be sent; with any other the connection has ended. A
// message with an error may have reached the broker all the same.
func (s *Sent) Err() error {
	select {
	case <-s.done:
		return s.err
	default:
		return ErrPending
	}
}

func (s *Sent) finish(err error) {
	if err != nil {
		s.err = fmt.Errorf("publish %s: %w", s.message.Topic, err)
	}
	close(s.done)
}

// Publish sends a message and returns when the broker has acknowledged it (nil), the connection is lost, or ctx has ended.
func (c *Conn) Publish(ctx context.Context, m Message) error {
	s := c.send(ctx, m)
	select {
	case <-s.Done():
		return s.Err()
	case <-ctx.Done():
		return fmt.Errorf("publish %s: %w", m.Topic, ctx.Err())
	}
}

// Send sends a message and does not wait for the acknowledgement. Messages leave in the order of the calls. It blocks only
// where [MaxUnacknowledged] messages wait for theirs, until one of them gets it or the connection is lost.
func (c *Conn) Send(m Message) *Sent { return c.send(context.Background(), m) }

func (c *Conn) send(ctx context.Context, m Message) *Sent {
	s := &Sent{message: m, done: make(chan struct{})}
	if err := m.check(); err != nil {
		s.err = fmt.Errorf("publish: %w", err)
		close(s.done)
		return s
	}
	select {
	case c.slots <- struct{}{}:
	case <-c.lost:
		s.finish(c.Err())
		return s
	case <-ctx.Done():
		s.finish(ctx.Err())
		return s
	}
	c.mu.Lock()
	ended := c.ended
	if !ended {
		c.out <- s // there is room: s has a slot
	}
	c.mu.Unlock()
	if ended {
		s.finish(c.Err())
	}
	return s
}

// pending is a message that paho has.
type pending struct {
	sent  *Sent
	token paho.Token
}

// publish passes messages to paho and waits for their acknowledgements, which a broker gives in the order of the messages,
// until the connection ends. Then it gives every message that is left an error.
func (c *Conn) publish() {
	var waiting []pending
	silence := time.NewTimer(ackTimeout)
	defer silence.Stop()
	for {
		var acknowledged <-chan struct{}
		if len(waiting) > 0 {
			acknowledged = waiting[0].token.Done()
		}
		select {
		case s := <-c.out:
			if len(waiting) == 0 {
				silence.Reset(ackTimeout)
			}
			waiting = append(waiting, pending{s, c.pass(s.message)})
		case <-acknowledged:
			err := waiting[0].token.Error()
			if err != nil {
				c.end(fmt.Errorf("connection lost: %w", err)) // paho may take a moment to say so
			}
			c.settle(waiting[0].sent, err)
			waiting = waiting[1:]
			silence.Reset(ackTimeout)
		case <-silence.C:
			if len(waiting) > 0 {
				c.end(fmt.Errorf("broker acknowledged nothing for %v", ackTimeout))
			}
		case <-c.lost:
			for _, p := range waiting {
				c.settle(p.sent, c.fate(p.token))
			}
			c.refuse()
			return
		}
	}
}

// pass gives m to paho. It takes a packet only when it is not writing another; where the link ends meanwhile it never does,
// and does not notice. So it is asked again and again, for passTimeout each, until it has taken m or the link is lost. What it
// has not taken in time was not sent.
func (c *Conn) pass(m Message) paho.Token {
	for {
		token := c.client.Publish(m.Topic, 1, m.Retained, m.Payload)
		if err := token.Error(); err == nil || err.Error() != notTaken || c.Err() != nil {
			return token
		}
	}
}

// notTaken is the error of paho's token for a publication that it did not take in time.
const notTaken = "publish was broken by timeout"

// fate returns what became of a message of a connection that has ended: nil where the PUBACK was read before.
func (c *Conn) fate(token paho.Token) error {
	select {
	case <-token.Done():
		return token.Error()
	default:
		return c.Err()
	}
}

func (c *Conn) settle(s *Sent, err error) {
	s.finish(err)
	<-c.slots
}

// refuse ends sending: what is queued gets an error, and what comes later is not queued any more.
func (c *Conn) refuse() {
	c.mu.Lock()
	c.ended = true
	c.mu.Unlock()
	for {
		select {
		case s := <-c.out:
			c.settle(s, c.Err())
		default:
			return
		}
	}
}
