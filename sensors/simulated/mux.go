package simulated

import "time"

// A Mux is a TCA9548A: its one register switches eight channels, each with a bus of its own. [Bus.AttachMux] puts it on a bus.
type Mux struct {
	control  byte
	channels [8]*Bus
}

// NewMux returns a multiplexer with nothing behind it.
func NewMux() *Mux {
	m := new(Mux)
	for i := range m.channels {
		m.channels[i] = NewBus(i)
	}
	return m
}

// Channel returns the bus behind a channel, 0 to 7.
func (m *Mux) Channel(n int) *Bus { return m.channels[n] }

// PowerUp implements [Chip]: all channels are closed.
func (m *Mux) PowerUp(time.Time) { m.control = 0 }

// Tx implements [Chip]. The last byte that is written counts; every byte that is read is the register.
func (m *Mux) Tx(_ time.Time, w, r []byte) error {
	if len(w) > 0 {
		m.control = w[len(w)-1]
	}
	for i := range r {
		r[i] = m.control
	}
	return nil
}

// open returns the buses behind the open channels.
func (m *Mux) open() (all []*Bus) {
	for i, bus := range m.channels {
		if m.control>>i&1 != 0 {
			all = append(all, bus)
		}
	}
	return all
}

// AttachMux puts a multiplexer on the bus and switches it on.
func (b *Bus) AttachMux(addr uint16, m *Mux) {
	b.Attach(addr, m)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.muxes = append(b.muxes, addr)
}

// behind returns the buses that are connected through the bus's multiplexers now.
func (b *Bus) behind() (all []*Bus) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, addr := range b.muxes {
		if s := b.slots[addr]; !s.unplugged {
			all = append(all, s.chip.(*Mux).open()...)
		}
	}
	return all
}
