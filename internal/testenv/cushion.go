package testenv

import (
	"net"
	"sync"
)

// A cushion is a connection whose Write never waits for the reader, as those of a system with buffers seldom do. mochi writes
// with a client's lock held: were it to wait for a reader who waits for time to pass, then whoever wants that lock would keep
// the bubble's time from passing.
type cushion struct {
	net.Conn
	wake chan struct{} // cap 1: there is something to write
	once sync.Once
	done chan struct{} // closed with the connection

	mu      sync.Mutex
	pending []byte
}

func newCushion(conn net.Conn) *cushion {
	return &cushion{Conn: conn, wake: make(chan struct{}, 1), done: make(chan struct{})}
}

func (c *cushion) Write(data []byte) (int, error) {
	select {
	case <-c.done:
		return 0, net.ErrClosed
	default:
	}
	c.mu.Lock()
	c.pending = append(c.pending, data...)
	c.mu.Unlock()
	select {
	case c.wake <- struct{}{}:
	default:
	}
	return len(data), nil
}

// pump writes what is pending until the connection is closed, by whichever end.
func (c *cushion) pump() {
	for {
		select {
		case <-c.done:
			return
		case <-c.wake:
		}
		c.mu.Lock()
		data := c.pending
		c.pending = nil
		c.mu.Unlock()
		if _, err := c.Conn.Write(data); err != nil {
			c.Close()
			return
		}
	}
}

// Close closes the connection. What is pending is lost, as with a cut cable.
func (c *cushion) Close() error {
	c.once.Do(func() { close(c.done) })
	return c.Conn.Close()
}
