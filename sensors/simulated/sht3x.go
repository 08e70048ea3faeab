package simulated

import "time"

// An SHT3x is Sensirion's sensor of temperature and humidity, after its datasheet of 2022. Clock stretching, the alert and
// the periodic modes other than 0x2130 (1 a second, high repeatability) are not there.
type SHT3x struct {
	air    func(time.Time) Air
	box    mailbox
	status uint16
	since  time.Time // of the periodic mode; zero while it is off
	read   int       // periodic measurements that were fetched
}

// NewSHT3x returns a chip in that air.
func NewSHT3x(air func(time.Time) Air) *SHT3x { return &SHT3x{air: air} }

// Bits of the status register, table 18. From power-up the chip says that it was reset, and an alert is pending.
const (
	sht3xStatusPowerUp = 0x8010
	sht3xHeater        = 1 << 13
	sht3xRejected      = 1 << 1 // the last command was not carried out
)

// PowerUp implements [Chip].
func (c *SHT3x) PowerUp(at time.Time) {
	*c = SHT3x{air: c.air, status: sht3xStatusPowerUp, box: mailbox{ready: at.Add(time.Millisecond)}}
}

// Tx implements [Chip].
func (c *SHT3x) Tx(at time.Time, w, r []byte) error {
	return c.box.tx(at, w, r, func(w []byte) (reply, bool) {
		done, ok := c.do(at, w)
		if !ok {
			c.status |= sht3xRejected
		}
		return done, ok
	})
}

func (c *SHT3x) do(at time.Time, w []byte) (reply, bool) {
	const ms = time.Millisecond
	if len(w) == 1 {
		return reply{}, true // half a command, which is taken and forgotten; there is no answer to it
	}
	switch {
	case is(w, 0x3093): // break
		c.since = time.Time{}
		return reply{takes: ms}, true
	case is(w, 0xe000): // fetch
		n := int(at.Sub(c.since) / time.Second)
		if c.since.IsZero() || n <= c.read {
			return reply{}, false
		}
		c.read = n
		return reply{answer: c.measure(c.since.Add(time.Duration(n) * time.Second))}, true
	case is(w, 0xf32d):
		return reply{answer: checksummed(c.status), takes: ms}, true
	case !c.since.IsZero():
		return reply{}, false // the others want a break first
	case is(w, 0x3682):
		return reply{answer: checksummed(0x0a1b, 0x2c3d), takes: ms}, true
	case is(w, 0x3041):
		c.status &= sht3xHeater
		return reply{takes: ms}, true
	case is(w, 0x306d):
		c.status |= sht3xHeater
		return reply{takes: ms}, true
	case is(w, 0x3066):
		c.status &^= sht3xHeater
		return reply{takes: ms}, true
	case is(w, 0x30a2):
		c.PowerUp(at)
		return reply{takes: 1500 * time.Microsecond}, true
	case is(w, 0x2130):
		c.since, c.read = at, 0
		return reply{takes: ms}, true
	}
	for i, repeatability := range []uint16{0x2400, 0x240b, 0x2416} {
		if is(w, repeatability) {
			takes := []time.Duration{15500, 6500, 4500}[i] * time.Microsecond
			return reply{answer: c.measure(at), takes: takes}, true
		}
	}
	return reply{}, false
}

func (c *SHT3x) measure(at time.Time) []byte {
	air := c.air(at)
	if c.status&sht3xHeater != 0 {
		air.Celsius += 3 // "a few degrees": §4.10
	}
	return checksummed(scaled(air.Celsius, -45, 175), scaled(air.Percent, 0, 100))
}
