package simulated

import (
	"sort"
	"time"
)

// A BMP180 is Bosch's sensor of pressure and temperature before the BMP280.
type BMP180 struct {
	air     func(time.Time) Air
	held    *[2]int // what the converter is held at: temperature, pressure
	regs    [256]byte
	pointer byte
	on      time.Time
	done    time.Time // when the conversion is; zero where none is under way
}

// NewBMP180 returns a chip in that air.
func NewBMP180(air func(time.Time) Air) *BMP180 { return &BMP180{air: air} }

// Hold makes the converter read the given numbers, whatever the air is like: of 16 bits for the temperature, and of 16 and as
// many more as pressure is oversampled. It is for a chip that is not in use yet.
func (c *BMP180) Hold(temperature, pressure int) { c.held = &[2]int{temperature, pressure} }

// The calibration of the worked example (datasheet, figure 4), by which 27898 and 23843 are 15.0 °C and 69964 Pa.
const (
	bmpAC1 = 408
	bmpAC2 = -72
	bmpAC3 = -14383
	bmpAC4 = 32741
	bmpAC5 = 32757
	bmpAC6 = 23153
	bmpB1  = 6190
	bmpB2  = 4
	bmpMB  = -32768
	bmpMC  = -8711
	bmpMD  = 2868
)

// PowerUp implements [Chip].
func (c *BMP180) PowerUp(at time.Time) {
	*c = BMP180{air: c.air, held: c.held, on: at}
	c.regs[0xd0], c.regs[0xf6] = 0x55, 0x80
	words := []int{bmpAC1, bmpAC2, bmpAC3, bmpAC4, bmpAC5, bmpAC6, bmpB1, bmpB2, bmpMB, bmpMC, bmpMD}
	for i, v := range words {
		wordBE(c.regs[0xaa+2*i:], v)
	}
}

// Tx implements [Chip]. Reading goes on from register to register.
func (c *BMP180) Tx(at time.Time, w, r []byte) error {
	c.settle(at)
	if len(w) > 0 {
		c.pointer = w[0]
	}
	if len(w) > 1 {
		c.write(at, w[1])
	}
	for i := range r {
		r[i] = c.regs[c.pointer]
		c.pointer++
	}
	return nil
}

func (c *BMP180) write(at time.Time, v byte) {
	const startUp = 10 * time.Millisecond
	switch {
	case c.pointer == 0xe0 && v == 0xb6:
		c.PowerUp(at)
	case c.pointer == 0xf4 && at.Sub(c.on) >= startUp:
		c.regs[0xf4] = v
		if v&0x20 != 0 {
			c.done = at.Add(c.takes())
		}
	}
}

// takes returns how long the conversion takes typically (table 3).
func (c *BMP180) takes() time.Duration {
	if c.regs[0xf4]&0x1f == 0x0e {
		return 3 * time.Millisecond
	}
	return [4]time.Duration{3e6, 5e6, 9e6, 17e6}[c.regs[0xf4]>>6]
}

func (c *BMP180) settle(at time.Time) {
	if c.done.IsZero() || at.Before(c.done) {
		return
	}
	air, oversample := c.air(c.done), c.regs[0xf4]>>6
	ut := sort.Search(1<<16-1, func(raw int) bool { return bmpTemperature(int64(raw)) >= int64(air.Celsius*160) })
	up := sort.Search(1<<(16+oversample)-1, func(raw int) bool {
		return bmpPressure(int64(raw), bmpTemperature(int64(ut)), oversample) >= int64(air.Pascals)
	})
	if c.held != nil {
		ut, up = c.held[0], c.held[1]
	}
	switch c.regs[0xf4] & 0x1f {
	case 0x0e:
		wordBE(c.regs[0xf6:], ut)
		c.regs[0xf8] = 0
	case 0x14:
		n := up << (8 - oversample)
		wordBE(c.regs[0xf6:], n>>8)
		c.regs[0xf8] = byte(n)
	}
	c.regs[0xf4] &^= 0x20
	c.done = time.Time{}
}

// bmpTemperature is b5 of the datasheet: 1/160 °C.
func bmpTemperature(ut int64) int64 {
	x1 := (ut - bmpAC6) * bmpAC5 >> 15
	if x1 <= -bmpMD {
		return -1 << 20 // colder than the formula goes
	}
	return x1 + bmpMC*2048/(x1+bmpMD)
}

// bmpPressure is the rest of the formula: Pa.
func bmpPressure(up, b5 int64, oversample byte) int64 {
	b6 := b5 - 4000
	x3 := bmpB2*(b6*b6>>12)>>11 + bmpAC2*b6>>11
	b3 := ((bmpAC1*4+x3)<<oversample + 2) / 4
	x3 = (bmpAC3*b6>>13 + bmpB1*(b6*b6>>12)>>16 + 2) >> 2
	b4 := bmpAC4 * (x3 + 32768) >> 15
	p := (up - b3) * (50000 >> oversample) * 2 / b4
	x1 := (p >> 8) * (p >> 8) * 3038 >> 16
	return p + (x1+-7357*p>>16+3791)>>4
}
