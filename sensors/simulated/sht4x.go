package simulated

import "time"

// An SHT4x is Sensirion's sensor of temperature and humidity, after its datasheet, table 8.
type SHT4x struct {
	air func(time.Time) Air
	box mailbox
}

// NewSHT4x returns a chip in that air.
func NewSHT4x(air func(time.Time) Air) *SHT4x { return &SHT4x{air: air} }

// PowerUp implements [Chip].
func (c *SHT4x) PowerUp(at time.Time) { c.box = mailbox{ready: at.Add(time.Millisecond)} }

// Tx implements [Chip].
func (c *SHT4x) Tx(at time.Time, w, r []byte) error {
	return c.box.tx(at, w, r, func(w []byte) (reply, bool) { return c.do(at, w[0]) })
}

// do carries out a command, which is one byte; more are not acknowledged, and change nothing.
func (c *SHT4x) do(at time.Time, command byte) (reply, bool) {
	const us = time.Microsecond
	switch command {
	case 0xfd:
		return reply{c.measure(at, 0), 8300 * us}, true
	case 0xf6:
		return reply{c.measure(at, 0), 4500 * us}, true
	case 0xe0:
		return reply{c.measure(at, 0), 1600 * us}, true
	case 0x89:
		return reply{checksummed(0x0f9e, 0x8d7c), 1000 * us}, true
	case 0x94:
		return reply{nil, 1000 * us}, true
	case 0x39, 0x2f, 0x1e: // heat for a second, then measure
		return reply{c.measure(at, 40), 1_100_000 * us}, true
	case 0x32, 0x24, 0x15: // for a tenth
		return reply{c.measure(at, 20), 110_000 * us}, true
	}
	return reply{}, false
}

func (c *SHT4x) measure(at time.Time, heated float64) []byte {
	air := c.air(at)
	return checksummed(scaled(air.Celsius+heated, -45, 175), scaled(air.Percent, -6, 125))
}
