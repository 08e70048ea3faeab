package sensors

import (
	"context"
	"time"
)

const (
	// quickLook is how long a look at an address may take so that a read does not suffer from one.
	quickLook = 20 * time.Millisecond
	// longestWait is how long a search waits for a moment in which no sensor is read. It is not long, because some chips are
	// read nearly all the time.
	longestWait = 100 * time.Millisecond
)

// reads notes that a sensor on the wire is being read, until the function that it returns is called.
func (w *wire) reads() (done func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.reading++; w.reading == 1 {
		w.calm = make(chan struct{})
	}
	return func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		if w.reading--; w.reading == 0 {
			close(w.calm)
		}
	}
}

// giveWay returns when no sensor on the wire is being read, or soon. A read consists of many transactions; where nobody is
// at an address, some controllers need a third of a second to find that out, and with such a look between any two of its
// transactions a read would not end in time.
func (w *wire) giveWay(ctx context.Context) {
	w.mu.Lock()
	reading, calm := w.reading > 0, w.calm
	w.mu.Unlock()
	if !reading {
		return
	}
	timer := time.NewTimer(longestWait)
	defer timer.Stop()
	sleep(ctx, calm, timer.C)
}
