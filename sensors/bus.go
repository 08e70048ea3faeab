package sensors

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"periph.io/x/conn/v3/i2c"
)

// What can be wrong with a transaction, beyond what the error's text says.
var (
	ErrNoAnswer = errors.New("no answer") // no chip acknowledged the address
	ErrTimeout  = errors.New("timed out") // the kernel gave up on it; on some controllers this too means that nobody is there
	ErrBusStuck = errors.New("bus stuck") // the bus is held, or a transaction on it has not come back
	ErrIsolated = errors.New("isolated")  // the chip hung the bus before, and is left alone for a while
)

// errWaited says that it was no fault of the chip.
var errWaited = errors.New("which is another's")

// A Bus is one I²C bus, or what lies behind one channel of a multiplexer on it. The transactions of a bus and of all that is
// behind it happen one after the other, whoever asks for them.
type Bus struct {
	wire   *wire
	route  route
	left   map[uint16]bool                      // addresses that are left alone
	kernel func(addr uint16) (kernelChip, bool) // what the kernel's driver measures there
	owner  func(addr uint16) string             // driver of the kernel that has the address, "" for none
}

// NewBus returns the bus with that number, as in /dev/i2c-1, behind which bus stands.
func NewBus(number int, bus i2c.Bus) *Bus {
	nobody := func(uint16) string { return "" }
	return &Bus{wire: newWire(number, bus), left: make(map[uint16]bool), owner: nobody, kernel: func(uint16) (kernelChip, bool) { return kernelChip{}, false }}
}

// Number returns the bus's number.
func (b *Bus) Number() int { return b.wire.number }

// name returns the bus as it stands in the names of sensors: 1, or 1-mux70.3.
func (b *Bus) name() string { return b.route.name(b.wire.number) }

func (b *Bus) String() string { return "i2c-" + b.name() }

// Tx writes w to the chip at addr and then reads len(r) bytes into r, as one transaction. The error wraps [ErrNoAnswer],
// [ErrTimeout], [ErrBusStuck] or [ErrIsolated] where it is one of these.
//
// Neither periph nor the kernel's interface knows a time limit, so the transaction runs beside the caller. Where ctx ends
// first, Tx returns and the transaction keeps the bus until it comes back: only the kernel can end it.
func (b *Bus) Tx(ctx context.Context, addr uint16, w, r []byte) error {
	if err := ctx.Err(); err != nil {
		return b.gaveUp(addr, err, "not begun")
	}
	at := place{b.route, addr}
	if err := b.wire.isolated(at); err != nil {
		return fmt.Errorf("%s 0x%02x: %w", b, addr, err)
	}
	select {
	case b.wire.turn <- struct{}{}:
	case <-ctx.Done():
		err := b.gaveUp(addr, ctx.Err(), "waited for the transaction before")
		if b.wire.heldBy() != at {
			err = fmt.Errorf("%w, %w", err, errWaited)
		}
		return err
	}
	sent, got := bytes.Clone(w), make([]byte, len(r)) // the caller's buffers are his own again when Tx returns
	done := make(chan error, 1)
	go func() {
		err := b.wire.transact(ctx, at, sent, got)
		<-b.wire.turn
		done <- err
	}()
	select {
	case err := <-done:
		if err != nil {
			return fmt.Errorf("%s 0x%02x: %w", b, addr, err)
		}
		copy(r, got)
		return nil
	case <-ctx.Done():
		b.wire.hung(at, ctx.Err())
		return b.gaveUp(addr, ctx.Err(), "the transaction does not come back")
	}
}

// gaveUp says why a transaction was left: a deadline blames the bus, anything else is the caller's own wish.
func (b *Bus) gaveUp(addr uint16, cause error, what string) error {
	if errors.Is(cause, context.DeadlineExceeded) {
		return fmt.Errorf("%s 0x%02x: %w: %s", b, addr, ErrBusStuck, what)
	}
	return fmt.Errorf("%s 0x%02x: %w", b, addr, cause)
}

// classify finds out what a transaction's error means. periph formats the kernel's errno with %v, so that only its text
// is left; this is the one place that looks at it.
func classify(err error) error {
	text := err.Error()
	for _, class := range []struct {
		text string
		err  error
	}{
		{"remote I/O error", ErrNoAnswer},                 // EREMOTEIO: bcm2835
		{"no such device or address", ErrNoAnswer},        // ENXIO: most others
		{"connection timed out", ErrTimeout},              // ETIMEDOUT: a clock held low; QEMU's i.MX for an absent chip
		{"timer expired", ErrTimeout},                     // ETIME
		{"device or resource busy", ErrBusStuck},          // EBUSY: the data line is held low
		{"resource temporarily unavailable", ErrBusStuck}, // EAGAIN: lost arbitration
		{"transport endpoint shutdown", ErrBusStuck},      // ESHUTDOWN: the controller is gone
	} {
		if strings.Contains(text, class.text) {
			return fmt.Errorf("%w: %v", class.err, err)
		}
	}
	return err
}

// closeTimeout is how long Close waits for a transaction that is still on the bus.
const closeTimeout = time.Second

// Close closes the bus once no transaction is on it. Where one hangs the bus stays open and the error wraps [ErrBusStuck].
func (b *Bus) Close() error {
	closer, ok := b.wire.current().(io.Closer)
	if !ok {
		return nil
	}
	select {
	case b.wire.turn <- struct{}{}: // kept: nothing may use the bus any more
		return closer.Close()
	case <-time.After(closeTimeout):
		return fmt.Errorf("close %s: %w", b, ErrBusStuck)
	}
}

// A Device is an address on a bus.
type Device struct {
	Bus  *Bus
	Addr uint16
}

func (d Device) read(ctx context.Context, register byte, r []byte) error {
	if err := d.Bus.Tx(ctx, d.Addr, []byte{register}, r); err != nil {
		return fmt.Errorf("read register 0x%02x: %w", register, err)
	}
	return nil
}

func (d Device) write(ctx context.Context, w ...byte) error {
	if err := d.Bus.Tx(ctx, d.Addr, w, nil); err != nil {
		return fmt.Errorf("write register 0x%02x: %w", w[0], err)
	}
	return nil
}
