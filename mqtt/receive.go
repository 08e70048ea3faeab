package mqtt

import (
	"fmt"
	"sync"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
)

// Messages that were received wait for the handler. There are at most as many as MQTT has numbers for packets on their way,
// for a broker may send at once all that it kept for a session (mosquitto sends 20 ahead, NATS 1024, others everything); and
// they are bounded by their bytes, beyond which nothing is read.
const (
	maxWaiting      = 1<<16 - 1
	maxWaitingBytes = 32 << 20
)

// roomPatience is how long not to read on, at most: meanwhile neither a PUBACK nor the answer to a ping is read, and paho gives
// the latter pingTimeout.
const roomPatience = pingTimeout / 2

// inbox counts the bytes that wait.
type inbox struct {
	mu    sync.Mutex
	bytes int
	room  chan struct{} // cap 1: there may be room again
}

// take reserves room for n bytes, if there is any; a message for which there never is takes all.
func (i *inbox) take(n int) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.bytes > 0 && i.bytes+n > maxWaitingBytes {
		return false
	}
	i.bytes += n
	return true
}

func (i *inbox) free(n int) {
	i.mu.Lock()
	i.bytes -= n
	i.mu.Unlock()
	select {
	case i.room <- struct{}{}:
	default:
	}
}

// receive is paho's handler. It runs in paho's reading goroutine, and blocks only while there is no room.
func (c *Conn) receive(_ paho.Client, m paho.Message) {
	if !c.makeRoom(m) {
		return
	}
	select {
	case c.in <- m:
	default:
		// Not acknowledged: a broker that keeps the session sends it again, and less, for what was handled is acknowledged.
		c.end(fmt.Errorf("broker sent more than %d messages without an acknowledgement", maxWaiting))
	}
}

// makeRoom waits until there is room for m, and reports whether there is. A message of QoS 0 is worth no wait.
func (c *Conn) makeRoom(m paho.Message) bool {
	if c.waiting.take(len(m.Payload())) {
		return true
	}
	if m.Qos() == 0 {
		c.log.Warn("message dropped, too many are waiting", "topic", m.Topic())
		return false
	}
	patience := time.NewTimer(roomPatience)
	defer patience.Stop()
	for {
		select {
		case <-c.waiting.room:
			if c.waiting.take(len(m.Payload())) {
				return true
			}
		case <-c.lost:
			return false
		case <-patience.C:
			c.end(fmt.Errorf("%d MB of messages wait, and none was handled for %v", maxWaitingBytes>>20, roomPatience))
			return false
		}
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
			c.waiting.free(len(m.Payload()))
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
