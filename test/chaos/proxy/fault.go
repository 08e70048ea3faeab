package proxy

import "time"

// A Fault is what is done to connections. The zero value passes everything on at once.
type Fault struct {
	Refuse   bool // new connections are reset as soon as they are taken
	Unclosed bool // half-open: the end of one side is not told to the other
	Deny     bool // subscriptions are made to other topics, and every SUBACK says that the broker refused
	Up       Way  // what clients send
	Down     Way  // what the server sends
}

// A Way is what happens to the bytes of one direction.
type Way struct {
	Freeze  bool // none is passed; what was sent is late, not lost
	Swallow bool // all are taken and none is passed
	Cut     bool // the connection is reset in the middle of a packet

	After int // Swallow and Cut begin when a connection has passed so many bytes since Set

	Latency time.Duration // every byte is late by this
	Jitter  time.Duration // and by up to this, without being overtaken
	Rate    int           // bytes a second; 0 for no bound
}

func (f *Fault) way(d Direction) *Way {
	if d == Up {
		return &f.Up
	}
	return &f.Down
}

// A Direction names one of two: the bytes that clients send, and those that the server sends.
type Direction int

const (
	Up Direction = iota
	Down
)
