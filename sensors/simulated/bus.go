package simulated

import (
	"bytes"
	"errors"
	"fmt"
	"sync"
	"time"

	"periph.io/x/conn/v3/i2c"
	"periph.io/x/conn/v3/physic"
)

// A Chip is something on a bus. The bus calls it for one transaction at a time.
type Chip interface {
	// PowerUp puts the chip in the state that it has after its supply came at that instant.
	PowerUp(at time.Time)
	// Tx takes what is written to the chip, then fills what is read from it. It returns nil, or [ErrNoAnswer] where the chip
	// does not acknowledge, as some do not while they are busy.
	Tx(at time.Time, w, r []byte) error
}

// errGaveUp is what periph makes of the kernel's timeout, hangTime how long that takes: the kernel's default is three times
// a second.
var errGaveUp = errors.New("sysfs-i2c: connection timed out")

const hangTime = 3 * time.Second

// ErrNoAnswer is what periph makes of the errno that a Pi's controller gives where nobody acknowledges.
var ErrNoAnswer = errors.New("sysfs-i2c: remote I/O error")

// A Bus is an I²C bus with chips on it. It implements periph's i2c.Bus. All methods may be called from any goroutine.
type Bus struct {
	number int

	mu        sync.Mutex
	slots     map[uint16]*slot
	recording bool
	muxes     []uint16      // addresses of multiplexers
	stuck     chan struct{} // closed when the bus is released; nil where it is not stuck
}

// slot is an address and what is wrong with it.
type slot struct {
	chip      Chip
	unplugged bool
	nacks     int // transactions that are yet to be refused
	refuse    int // counted down with each transaction; the one that finds it at 1 is refused
	garbage   bool
	written   [][]byte
	slow      time.Duration
	hangs     bool
}

var _ i2c.Bus = (*Bus)(nil)

// NewBus returns a bus with nothing on it.
func NewBus(number int) *Bus { return &Bus{number: number, slots: map[uint16]*slot{}} }

func (b *Bus) String() string { return fmt.Sprintf("I2C%d", b.number) }

// SetSpeed implements i2c.Bus; the models work at any speed.
func (b *Bus) SetSpeed(physic.Frequency) error { return nil }

// Attach puts a chip on the bus and switches it on.
func (b *Bus) Attach(addr uint16, chip Chip) {
	b.mu.Lock()
	defer b.mu.Unlock()
	chip.PowerUp(time.Now())
	b.slots[addr] = &slot{chip: chip}
}

// Tx implements i2c.Bus.
func (b *Bus) Tx(addr uint16, w, r []byte) error {
	stuck, slow, hangs := b.delay(addr)
	if stuck != nil {
		<-stuck
	}
	for _, connected := range b.behind() {
		if connected.has(addr) {
			return connected.Tx(addr, w, r)
		}
	}
	if slow > 0 {
		time.Sleep(slow)
	}
	if hangs {
		return errGaveUp
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.slots[addr]
	if s == nil || s.unplugged {
		return ErrNoAnswer
	}
	if s.nacks > 0 {
		s.nacks--
		return ErrNoAnswer
	}
	if b.recording && len(w) > 0 {
		s.written = append(s.written, bytes.Clone(w))
	}
	if s.refuse > 0 {
		if s.refuse--; s.refuse == 0 {
			return ErrNoAnswer
		}
	}
	if err := s.chip.Tx(time.Now(), w, r); err != nil {
		return err
	}
	if s.garbage {
		for i := range r {
			r[i] = 0xff // nobody pulls the line down
		}
	}
	return nil
}

// has reports whether something answers at the address.
func (b *Bus) has(addr uint16) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.slots[addr]
	return s != nil && !s.unplugged
}

func (b *Bus) delay(addr uint16) (stuck <-chan struct{}, slow time.Duration, hangs bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if s := b.slots[addr]; s != nil && !s.unplugged {
		slow, hangs = s.slow, s.hangs
		if hangs {
			slow = hangTime
		}
	}
	return b.stuck, slow, hangs
}

// Unplug takes a chip's plug out.
func (b *Bus) Unplug(addr uint16) { b.change(addr, func(s *slot) { s.unplugged = true }) }

// Plug puts it in again: the chip has forgotten its settings.
func (b *Bus) Plug(addr uint16) {
	b.change(addr, func(s *slot) {
		s.unplugged = false
		s.chip.PowerUp(time.Now())
	})
}

// Record makes the bus keep what is written from now on, for [Bus.Written].
func (b *Bus) Record() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.recording = true
}

// Written returns what was written to the address since the last call, one element for each transaction that wrote.
func (b *Bus) Written(addr uint16) (written [][]byte) {
	b.change(addr, func(s *slot) { written, s.written = s.written, nil })
	return written
}

// NACK makes a chip refuse the next n transactions.
func (b *Bus) NACK(addr uint16, n int) { b.change(addr, func(s *slot) { s.nacks = n }) }

// Refuse makes a chip refuse one transaction, after n more that it takes; with n below 0 none.
func (b *Bus) Refuse(addr uint16, n int) { b.change(addr, func(s *slot) { s.refuse = max(n+1, 0) }) }

// Garbage makes whatever is read from a chip ones, or ends that.
func (b *Bus) Garbage(addr uint16, on bool) { b.change(addr, func(s *slot) { s.garbage = on }) }

// Hang makes a chip hold the bus in every transaction, until the kernel gives it up, or ends that.
func (b *Bus) Hang(addr uint16, on bool) { b.change(addr, func(s *slot) { s.hangs = on }) }

// Slow makes every transaction with a chip take that long.
func (b *Bus) Slow(addr uint16, d time.Duration) { b.change(addr, func(s *slot) { s.slow = d }) }

func (b *Bus) change(addr uint16, f func(*slot)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.slots[addr]
	if s == nil {
		panic(fmt.Sprintf("simulated: no chip at 0x%02x", addr))
	}
	f(s)
}

// Stick makes every transaction hang from now on, until the bus is released.
func (b *Bus) Stick() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.stuck == nil {
		b.stuck = make(chan struct{})
	}
}

// Release lets transactions through again, also those that hang.
func (b *Bus) Release() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.stuck != nil {
		close(b.stuck)
		b.stuck = nil
	}
}
