package simulated

import "time"

// An EMC141x is SMSC's thermometer of its own and of diodes elsewhere. Limits and alerts are not there.
type EMC141x struct {
	product  byte
	channels []func(time.Time) float64 // °C: the chip, then the diodes; nil for a diode that is not connected
	pointer  byte
	config   byte
	rate     byte
	on       time.Time // when it got its power
	narrow   time.Time // until when the channels still have the form of before; zero where the form was never changed
	kept     byte      // the lower byte that belongs to the upper one that was read last
	keptFor  int
}

// NewEMC1413 returns an EMC1413: the chip and two diodes.
func NewEMC1413(chip, diode1, diode2 func(time.Time) float64) *EMC141x {
	return &EMC141x{product: 0x21, channels: []func(time.Time) float64{chip, diode1, diode2}}
}

// NewEMC1414 returns an EMC1414: the chip and three diodes.
func NewEMC1414(chip, diode1, diode2, diode3 func(time.Time) float64) *EMC141x {
	return &EMC141x{product: 0x25, channels: []func(time.Time) float64{chip, diode1, diode2, diode3}}
}

const (
	emcStandby = 1 << 6
	emcWide    = 1 << 2
)

// PowerUp implements [Chip].
func (c *EMC141x) PowerUp(at time.Time) {
	*c = EMC141x{product: c.product, channels: c.channels, rate: 6, on: at, keptFor: -1}
}

// Tx implements [Chip]. A register is one byte; beyond it nobody pulls the line down.
func (c *EMC141x) Tx(at time.Time, w, r []byte) error {
	if len(w) > 0 {
		c.pointer = w[0]
	}
	if len(w) > 1 {
		c.write(at, w[1])
	}
	for i := range r {
		r[i] = 0xff
	}
	if len(r) > 0 {
		r[0] = c.read(at)
	}
	return nil
}

func (c *EMC141x) write(at time.Time, v byte) {
	switch c.pointer {
	case 0x03, 0x09:
		if (c.config^v)&emcWide != 0 {
			c.narrow = at.Add(c.cycle())
		}
		c.config = v
	case 0x04, 0x0a:
		c.rate = v & 15
	}
}

// cycle returns the time in which every channel is converted once (table 6-7).
func (c *EMC141x) cycle() time.Duration { return 16 * time.Second >> min(c.rate, 8) }

func (c *EMC141x) read(at time.Time) byte {
	high := map[byte]int{0x00: 0, 0x01: 1, 0x23: 2, 0x2a: 3}
	low := map[byte]int{0x29: 0, 0x10: 1, 0x24: 2, 0x2b: 3}
	if i, ok := high[c.pointer]; ok && i < len(c.channels) {
		word := c.convert(at, i)
		c.kept, c.keptFor = byte(word), i
		return byte(word >> 8)
	}
	if i, ok := low[c.pointer]; ok && i < len(c.channels) {
		if c.keptFor == i {
			return c.kept
		}
		return byte(c.convert(at, i))
	}
	switch c.pointer {
	case 0x03, 0x09:
		return c.config
	case 0x04, 0x0a:
		return c.rate
	case 0x05, 0x0b, 0x07, 0x0d: // high limits
		return 85
	case 0x1b:
		return c.faults()
	case 0xfd:
		return c.product
	case 0xfe:
		return 0x5d
	case 0xff:
		return 0x01
	}
	return 0
}

func (c *EMC141x) faults() (bits byte) {
	for i, celsius := range c.channels {
		if celsius == nil {
			bits |= 1 << i
		}
	}
	return bits
}

// convert returns the channel's word in 1/256 °C: 0 until it is first converted, in the form of before until it is next.
func (c *EMC141x) convert(at time.Time, channel int) int {
	if at.Before(c.on.Add(c.cycle())) {
		return 0
	}
	wide := c.config&emcWide != 0
	if at.Before(c.narrow) {
		wide = !wide
	}
	if c.channels[channel] == nil {
		return 0x8000
	}
	v := steps(c.channels[channel](at), 1.0/8, -64*8, 192*8-1)
	if wide {
		return (v + 64*8) << 5
	}
	return min(max(v, 0), 127*8+7) << 5
}
