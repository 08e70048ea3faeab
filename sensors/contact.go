package sensors

import (
	"context"
	"time"

	"holdfast"
)

// A Contact finds the presses in what the contact of a button does. A press is told when the contact has closed, and not
// when it is known what becomes of it: a long or a double press is told as a short one first.
type Contact struct {
	Debounce time.Duration      // how long a level has to hold until it counts; 0 where the kernel has seen to that
	Long     time.Duration      // a press that is held so long is long; 0: none is
	Double   time.Duration      // the second press so soon after the first is double; 0: none is
	Closed   func() bool        // asks the line before a press is called long; nil: the edges tell
	Press    func(press string) // holdfast.PressShort, PressLong, PressDouble
}

// An Edge is a contact that closes or opens.
type Edge struct {
	Closed bool
	At     time.Duration // on any clock that does not step
}

// Follow calls Press until ctx ends or edges is closed. The contact begins open; one that is closed from the start has to
// open first.
func (c Contact) Follow(ctx context.Context, edges <-chan Edge) {
	settled, long := time.NewTimer(time.Hour), time.NewTimer(time.Hour)
	settled.Stop()
	long.Stop()
	held := false // the level that counts
	var seen Edge // the newest one
	finger := finger{double: c.Double}
	change := func(e Edge) {
		held = e.Closed
		long.Stop()
		if !held {
			return
		}
		c.Press(finger.press(e.At))
		if c.Long > 0 {
			long.Reset(c.Long)
		}
	}
	for {
		select {
		case <-ctx.Done():
			return
		case e, ok := <-edges:
			if !ok {
				return
			}
			if c.Debounce == 0 {
				change(e)
				continue
			}
			seen = e
			settled.Reset(c.Debounce) // every edge begins the wait anew
		case <-settled.C:
			if seen.Closed != held {
				change(seen)
			}
		case <-long.C:
			if c.Closed == nil || c.Closed() { // the kernel may have lost a release
				c.Press(holdfast.PressLong)
			}
		}
	}
}

// A finger remembers whether a press can be the second of two.
type finger struct {
	double time.Duration
	first  bool // there was a press that has no second yet
	at     time.Duration
}

// press returns what a press at that time is.
func (f *finger) press(at time.Duration) string {
	if f.first && f.double > 0 && at-f.at <= f.double {
		f.first = false
		return holdfast.PressDouble
	}
	f.first, f.at = true, at
	return holdfast.PressShort
}
