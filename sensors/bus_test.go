package sensors

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"periph.io/x/conn/v3/i2c/i2ctest"
	"periph.io/x/conn/v3/physic"
)

// busFunc is a bus that does what the function says.
type busFunc func(addr uint16, w, r []byte) error

func (f busFunc) Tx(addr uint16, w, r []byte) error { return f(addr, w, r) }
func (busFunc) SetSpeed(physic.Frequency) error     { return nil }
func (busFunc) String() string                      { return "func" }

func TestClassify(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]error{
		"sysfs-i2c: remote I/O error":          ErrNoAnswer,
		"sysfs-i2c: no such device or address": ErrNoAnswer,
		"sysfs-i2c: connection timed out":      ErrTimeout,
		"sysfs-i2c: device or resource busy":   ErrBusStuck,
		"sysfs-i2c: input/output error":        nil,
		"sysfs-i2c: invalid address":           nil,
	} {
		bus := NewBus(1, busFunc(func(uint16, []byte, []byte) error { return errors.New(text) }))
		err := bus.Tx(t.Context(), 0x76, []byte{0}, nil)
		if err == nil || !strings.HasPrefix(err.Error(), "i2c-1 0x76: ") || !strings.HasSuffix(err.Error(), text) {
			t.Errorf("%s: became %v", text, err)
		}
		for _, class := range []error{ErrNoAnswer, ErrTimeout, ErrBusStuck} {
			if got := errors.Is(err, class); got != (class == want) {
				t.Errorf("%v: is %q: %v", err, class, got)
			}
		}
	}
}

func TestTxPassesBytes(t *testing.T) {
	t.Parallel()
	play := &i2ctest.Playback{DontPanic: true, Ops: []i2ctest.IO{{Addr: 0x48, W: []byte{1, 2}, R: []byte{3, 4}}}}
	bus := NewBus(1, play)
	r := make([]byte, 2)
	if err := bus.Tx(t.Context(), 0x48, []byte{1, 2}, r); err != nil || r[0] != 3 || r[1] != 4 {
		t.Errorf("Tx: %v, read %v", err, r)
	}
	if err := play.Close(); err != nil {
		t.Error(err)
	}
	if err := bus.Close(); err != nil {
		t.Error(err)
	}
}

func TestTxTakesTurnsAndGivesUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		busy := false
		bus := NewBus(1, busFunc(func(addr uint16, w, r []byte) error {
			if busy {
				t.Error("two transactions at once")
			}
			busy = true
			defer func() { busy = false }()
			if addr == 0x10 {
				<-release
			}
			time.Sleep(10 * time.Millisecond)
			for i := range r {
				r[i] = byte(addr)
			}
			return nil
		}))
		within := func(d time.Duration, addr uint16) ([]byte, error) {
			ctx, cancel := context.WithTimeout(t.Context(), d)
			defer cancel()
			r := make([]byte, 1)
			return r, bus.Tx(ctx, addr, []byte{0}, r)
		}

		start := time.Now()
		r, err := within(time.Second, 0x10)
		if !errors.Is(err, ErrBusStuck) || time.Since(start) != time.Second || r[0] != 0 {
			t.Errorf("a transaction that hangs: %v after %v, read %x", err, time.Since(start), r)
		}
		if _, err := within(time.Second, 0x20); !errors.Is(err, ErrBusStuck) {
			t.Errorf("the next: %v, want that it waits in vain", err)
		}
		if err := bus.Close(); err != nil { // what is behind it has nothing to close
			t.Error(err)
		}
		close(release)
		r, err = within(time.Second, 0x20)
		if err != nil || r[0] != 0x20 {
			t.Errorf("after the release: %v, read %x", err, r)
		}

		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		err = bus.Tx(ctx, 0x20, []byte{0}, nil)
		if !errors.Is(err, context.Canceled) || errors.Is(err, ErrBusStuck) {
			t.Errorf("cancelled: %v, want that this blames nobody", err)
		}
		for range 3 {
			go within(time.Second, 0x20)
		}
		synctest.Wait()
		time.Sleep(time.Second)
	})
}

type closingBus struct {
	busFunc
	closed *bool
}

func (c closingBus) Close() error { *c.closed = true; return nil }

func TestClose(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		release, closed := make(chan struct{}), false
		bus := NewBus(4, closingBus{busFunc(func(uint16, []byte, []byte) error { <-release; return nil }), &closed})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		bus.Tx(ctx, 1, nil, nil)
		if err := bus.Close(); !errors.Is(err, ErrBusStuck) || closed {
			t.Errorf("while a transaction hangs: %v, closed %v", err, closed)
		}
		close(release)
		if err := bus.Close(); err != nil || !closed {
			t.Errorf("afterwards: %v, closed %v", err, closed)
		}
	})
}
