package sensors

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"holdfast"
)

// The BH1750FVI of Rohm measures light. Datasheet: BH1750FVI, 2011.11, opcodes on page 5. It has no registers: each byte
// that is written is an opcode, and what is read is always the last measurement, 0 from power-up.
const (
	bh1750PowerDown = 0x00
	bh1750PowerOn   = 0x01
	bh1750Reset     = 0x07 // clears the measurement; not taken in power down
	bh1750Once      = 0x20 // one measurement at high resolution, then power down; power on may be left out, page 7

	// The time of measurement is a setting that cannot be read, and the numbers of registers by which other chips are asked for
	// can be opcodes that change it. So it is written for each measurement: 69, as from power-up.
	bh1750TimeHigh = 0x40 | 69>>5
	bh1750TimeLow  = 0x60 | 69&0x1f

	bh1750Conversion = 180 * time.Millisecond // at most, page 2
)

var bh1750 = Driver{
	Chip: "bh1750", Part: "Rohm BH1750", Addresses: []uint16{0x23, 0x5c}, Confidence: Likely,
	Quantities: []holdfast.Quantity{lux(1, 54612)},
	Wiring:     "ADDR to GND: 0x23; to Vcc: 0x5c",
	Notes:      "Above 54612 lx it is saturated and there is no value. No identity: it is known by answering every question with its last measurement. A port expander at its address (PCF8574) with all pins low answers alike and would be written to: give that another address",
	Tested:     []string{testedPeriph},
	probe:      isBH1750,
	open:       func(d Device) Sensor { return bh1750Chip{d} },
}

func lux(precision int, highest float64) holdfast.Quantity {
	return holdfast.Quantity{Name: "illuminance_lux", Unit: "lx", Precision: precision, Min: 0, Max: highest}
}

// isBH1750 looks whether there is one word that stands behind every register. The numbers it asks for are power down and
// power on, which are opcodes of a BH1750 and do no harm to it. Before anything is written two bytes are read as they come:
// a port expander (PCF8574, 0x20 to 0x27) sends its pins twice, and its pins are what a byte that is written would change. A
// BH1750 that was measured here is left with 0; one that somebody else left with two equal bytes is not known until it is
// without power. What cannot be told from one that has not measured yet is an expander whose pins are all low, and a chip
// with nothing but zeros in its first registers.
func isBH1750(ctx context.Context, d Device) (bool, error) {
	var first [2]byte
	if err := d.Bus.Tx(ctx, d.Addr, nil, first[:]); err != nil {
		return false, fmt.Errorf("read: %w", err)
	}
	if first[0] == first[1] && first[0] != 0 {
		return false, nil
	}
	for _, opcode := range []byte{bh1750PowerDown, bh1750PowerOn, bh1750PowerDown} {
		var again [2]byte
		if err := d.read(ctx, opcode, again[:]); err != nil || again != first {
			return false, err
		}
	}
	return true, nil
}

type bh1750Chip struct{ device Device }

// Read measures once more where there is no light at all, because that is also what a chip says that was without power
// meanwhile.
func (c bh1750Chip) Read(ctx context.Context) (map[string]float64, error) {
	count, err := c.measure(ctx)
	if err == nil && count == 0 {
		count, err = c.measure(ctx)
	}
	if err != nil {
		return nil, err
	}
	for _, opcode := range []byte{bh1750PowerOn, bh1750Reset, bh1750PowerDown} {
		if err := c.device.write(ctx, opcode); err != nil {
			return nil, err
		}
	}
	return decodeBH1750(count)
}

func (c bh1750Chip) measure(ctx context.Context) (uint16, error) {
	// What stands there from before is cleared: a measurement that somebody ends early, as a search does, is none.
	for _, opcode := range []byte{bh1750PowerOn, bh1750Reset, bh1750TimeHigh, bh1750TimeLow, bh1750Once} {
		if err := c.device.write(ctx, opcode); err != nil {
			return 0, err
		}
	}
	if err := wait(ctx, bh1750Conversion); err != nil {
		return 0, err
	}
	var b [2]byte
	if err := c.device.Bus.Tx(ctx, c.device.Addr, nil, b[:]); err != nil {
		return 0, fmt.Errorf("read the measurement: %w", err)
	}
	for _, opcode := range []byte{bh1750PowerOn, bh1750PowerDown} { // it stands behind each of them, as with no other chip
		var again [2]byte
		if err := c.device.read(ctx, opcode, again[:]); err != nil {
			return 0, err
		}
		if again != b {
			return 0, errAnother
		}
	}
	return binary.BigEndian.Uint16(b[:]), nil
}

// decodeBH1750 makes lx of a measurement: 1.2 counts each, page 7.
func decodeBH1750(count uint16) (map[string]float64, error) {
	if count == 0xffff {
		return nil, errors.New("saturated: more than 54612 lx, or nothing that answers")
	}
	return map[string]float64{"illuminance_lux": round(float64(count)/1.2, 0.1)}, nil
}
