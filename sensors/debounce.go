package sensors

import (
	"context"
	"time"
)

// A debouncer finds the presses in what a bouncing contact does, where the kernel cannot.
type debouncer struct {
	period time.Duration // how long a level has to hold until it counts; 0 where the kernel has seen to that
	press  func()
}

// run calls press for each time that the contact closes for good, until ctx ends or closed is closed. closed carries the
// level at every edge: whether the contact is closed now. It begins open; a contact that is closed from the start has to
// open first.
func (d debouncer) run(ctx context.Context, closed <-chan bool) {
	held := false // the level that counts
	level := held // the level seen last
	settled := time.NewTimer(d.period)
	settled.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now, ok := <-closed:
			if !ok {
				return
			}
			if d.period == 0 {
				if now {
					d.press()
				}
				continue
			}
			level = now
			settled.Reset(d.period) // every edge begins the wait anew
		case <-settled.C:
			if level && !held {
				d.press()
			}
			held = level
		}
	}
}
