package mqtt

import (
	"fmt"

	paho "github.com/eclipse/paho.mqtt.golang"
)

// MaxWaiting bounds the messages that were received and wait for the handler. It is no smaller than the inflight window of the
// brokers in use (mosquitto 20, NATS 1024), none of which sends more without an acknowledgement.
const MaxWaiting = 1024

// receive is paho's handler. It runs in paho's reading goroutine and must not block, or no PUBACK and no ping would be read.
func (c *Conn) receive(_ paho.Client, m paho.Message) {
	select {
	case c.in <- m:
	default:
		if m.Qos() == 0 {
			c.log.Warn("message dropped, too many are waiting", "topic", m.Topic())
			return
		}
		// Not acknowledged: a broker that keeps the session sends it again.
		c.end(fmt.Errorf("broker sent more than %d messages without an acknowledgement", MaxWaiting))
	}
}

// deliver hands messages to the handler until the connection ends.
func (c *Conn) deliver() {
	for {
		select {
		case <-c.lost:
			return
		case m := <-c.in:
			c.hand(m)
		}
	}
}

func (c *Conn) hand(m paho.Message) {
	if len(m.Payload()) > MaxPayload || len(m.Topic()) > MaxTopic {
		c.log.Warn("message dropped, too large", "topic", fmt.Sprintf("%.80q", m.Topic()), "bytes", len(m.Payload()))
		m.Ack()
		return
	}
	c.options.Handler(Message{Topic: m.Topic(), Payload: m.Payload(), Retained: m.Retained(), ack: m.Ack})
	if !c.options.ManualAck {
		m.Ack()
	}
}
