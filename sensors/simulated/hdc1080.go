package simulated

import (
	"encoding/binary"
	"math"
	"time"
)

// An HDC1080 is Texas Instruments' sensor of temperature and humidity: registers of 16 bits behind a pointer, §8.6 of its
// datasheet.
type HDC1080 struct {
	air     func(time.Time) Air
	pointer byte
	config  uint16
	up      time.Time
	done    time.Time // when the measurement is; zero while there is none
	next    [2]uint16 // what it will be
	data    [2]uint16
}

// NewHDC1080 returns a chip in that air.
func NewHDC1080(air func(time.Time) Air) *HDC1080 { return &HDC1080{air: air} }

const hdc1080Both = 1 << 12 // of the configuration: temperature and humidity in one go

// PowerUp implements [Chip].
func (c *HDC1080) PowerUp(at time.Time) {
	*c = HDC1080{air: c.air, config: hdc1080Both, up: at.Add(15 * time.Millisecond)}
}

// Tx implements [Chip].
func (c *HDC1080) Tx(at time.Time, w, r []byte) error {
	if at.Before(c.up) {
		return ErrNoAnswer
	}
	if !c.done.IsZero() && !at.Before(c.done) {
		c.data, c.done = c.next, time.Time{}
	}
	if len(w) > 0 {
		c.pointer = w[0]
		c.write(at, w[1:])
	}
	if len(r) == 0 {
		return nil
	}
	if c.pointer < 2 && !c.done.IsZero() {
		return ErrNoAnswer // not converted yet: §8.5.1
	}
	for i := range r {
		r[i] = 0xff
	}
	copy(r, c.register())
	return nil
}

func (c *HDC1080) write(at time.Time, w []byte) {
	switch {
	case len(w) == 0 && c.pointer < 2:
		c.trigger(at)
	case len(w) >= 2 && c.pointer == 2:
		c.config = binary.BigEndian.Uint16(w) & 0x3700 // the battery's bit is read-only, the rest reserved
		if w[0]&0x80 != 0 {
			c.PowerUp(at)
		}
	}
}

func (c *HDC1080) trigger(at time.Time) {
	air, takes := c.air(at), time.Duration(0)
	if c.config&(1<<13) != 0 {
		air.Celsius += 10 // heater
	}
	fine := []float64{4, 32, 256, 256} // 14, 11 and 8 bits
	raw := func(v, unit float64) uint16 {
		return uint16(min(max(math.Round(v*65536/unit)*unit, 0), 65536-unit))
	}
	c.next = c.data
	if c.pointer == 0 || c.config&hdc1080Both != 0 {
		c.next[0] = raw((air.Celsius+40)/165, fine[c.config>>10&1])
		takes += 6350 * time.Microsecond
	}
	if c.pointer == 1 || c.config&hdc1080Both != 0 {
		c.next[1] = raw(air.Percent/100, fine[c.config>>8&3])
		takes += 6500 * time.Microsecond
	}
	c.done = at.Add(takes)
}

// register returns what is read from the pointer on. Only the two measurements are read in one go.
func (c *HDC1080) register() []byte {
	word := func(v ...uint16) (b []byte) {
		for _, v := range v {
			b = binary.BigEndian.AppendUint16(b, v)
		}
		return b
	}
	switch c.pointer {
	case 0:
		return word(c.data[0], c.data[1])
	case 1:
		return word(c.data[1])
	case 2:
		return word(c.config)
	case 0xfb, 0xfc, 0xfd:
		return word(0x0211 * uint16(c.pointer-0xfa))
	case 0xfe:
		return word(0x5449)
	case 0xff:
		return word(0x1050)
	}
	return nil
}
