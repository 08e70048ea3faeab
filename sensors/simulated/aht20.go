package simulated

import (
	"bytes"
	"math"
	"time"
)

// An AHT20 is Aosong's sensor of temperature and humidity, after its datasheet of 2020. It answers while it is busy, and
// says so; what is read without a command is its status and the last measurement.
type AHT20 struct {
	air        func(time.Time) Air
	blank      bool // it wakes up without its calibration
	up         time.Time
	done       time.Time // when the measurement is
	calibrated bool
	data       [5]byte // the last measurement
	next       [5]byte // the one that is under way
	asked      bool    // for the status alone
}

// NewAHT20 returns a chip in that air.
func NewAHT20(air func(time.Time) Air) *AHT20 { return &AHT20{air: air} }

// NewBlankAHT20 returns a chip that has to be told to load its calibration, as those of early years.
func NewBlankAHT20(air func(time.Time) Air) *AHT20 { return &AHT20{air: air, blank: true} }

// PowerUp implements [Chip].
func (c *AHT20) PowerUp(at time.Time) {
	*c = AHT20{air: c.air, blank: c.blank, up: at.Add(40 * time.Millisecond), calibrated: !c.blank}
}

// Tx implements [Chip].
func (c *AHT20) Tx(at time.Time, w, r []byte) error {
	if at.Before(c.up) {
		return ErrNoAnswer
	}
	if !c.done.IsZero() && !at.Before(c.done) {
		c.data, c.done = c.next, time.Time{}
	}
	if len(w) > 0 && !c.write(at, w) {
		return ErrNoAnswer
	}
	if len(r) > 0 {
		c.read(r)
	}
	return nil
}

func (c *AHT20) write(at time.Time, w []byte) bool {
	c.asked = false
	switch {
	case bytes.Equal(w, []byte{0x71}):
		c.asked = true
	case !c.done.IsZero():
		return false // busy
	case bytes.Equal(w, []byte{0xbe, 0x08, 0x00}):
		c.calibrated, c.up = true, at.Add(10*time.Millisecond)
	case bytes.Equal(w, []byte{0xba}):
		c.PowerUp(at)
		c.up = at.Add(20 * time.Millisecond)
	case bytes.Equal(w, []byte{0xac, 0x33, 0x00}):
		c.next, c.done = c.measure(at), at.Add(80*time.Millisecond)
	default:
		return false
	}
	return true
}

// read gives the status, and with it the data and their checksum where more than the status was asked for. The next read is of
// all again.
func (c *AHT20) read(r []byte) {
	answer := []byte{0x10}
	if c.calibrated {
		answer[0] |= 1 << 3
	}
	if !c.done.IsZero() {
		answer[0] |= 1 << 7
	}
	if !c.asked {
		answer = append(answer, c.data[:]...)
		answer = append(answer, checksum(0xff, answer...))
	}
	for i := range r {
		r[i] = 0xff
	}
	copy(r, answer)
	c.asked = false
}

func (c *AHT20) measure(at time.Time) (data [5]byte) {
	air := c.air(at)
	scale := func(v, span float64) uint32 { return uint32(min(max(math.Round(v/span*(1<<20)), 0), 1<<20-1)) }
	h, t := scale(air.Percent, 100), scale(air.Celsius+50, 200)
	if !c.calibrated {
		h, t = 0, 0x1000
	}
	return [5]byte{byte(h >> 12), byte(h >> 4), byte(h<<4) | byte(t>>16), byte(t >> 8), byte(t)}
}
