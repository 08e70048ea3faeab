package simulated

import "time"

// An LSM303DLHC is the magnetometer of STMicroelectronics' chip of that name. Its thermometer is not there, and neither is
// the accelerometer, which has an address of its own.
type LSM303DLHC struct {
	field   func(time.Time) [3]float64 // x, y, z in teslas
	regs    [13]byte
	pointer byte
	done    time.Time // when the measurement is; zero where nothing is measured
}

// NewLSM303DLHC returns a magnetometer in that field: x, y and z in teslas.
func NewLSM303DLHC(field func(time.Time) [3]float64) *LSM303DLHC { return &LSM303DLHC{field: field} }

// PowerUp implements [Chip].
func (c *LSM303DLHC) PowerUp(time.Time) {
	*c = LSM303DLHC{field: c.field, regs: [13]byte{0x00: 0x10, 0x01: 0x20, 0x02: 0x03, 0x0a: 'H', 0x0b: '4', 0x0c: '3'}}
}

// Tx implements [Chip]. Reading goes on to the next register, from the last of the data to their first, and from the last of
// the identity to the first of all.
func (c *LSM303DLHC) Tx(at time.Time, w, r []byte) error {
	c.settle(at)
	if len(w) > 0 {
		c.pointer = w[0] & 0x7f
	}
	if len(w) > 1 {
		c.write(at, w[1])
	}
	for i := range r {
		r[i] = 0
		if int(c.pointer) < len(c.regs) {
			r[i] = c.regs[c.pointer]
		}
		switch c.pointer {
		case 0x08:
			c.pointer = 0x03
		case 0x0c:
			c.pointer = 0
		default:
			c.pointer++
		}
	}
	return nil
}

func (c *LSM303DLHC) write(at time.Time, v byte) {
	switch c.pointer {
	case 0x00:
		c.regs[0] = v & 0x9c
	case 0x01:
		c.regs[1] = v & 0xe0
	case 0x02:
		c.regs[2] = v & 3
		c.done = time.Time{}
		if v&2 == 0 {
			c.done = at.Add(c.period())
			c.regs[9] = 0
		}
	}
}

// period returns the time between two measurements (table 72).
func (c *LSM303DLHC) period() time.Duration {
	hertz := [8]float64{0.75, 1.5, 3, 7.5, 15, 30, 75, 220}[c.regs[0]>>2&7]
	return time.Duration(float64(time.Second) / hertz)
}

// settle brings data and status up to date.
func (c *LSM303DLHC) settle(at time.Time) {
	if c.done.IsZero() || at.Before(c.done) {
		return
	}
	gain := c.regs[1] >> 5
	xy := [8]float64{1100, 1100, 855, 670, 450, 400, 330, 230}[gain]
	z := [8]float64{980, 980, 760, 600, 400, 355, 295, 205}[gain]
	period := c.period()
	if c.regs[2] == 0 { // continuous
		c.done = c.done.Add(at.Sub(c.done) / period * period)
	}
	field := c.field(c.done)
	for i, v := range []float64{field[0] * xy, field[2] * z, field[1] * xy} {
		n := steps(v, 1e-4, -4096, 4096)
		if n < -2048 || n > 2047 {
			n = -4096
		}
		wordBE(c.regs[3+2*i:], n)
	}
	c.regs[9] = 1
	if c.regs[2] == 1 { // once: then it sleeps
		c.regs[2], c.done = 3, time.Time{}
		return
	}
	c.done = c.done.Add(period)
}
