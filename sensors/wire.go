package sensors

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"periph.io/x/conn/v3/i2c"
)

// A wire is what a bus and all that is behind its multiplexers have in common: two wires, on which one transaction happens
// at a time.
type wire struct {
	number int
	turn   chan struct{}           // holds a token while a transaction is on the wire
	reopen func() (i2c.Bus, error) // nil where it cannot be opened anew

	// The holder of the turn alone uses these.
	bus    i2c.Bus
	open   route // the channel that is open
	unsure bool  // whether it really is
	stuck  int   // transactions in a row that found the bus held

	mu      sync.Mutex
	muxes   map[uint16]int // multiplexers that are known, and how many channels they have
	holder  place          // whose transaction is on the wire, or was last
	blamed  map[place]blame
	health  BusHealth
	reading int           // sensors that are being read
	calm    chan struct{} // closed when there are none any more
}

func newWire(number int, bus i2c.Bus) *wire {
	return &wire{number: number, bus: bus, turn: make(chan struct{}, 1), unsure: true, muxes: make(map[uint16]int), blamed: make(map[place]blame)}
}

// A place is an address, on the bus itself or behind a channel.
type place struct {
	route route
	addr  uint16
}

// transact carries out a transaction. The caller has the turn.
func (w *wire) transact(ctx context.Context, at place, sent, got []byte) error {
	began := time.Now()
	w.mu.Lock()
	w.holder = at
	w.mu.Unlock()
	err := w.switchTo(at.route)
	if err == nil {
		err = w.raw(at.addr, sent, got)
	}
	if err != nil && at.route != (route{}) {
		w.unsure = true // the multiplexer may have lost its supply
	}
	w.account(ctx, at, err, time.Since(began))
	if errors.Is(err, ErrBusStuck) {
		w.stuck++
		w.recover()
	} else {
		w.stuck = 0
	}
	return err
}

func (w *wire) heldBy() place {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.holder
}

func (w *wire) raw(addr uint16, sent, got []byte) error {
	if err := w.bus.Tx(addr, sent, got); err != nil {
		return classify(err)
	}
	return nil
}

// current returns the bus. The holder of the turn need not ask: nobody else exchanges it.
func (w *wire) current() i2c.Bus {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.bus
}

// exchange puts another bus in the place of the one that is open, and closes that.
func (w *wire) exchange(fresh i2c.Bus) {
	if closer, ok := w.bus.(io.Closer); ok {
		closer.Close()
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.bus, w.unsure = fresh, true
}

// recover does what may free a bus that somebody holds, the next thing with each transaction that finds it held: nine clocks,
// after which a chip that was cut off in the middle of a byte lets go; the multiplexers closed, in case the one who holds it is
// behind one; the bus opened anew. See docs/adr/0029 for what a daemon cannot do.
func (w *wire) recover() {
	step := func(count *uint64) {
		w.mu.Lock()
		*count++
		w.mu.Unlock()
	}
	switch w.stuck % 4 {
	case 1:
		w.raw(nobody, nil, make([]byte, 1)) // whatever comes of it: the clock ran
		step(&w.health.Clocks)
	case 2:
		if len(w.known()) > 0 {
			w.unsure = true
			w.switchTo(route{})
			step(&w.health.MuxResets)
		}
	case 3:
		if w.reopen == nil {
			return
		}
		step(&w.health.Reopens)
		fresh, err := w.reopen()
		if err != nil {
			return // with the old one
		}
		w.exchange(fresh)
	}
}

// nobody is a reserved address, at which no chip can be.
const nobody = 0x7f

// A blame is what a chip has done to its bus.
type blame struct {
	times int // transactions with it that did not come back
	until time.Time
}

const (
	patienceWithChip = 2 // transactions that may hang until a chip is isolated
	shortIsolation   = 10 * time.Second
	longestIsolation = 10 * time.Minute
)

// hung blames a chip for a transaction that did not come back in time. One that does so again is isolated, for longer each
// time, so that the others on the bus have it for themselves meanwhile.
func (w *wire) hung(at place, cause error) {
	if !errors.Is(cause, context.DeadlineExceeded) {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.health.Hangs++
	b := w.blamed[at]
	if b.times++; b.times >= patienceWithChip {
		b.until = time.Now().Add(min(shortIsolation<<min(b.times-patienceWithChip, 10), longestIsolation))
	}
	w.blamed[at] = b
}

// isolated returns an error while a chip is to be left alone.
func (w *wire) isolated(at place) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	b := w.blamed[at]
	if rest := time.Until(b.until); rest > 0 {
		return fmt.Errorf("%w for another %v: it hung the bus %d times", ErrIsolated, rest.Round(time.Second), b.times)
	}
	return nil
}

// account takes a transaction into the health of the bus. A search, which asks where nobody is, does not count.
func (w *wire) account(ctx context.Context, at place, err error, took time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err == nil && ctx.Err() == nil {
		delete(w.blamed, at)
	}
	if ctx.Value(searching{}) != nil {
		return
	}
	h := &w.health
	h.Transfers++
	h.Busy += took
	h.Longest = max(h.Longest, took)
	switch {
	case errors.Is(err, ErrNoAnswer):
		h.NACKs++
	case err != nil:
		h.Errors++
	}
}

// searching is the key of a context in which somebody looks for chips.
type searching struct{}

// BusHealth counts what happened on a bus since it was opened. Searches do not count.
type BusHealth struct {
	Transfers uint64
	NACKs     uint64 // transfers that nobody acknowledged
	Errors    uint64 // transfers that failed otherwise
	Hangs     uint64 // transfers that did not come back in time
	Retries   uint64 // samples that were taken again at once

	// Steps of the recovery.
	Clocks, MuxResets, Reopens uint64

	Busy    time.Duration // all transfers together
	Longest time.Duration // of one transfer, since [Bus.Health] was last asked
}

// Health returns what happened on the bus and behind its multiplexers.
func (b *Bus) Health() BusHealth {
	b.wire.mu.Lock()
	defer b.wire.mu.Unlock()
	h := b.wire.health
	b.wire.health.Longest = 0
	return h
}

func (w *wire) retried() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.health.Retries++
}
