package simulated

import "time"

// An SGP30 is Sensirion's gas sensor, after its datasheet, §6. Its raw signals are not there.
type SGP30 struct {
	co2, tvoc func(time.Time) float64
	box       mailbox
	started   time.Time // when its algorithm was; zero until then
	baseline  [2]uint16
}

// NewSGP30 returns a chip in air with so many ppm of CO2 equivalent and so many ppb of TVOC.
func NewSGP30(co2, tvoc func(time.Time) float64) *SGP30 { return &SGP30{co2: co2, tvoc: tvoc} }

// PowerUp implements [Chip].
func (c *SGP30) PowerUp(at time.Time) {
	*c = SGP30{co2: c.co2, tvoc: c.tvoc, box: mailbox{ready: at.Add(600 * time.Microsecond)}}
}

// Tx implements [Chip].
func (c *SGP30) Tx(at time.Time, w, r []byte) error {
	return c.box.tx(at, w, r, func(w []byte) (reply, bool) { return c.do(at, w) })
}

func (c *SGP30) do(at time.Time, w []byte) (reply, bool) {
	const ms = time.Millisecond
	switch {
	case is(w, 0x3682):
		return reply{checksummed(0x0000, 0x00ca, 0x4234), ms / 2}, true
	case is(w, 0x202f):
		return reply{checksummed(0x0022), 10 * ms}, true
	case is(w, 0x2003):
		c.started, c.baseline = at, [2]uint16{}
		return reply{nil, 10 * ms}, true
	case is(w, 0x2008):
		return reply{c.measure(at), 12 * ms}, true
	case is(w, 0x2015):
		return reply{checksummed(c.baseline[0], c.baseline[1]), 10 * ms}, true
	case len(w) == 8 && is(w[:2], 0x201e): // TVOC, then CO2 equivalent
		if checksum(0xff, w[2:4]...) != w[4] || checksum(0xff, w[5:7]...) != w[7] {
			return reply{}, false
		}
		c.baseline = [2]uint16{uint16(w[5])<<8 | uint16(w[6]), uint16(w[2])<<8 | uint16(w[3])}
		return reply{nil, 10 * ms}, true
	}
	return reply{}, false
}

// measure says 400 ppm and 0 ppb until the algorithm was started and 15 s have gone by.
func (c *SGP30) measure(at time.Time) []byte {
	if c.started.IsZero() || at.Sub(c.started) < 15*time.Second {
		return checksummed(400, 0)
	}
	if c.baseline[0] == 0 {
		c.baseline = [2]uint16{0x8c84, 0x8e5e}
	}
	return checksummed(uint16(min(max(c.co2(at), 400), 60000)), uint16(min(max(c.tvoc(at), 0), 60000)))
}
