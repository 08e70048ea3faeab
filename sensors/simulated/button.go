package simulated

import (
	"context"
	"sync"
	"time"

	"holdfast"
	"holdfast/sensors"
)

// A Button is one that software presses: its contact closes and opens as a finger's would, and what comes of that a
// [sensors.Contact] finds, as on a Pi.
type Button struct {
	contact sensors.Contact
	presses chan string
}

// NewButton returns a button with that contact, whose Press is called from a goroutine of Run.
func NewButton(contact sensors.Contact) *Button {
	return &Button{contact: contact, presses: make(chan string, 16)}
}

// Press presses the button, short, long or double, and does not wait for what comes of it. A finger that is faster than
// the consumer by more than sixteen presses is ignored, as bouncing is.
func (b *Button) Press(press string) {
	select {
	case b.presses <- press:
	default:
	}
}

// Run moves the contact until ctx ends, then returns nil.
func (b *Button) Run(ctx context.Context) error {
	edges := make(chan sensors.Edge)
	var follower sync.WaitGroup
	follower.Go(func() { b.contact.Follow(ctx, edges) })
	defer follower.Wait()
	begin := time.Now()
	for {
		select {
		case <-ctx.Done():
			return nil
		case press := <-b.presses:
			for i, wait := range b.moves(press) {
				select {
				case edges <- sensors.Edge{Closed: i%2 == 0, At: time.Since(begin)}:
				case <-ctx.Done():
					return nil
				}
				select {
				case <-time.After(wait):
				case <-ctx.Done():
					return nil
				}
			}
		}
	}
}

// moves is how long the contact stays closed, open, closed … in a press.
func (b *Button) moves(press string) []time.Duration {
	tap := 2*b.contact.Debounce + 20*time.Millisecond
	switch press {
	case holdfast.PressLong:
		return []time.Duration{b.contact.Debounce + b.contact.Long + tap, tap}
	case holdfast.PressDouble:
		return []time.Duration{tap, tap, tap, tap}
	}
	return []time.Duration{tap, tap}
}
