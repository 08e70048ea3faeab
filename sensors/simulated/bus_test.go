package simulated

import (
	"testing"
	"testing/synctest"
	"time"
)

// sink is a chip that counts.
type sink struct{ ups, txs int }

func (s *sink) PowerUp(time.Time) { s.ups++ }

func (s *sink) Tx(_ time.Time, _, r []byte) error {
	s.txs++
	clear(r)
	return nil
}

func TestBusFaults(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		bus, chip := NewBus(3), &sink{}
		bus.Attach(0x10, chip)
		r := []byte{1}
		tx := func() error { return bus.Tx(0x10, []byte{0}, r) }
		if err := tx(); err != nil || r[0] != 0 || chip.ups != 1 {
			t.Errorf("healthy chip: %v, read %x, switched on %d times", err, r, chip.ups)
		}
		if err := bus.Tx(0x11, []byte{0}, r); err == nil {
			t.Error("an address without a chip answers")
		}
		bus.NACK(0x10, 2)
		if e1, e2, e3 := tx(), tx(), tx(); e1 == nil || e2 == nil || e3 != nil {
			t.Errorf("2 refusals: %v, %v, %v", e1, e2, e3)
		}
		bus.Unplug(0x10)
		if err := tx(); err == nil {
			t.Error("an unplugged chip answers")
		}
		bus.Plug(0x10)
		if err := tx(); err != nil || chip.ups != 2 {
			t.Errorf("plugged in again: %v, switched on %d times", err, chip.ups)
		}
		bus.Garbage(0x10, true)
		if err := tx(); err != nil || r[0] != 0xff {
			t.Errorf("garbage: %v, read %x", err, r)
		}
		bus.Garbage(0x10, false)

		bus.Slow(0x10, time.Second)
		start := time.Now()
		if err := tx(); err != nil || time.Since(start) != time.Second {
			t.Errorf("slow: %v after %v", err, time.Since(start))
		}
		bus.Slow(0x10, 0)

		bus.Stick()
		done := make(chan error, 1)
		go func() { done <- tx() }()
		time.Sleep(time.Hour)
		select {
		case err := <-done:
			t.Errorf("a stuck bus came back: %v", err)
		default:
		}
		bus.Release()
		if err := <-done; err != nil {
			t.Errorf("released: %v", err)
		}
	})
}

func TestPi(t *testing.T) {
	t.Parallel()
	pi := New(Options{})
	if n := len(pi.Buses()); n != 1 {
		t.Fatalf("%d buses, want 1", n)
	}
	for _, addr := range []uint16{BME280Address, TMP102Address} {
		if err := pi.Bus().Tx(addr, []byte{0}, make([]byte, 1)); err != nil {
			t.Errorf("0x%02x: %v", addr, err)
		}
	}
}
