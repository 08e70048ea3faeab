package simulated

import (
	"encoding/binary"
	"math"
	"time"
)

// Kind is a chip of the LM75's family.
type Kind int

const (
	LM75   Kind = iota // National Semiconductor: 9 bits; an unused register answers with what was read last
	TMP102             // Texas Instruments: 12 bits, or 13; two bytes of configuration
	TMP105             // Texas Instruments: 9 to 12 bits; four registers, again and again. As the model of QEMU.
)

// A Thermometer is a chip of that family. Its alert pin is not there.
type Thermometer struct {
	kind    Kind
	air     func(time.Time) Air
	pointer byte
	config  [2]byte
	limits  [2]uint16
	sent    [2]byte   // what was read last
	first   time.Time // when the first conversion is done
	frozen  int16     // the conversion that shutdown left
}

// NewThermometer returns a chip in that air.
func NewThermometer(kind Kind, air func(time.Time) Air) *Thermometer {
	return &Thermometer{kind: kind, air: air}
}

// PowerUp implements [Chip].
func (c *Thermometer) PowerUp(at time.Time) {
	conversion := map[Kind]time.Duration{LM75: 100 * time.Millisecond, TMP102: 26 * time.Millisecond, TMP105: 27 * time.Millisecond}
	*c = Thermometer{kind: c.kind, air: c.air, limits: [2]uint16{75 << 8, 80 << 8}, first: at.Add(conversion[c.kind])}
	if c.kind == TMP102 {
		c.config = [2]byte{0x60, 0xa0}
	}
}

// Tx implements [Chip].
func (c *Thermometer) Tx(at time.Time, w, r []byte) error {
	if len(w) > 0 {
		c.pointer = w[0] & 7
		c.write(at, w[1:])
	}
	if len(r) == 0 {
		return nil
	}
	reg := c.pointer & 3
	if c.kind != LM75 || c.pointer < 4 {
		c.load(at, reg)
	}
	for i := range r {
		r[i] = 0xff
	}
	copy(r, c.sent[:])
	return nil
}

// load puts the register into sent. The configuration of all but the TMP102 is one byte, and the other stays what it was.
func (c *Thermometer) load(at time.Time, reg byte) {
	switch reg {
	case 0:
		binary.BigEndian.PutUint16(c.sent[:], c.temperature(at))
	case 1:
		c.sent[0] = c.config[0]
		if c.kind == TMP102 {
			c.sent[1] = c.config[1]
		}
	default:
		binary.BigEndian.PutUint16(c.sent[:], c.limits[reg-2])
	}
}

func (c *Thermometer) write(at time.Time, w []byte) {
	switch reg := c.pointer & 3; {
	case len(w) == 0 || reg == 0 || c.pointer >= 4 && c.kind == LM75:
	case reg == 1:
		c.configure(at, w)
	case len(w) >= 2:
		c.limits[reg-2] = binary.BigEndian.Uint16(w)
	}
}

func (c *Thermometer) configure(at time.Time, w []byte) {
	const shutdown, oneShot = 1, 1 << 7
	if now := c.convert(at); c.config[0]&shutdown == 0 || w[0]&oneShot != 0 {
		c.frozen = now // what a chip that goes to sleep, or is asked once, keeps
	}
	switch c.kind {
	case LM75:
		c.config[0] = w[0] & 0x1f
	case TMP105:
		c.config[0] = w[0] &^ oneShot
	case TMP102:
		c.config[0] = w[0]&^oneShot | 0x60 // its resolution cannot be written
		if len(w) > 1 {
			c.config[1] = w[1]&0xd0 | 0x20
		}
	}
}

func (c *Thermometer) wide() bool { return c.kind == TMP102 && c.config[1]&0x10 != 0 }

// convert returns the temperature in 1/256 °C as the chip last converted it: 0 until it first did.
func (c *Thermometer) convert(at time.Time) int16 {
	switch {
	case at.Before(c.first):
		return 0
	case c.config[0]&1 != 0:
		return c.frozen
	}
	v := math.Round(c.air(at).Celsius*16) * 16
	return int16(min(max(v, -55*256), math.MaxInt16))
}

// temperature returns the register: as many bits as are on, at its left end.
func (c *Thermometer) temperature(at time.Time) uint16 {
	v := c.convert(at)
	switch {
	case c.wide():
		return uint16(v>>1)&^7 | 1 // a whole step is 16 of 256; the lowest bit says that it is the wide form
	case c.kind == LM75:
		return uint16(v) &^ 0x7f
	case c.kind == TMP105:
		return uint16(v) &^ (0x7f >> (c.config[0] >> 5 & 3))
	}
	return uint16(v) &^ 0xf
}
