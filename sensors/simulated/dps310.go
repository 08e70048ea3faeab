package simulated

import (
	"math"
	"time"
)

// A DPS310 is Infineon's sensor of pressure and temperature. It measures once when it is told to; its background mode, its
// FIFO and its interrupts are not there, and neither is a measurement of temperature repeated.
type DPS310 struct {
	air     func(time.Time) Air
	regs    [64]byte
	pointer byte
	on      time.Time
	what    byte      // being measured: 1 pressure, 2 temperature
	done    time.Time // when it is
}

// NewDPS310 returns a chip in that air.
func NewDPS310(air func(time.Time) Air) *DPS310 { return &DPS310{air: air} }

// The calibration of the chip that QEMU models.
var dpsCalibration = [18]byte{
	0x0e, 0x1e, 0xdd, 0x13, 0xca, 0x5f, 0x21, 0x52, 0xf9, 0xc6, 0x04, 0xd1, 0xdb, 0x47, 0x00, 0x5b, 0xfb, 0x3a,
}

// PowerUp implements [Chip].
func (c *DPS310) PowerUp(at time.Time) {
	*c = DPS310{air: c.air, on: at}
	c.regs[0x0d] = 0x10
	c.regs[0x28] = 0x80
	c.regs[0x32] = 0x02
}

// Tx implements [Chip]. Reading goes on from register to register, writing does not.
func (c *DPS310) Tx(at time.Time, w, r []byte) error {
	c.settle(at)
	if len(w) > 0 {
		c.pointer = w[0]
	}
	if len(w) > 1 {
		c.write(at, w[1])
	}
	for i := range r {
		r[i] = c.read()
		c.pointer++
	}
	return nil
}

func (c *DPS310) read() byte {
	if int(c.pointer) >= len(c.regs) {
		return 0
	}
	v := c.regs[c.pointer]
	switch c.pointer { // reading takes the news away (§7.3)
	case 0x00, 0x01, 0x02:
		c.regs[8] &^= 1 << 4
	case 0x03, 0x04, 0x05:
		c.regs[8] &^= 1 << 5
	}
	return v
}

func (c *DPS310) write(at time.Time, v byte) {
	switch c.pointer {
	case 0x06:
		c.regs[6] = v & 0x7f
	case 0x07:
		c.regs[7] = v & 0xf7
	case 0x09:
		c.regs[9] = v
	case 0x0c:
		if v&15 == 9 {
			c.PowerUp(at)
		}
	case 0x08:
		c.regs[8] = c.regs[8]&0xf0 | v&7
		c.what = v & 7
		if c.what == 1 || c.what == 2 {
			repeats := c.regs[5+c.what] & 7
			c.done = at.Add(2*time.Millisecond + 1600*time.Microsecond<<repeats) // §4.9.2
		}
	}
}

// settle brings status and data up to date.
func (c *DPS310) settle(at time.Time) {
	if !at.Before(c.on.Add(12 * time.Millisecond)) {
		c.regs[8] |= 1 << 6
	}
	if !at.Before(c.on.Add(40 * time.Millisecond)) {
		c.regs[8] |= 1 << 7
		copy(c.regs[0x10:], dpsCalibration[:])
	}
	if c.what != 1 && c.what != 2 || at.Before(c.done) {
		return
	}
	temperature, pressure := dpsRaw(c.air(c.done))
	switch c.what {
	case 1:
		c.put(0, pressure, c.regs[6])
		c.regs[8] |= 1 << 4
	case 2:
		if c.regs[7]>>7 != c.regs[0x28]>>7 {
			temperature *= 1.1 // the other sensor, for which there are no coefficients
		}
		c.put(3, temperature, c.regs[7])
		c.regs[8] |= 1 << 5
	}
	c.regs[8] &^= 7
	c.what = 0
}

// put puts a scaled number where it can be read: 24 bits, times the factor for the repeats.
func (c *DPS310) put(register int, scaled float64, config byte) {
	factor := [8]float64{524288, 1572864, 3670016, 7864320, 253952, 516096, 1040384, 2088960}[config&7]
	n := steps(scaled, 1/factor, -1<<23, 1<<23-1)
	c.regs[register] = byte(n >> 16)
	wordBE(c.regs[register+1:], n)
}

// dpsRaw is the inverse of §4.9.1: what the converters read in that air, before the factor for the repeats.
func dpsRaw(air Air) (temperature, pressure float64) {
	const c0, c1 = 225, -291
	const c00, c10, c01, c11, c20, c21, c30 = 81061, -57006, -1594, 1233, -9401, 91, -1222
	temperature = (air.Celsius - c0/2.0) / c1
	at := func(p float64) float64 {
		return c00 + p*(c10+p*(c20+p*c30)) + temperature*(c01+p*(c11+p*c21))
	}
	low, high := -1.0, 1.0 // pascals fall from one to the other
	for high-low > 1e-12 {
		if mid := (low + high) / 2; at(mid) > air.Pascals {
			low = mid
		} else {
			high = mid
		}
	}
	return temperature, math.Round(low*1e9) / 1e9
}
