package main

import (
	"context"
	"errors"
	"net"
	"sync"

	"holdfast/internal/testenv"
)

var errCut = errors.New("the cable is cut")

// A cable is how one process reaches the broker. When it is cut the process is as good as dead: nothing leaves it any more.
type cable struct {
	broker *testenv.Broker

	mu   sync.Mutex
	gone bool
	ends map[net.Conn]bool
	veto func(packet []byte) bool // nil, or whether the cable breaks before this packet
}

func newCable(broker *testenv.Broker) *cable {
	return &cable{broker: broker, ends: map[net.Conn]bool{}}
}

func (c *cable) dial(ctx context.Context) (net.Conn, error) {
	if c.isCut() {
		return nil, errCut
	}
	conn, err := c.broker.Dial(ctx)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ends[conn] = true
	return plug{conn, c}, nil
}

func (c *cable) isCut() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.gone
}

// cut ends every connection without a word, and allows no other.
func (c *cable) cut() {
	c.mu.Lock()
	c.gone = true
	ends := c.ends
	c.ends = map[net.Conn]bool{}
	c.mu.Unlock()
	for conn := range ends {
		conn.Close()
	}
}

// breakAt makes the cable break for good instead of carrying a packet that f points at.
func (c *cable) breakAt(f func(packet []byte) bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.veto = f
}

func (c *cable) carries(packet []byte) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.veto != nil && c.veto(packet) {
		c.gone = true
	}
	return !c.gone
}

// A plug is a process's end of a connection.
type plug struct {
	net.Conn
	cable *cable
}

func (p plug) Write(packet []byte) (int, error) {
	if !p.cable.carries(packet) {
		p.cable.cut()
		return 0, errCut
	}
	return p.Conn.Write(packet)
}

func (p plug) Close() error {
	p.cable.mu.Lock()
	delete(p.cable.ends, p.Conn)
	p.cable.mu.Unlock()
	return p.Conn.Close()
}
