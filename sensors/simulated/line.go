package simulated

import "sync"

// A Line is an output that nothing hangs on: it remembers what it was set to.
type Line struct {
	mu     sync.Mutex
	on     bool
	closed bool
}

// NewLine returns a line that is on or off.
func NewLine(on bool) *Line { return &Line{on: on} }

// Set switches the line.
func (l *Line) Set(on bool) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.on = on
	return nil
}

// Close gives the line back; it stays as it was.
func (l *Line) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	return nil
}

// State returns whether the line is on, and whether it was given back.
func (l *Line) State() (on, closed bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.on, l.closed
}
