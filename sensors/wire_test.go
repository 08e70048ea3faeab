package sensors

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"periph.io/x/conn/v3/i2c"
)

var errHeld = errors.New("sysfs-i2c: device or resource busy")

// A bus that a chip holds, which was cut off in the middle of a byte, is free after some clocks; where that does not help it
// is opened anew. The one whose transaction found it held is told so; the next ones go through.
func TestAHeldBusIsRecovered(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		frees string // what frees it
		fail  int    // transactions that fail before
		want  BusHealth
	}{
		{"by clocks", "clocks", 1, BusHealth{Clocks: 1}},
		{"by opening it anew", "reopen", 3, BusHealth{Clocks: 1, MuxResets: 1, Reopens: 1}},
		{"by nothing", "", 8, BusHealth{Clocks: 2, MuxResets: 2, Reopens: 2}},
	} {
		held := true
		bus := NewBus(1, busFunc(func(addr uint16, _, _ []byte) error {
			if addr == nobody && test.frees == "clocks" {
				held = false
			}
			if held {
				return errHeld
			}
			return nil
		}))
		bus.wire.know(0x70, 8)
		bus.wire.unsure = false
		bus.wire.reopen = func() (i2c.Bus, error) {
			held = held && test.frees != "reopen"
			return bus.wire.bus, nil
		}
		failed := 0
		for range 8 {
			if err := bus.Tx(t.Context(), 0x48, []byte{0}, nil); err != nil {
				if !errors.Is(err, ErrBusStuck) {
					t.Errorf("%s: %v", test.name, err)
				}
				failed++
			}
		}
		h := bus.Health()
		if got := (BusHealth{Clocks: h.Clocks, MuxResets: h.MuxResets, Reopens: h.Reopens}); failed != test.fail || got != test.want {
			t.Errorf("%s: %d failed and %+v, want %d and %+v", test.name, failed, got, test.fail, test.want)
		}
	}
}

// A chip that hangs the bus again and again is left alone for longer and longer, and the others are read meanwhile.
func TestAChipThatHangsTheBusIsIsolated(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		hangs := true
		bus := NewBus(1, busFunc(func(addr uint16, _, _ []byte) error {
			if addr == 0x13 && hangs {
				time.Sleep(3 * time.Second)
			}
			return nil
		}))
		tx := func(addr uint16) error {
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
			defer cancel()
			return bus.Tx(ctx, addr, []byte{0}, nil)
		}
		hung, alone := 0, 0
		for range 3600 {
			switch err := tx(0x13); {
			case errors.Is(err, ErrIsolated):
				alone++
			case errors.Is(err, ErrBusStuck):
				hung++
				time.Sleep(time.Second) // then it has come back
			default:
				t.Errorf("the chip that hangs: %v", err)
			}
			if err := tx(0x14); err != nil {
				t.Errorf("another one: %v", err)
			}
			time.Sleep(time.Second)
		}
		// 10, 20, 40, 80, 160, 320, 600, 600 … s of rest
		if hung < 9 || hung > 12 || alone < 3500 {
			t.Errorf("in an hour it hung the bus %d times and was left alone %d times", hung, alone)
		}
		hangs = false
		time.Sleep(longestIsolation)
		if err := tx(0x13); err != nil {
			t.Errorf("mended: %v", err)
		}
		hangs = true
		if err := tx(0x13); !errors.Is(err, ErrBusStuck) {
			t.Errorf("the first time after that: %v", err)
		}
		time.Sleep(5 * time.Second)
		if err := tx(0x13); !errors.Is(err, ErrBusStuck) {
			t.Errorf("the second time after that: %v", err)
		}
		time.Sleep(5 * time.Second)
	})
}

// A search, which asks where nobody is, leaves the health of the bus alone.
func TestBusHealth(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		errs := map[uint16]error{0x10: nil, 0x11: errors.New("remote I/O error"), 0x12: errors.New("input/output error")}
		bus := NewBus(1, busFunc(func(addr uint16, _, _ []byte) error {
			time.Sleep(time.Duration(addr) * time.Millisecond)
			return errs[addr]
		}))
		for addr := range errs {
			bus.Tx(t.Context(), addr, nil, nil)
			bus.Tx(context.WithValue(t.Context(), searching{}, true), addr, nil, nil)
		}
		want := BusHealth{Transfers: 3, NACKs: 1, Errors: 1, Busy: 51 * time.Millisecond, Longest: 18 * time.Millisecond}
		if got := bus.Health(); got != want {
			t.Errorf("%+v, want %+v", got, want)
		}
		if got := bus.Health(); got.Longest != 0 {
			t.Errorf("asked again the longest transfer is %v", got.Longest)
		}
	})
}
