package sensors

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Multiplexers of the family TCA9548A, PCA9548, PCA9546, PCA9544's likes excepted: one register, whose bits switch the channels,
// and which answers with what it holds. Datasheet: SCPS207, §8.5.
var tca9548a = Driver{
	Chip: "tca9548a", Part: "TCA9548A, PCA9546 and their like", Addresses: muxAddresses, Confidence: Likely,
	Wiring: "A2, A1, A0 to GND or Vcc: 0x70 to 0x77; RESET to Vcc",
	Notes:  "What is behind its channels is found and read as if it were on a bus of its own, by the name of the channel",
	Tested: []string{testedPeriph, testedVirtualPi},
	probe: func(ctx context.Context, d Device) (bool, error) {
		channels, err := muxChannels(ctx, d)
		return channels > 0, err
	},
}

var muxAddresses = []uint16{0x70, 0x71, 0x72, 0x73, 0x74, 0x75, 0x76, 0x77}

// muxChannels returns how many channels a multiplexer at d has, 0 where it is none, and leaves all of them closed. What is the
// number of a register to any other chip is the register itself to it: whatever is written is read back, for each bit that
// has a channel; 0 for the others. No chip has its own number in each of these registers.
func muxChannels(ctx context.Context, d Device) (channels int, err error) {
	if d.Bus.route != (route{}) { // behind another one: nobody could tell whose channel is open
		return 0, d.Bus.Tx(ctx, d.Addr, nil, make([]byte, 1))
	}
	if !slices.Contains(muxAddresses, d.Addr) {
		return 0, nil
	}
	for _, bit := range []byte{1, 2, 4, 8, 16, 32, 64, 128, 0} {
		var held [1]byte
		if err := d.Bus.Tx(ctx, d.Addr, []byte{bit}, nil); err != nil {
			return 0, err
		}
		if err := d.Bus.Tx(ctx, d.Addr, nil, held[:]); err != nil {
			return 0, err
		}
		switch {
		case held[0] == bit && bit != 0:
			channels++
		case held[0] != 0, channels < 4 && bit != 0:
			return 0, nil
		}
	}
	return channels, nil
}

// A route is a channel of a multiplexer. The zero route is the bus itself.
type route struct {
	mux     uint16
	channel int
}

// CheckMux returns an error unless the text names a channel of a multiplexer as [Configured] has it.
func CheckMux(text string) error {
	_, err := parseRoute(text)
	return err
}

// parseRoute reads the address and the channel of a multiplexer: 70.3. The empty text is the bus itself.
func parseRoute(text string) (r route, err error) {
	if text == "" {
		return r, nil
	}
	addr, channel, _ := strings.Cut(text, ".")
	mux, err := strconv.ParseUint(strings.TrimPrefix(addr, "0x"), 16, 8)
	n, wrong := strconv.ParseUint(channel, 10, 8)
	if errors.Join(err, wrong) != nil || !slices.Contains(muxAddresses, uint16(mux)) || n > 7 {
		return r, fmt.Errorf("mux %q: want the address and the channel of a multiplexer, 70.3 for channel 3 of the one at 0x70", text)
	}
	return route{uint16(mux), int(n)}, nil
}

func (r route) name(bus int) string {
	return strings.TrimSuffix(fmt.Sprintf("%d-%s", bus, r.channelName()), "-")
}

// channelName returns mux70.3, and for the bus itself "".
func (r route) channelName() string {
	if r == (route{}) {
		return ""
	}
	return fmt.Sprintf("mux%02x.%d", r.mux, r.channel)
}

// channels returns what lies behind the channels of the multiplexer at addr, which is taken in where it is new.
func (b *Bus) channels(ctx context.Context, addr uint16) (all []*Bus) {
	n, ok := b.wire.known()[addr]
	if !ok {
		if n, _ = muxChannels(ctx, Device{b, addr}); n == 0 {
			return nil
		}
		b.wire.know(addr, n)
	}
	for i := range n {
		all = append(all, b.behind(addr, i))
	}
	return all
}

// knownMux says what is to be said of the address of a multiplexer that is known, and reports whether one answers there. One
// that does not is forgotten: another chip may be plugged in there.
func (b *Bus) knownMux(ctx context.Context, addr uint16) (f Finding, is bool) {
	if _, ok := b.wire.known()[addr]; !ok || b.route != (route{}) {
		return f, false
	}
	if err := b.Tx(ctx, addr, nil, make([]byte, 1)); absent(err) {
		b.wire.mu.Lock()
		defer b.wire.mu.Unlock()
		delete(b.wire.muxes, addr)
		return f, false
	}
	return Finding{Bus: b.Number(), Address: addr, Chip: tca9548a.Chip, Sure: tca9548a.Confidence, on: b}, true
}

// behind returns what lies behind a channel of a multiplexer on the bus.
func (b *Bus) behind(mux uint16, channel int) *Bus {
	nobody := func(uint16) string { return "" }
	return &Bus{wire: b.wire, route: route{mux, channel}, left: b.left, owner: nobody, kernel: b.kernel}
}

// switchTo opens the channel, and no other. Where it is not sure which one is open, all are closed first. The caller has the
// turn.
func (w *wire) switchTo(r route) error {
	if w.open == r && !w.unsure {
		return nil
	}
	for mux := range w.known() {
		if mux == r.mux || !w.unsure && mux != w.open.mux {
			continue
		}
		if err := w.raw(mux, []byte{0}, nil); err != nil && !absent(err) {
			w.unsure = true
			return fmt.Errorf("close multiplexer 0x%02x: %w", mux, err)
		}
	}
	if r.mux != 0 {
		if err := w.raw(r.mux, []byte{1 << r.channel}, nil); err != nil {
			w.unsure = true
			return fmt.Errorf("open channel %d of multiplexer 0x%02x: %w", r.channel, r.mux, err)
		}
	}
	w.open, w.unsure = r, false
	return nil
}

// know takes a multiplexer in.
func (w *wire) know(mux uint16, channels int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.muxes[mux] = channels
}

// known returns the multiplexers that are known, and how many channels they have.
func (w *wire) known() map[uint16]int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return maps.Clone(w.muxes)
}

// absent reports whether the error may say that nobody is there.
func absent(err error) bool { return errors.Is(err, ErrNoAnswer) || errors.Is(err, ErrTimeout) }
