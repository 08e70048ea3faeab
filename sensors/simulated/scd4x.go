package simulated

import "time"

// An SCD4x is Sensirion's sensor of CO2, after its datasheet, §3. Its calibration, its offsets and the single shots of the
// SCD41 are not there.
type SCD4x struct {
	air    func(time.Time) Air
	co2    func(time.Time) float64
	box    mailbox
	period time.Duration // 0 while it is idle
	since  time.Time     // when it began to measure
	read   int           // which of its measurements was read last, from 1
}

// NewSCD4x returns a chip in that air, with so many ppm of CO2 in it.
func NewSCD4x(air func(time.Time) Air, co2 func(time.Time) float64) *SCD4x {
	return &SCD4x{air: air, co2: co2}
}

// PowerUp implements [Chip].
func (c *SCD4x) PowerUp(at time.Time) {
	*c = SCD4x{air: c.air, co2: c.co2, box: mailbox{ready: at.Add(30 * time.Millisecond)}}
}

// Tx implements [Chip]. An answer is there after a millisecond, or at once where it is read in the same transaction: periph's
// driver reads so.
func (c *SCD4x) Tx(at time.Time, w, r []byte) error {
	return c.box.tx(at, w, r, func(w []byte) (reply, bool) {
		done, ok := c.do(at, w)
		if len(r) > 0 {
			done.takes = 0
		}
		return done, ok
	})
}

func (c *SCD4x) do(at time.Time, w []byte) (reply, bool) {
	const ms = time.Millisecond
	newest := 0
	if c.period > 0 {
		newest = int(at.Sub(c.since) / c.period)
	}
	switch {
	case is(w, 0xe4b8):
		ready := uint16(0x8000)
		if newest > c.read {
			ready |= 6
		}
		return reply{checksummed(ready), ms}, true
	case is(w, 0xec05):
		if newest <= c.read {
			return reply{}, false
		}
		c.read = newest
		return reply{c.measured(c.since.Add(time.Duration(newest) * c.period)), ms}, true
	case is(w, 0x3f86):
		c.period = 0
		return reply{nil, 500 * ms}, true
	case is(w, 0xe000):
		return reply{checksummed(0), ms}, true
	case c.period > 0:
		return reply{}, false // the others are for an idle chip
	case is(w, 0x3682):
		return reply{checksummed(0xf896, 0x9f07, 0x3bbe), ms}, true
	case is(w, 0x36f6): // wake up, which is not acknowledged by one that is awake
		return reply{}, false
	case is(w, 0x202f):
		return reply{checksummed(0x0440), ms}, true
	case is(w, 0x21b1):
		c.period, c.since, c.read = 5*time.Second, at, 0
		return reply{}, true
	case is(w, 0x21ac):
		c.period, c.since, c.read = 30*time.Second, at, 0
		return reply{}, true
	}
	return reply{}, false
}

func (c *SCD4x) measured(at time.Time) []byte {
	air := c.air(at)
	return checksummed(uint16(min(max(c.co2(at), 0), 40000)), scaled(air.Celsius, -45, 175), scaled(air.Percent, 0, 100))
}
