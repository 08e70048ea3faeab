package simulated

import (
	"math"
	"time"
)

// An HTU21 is TE's HTU21D, or as an Si7021 that of Silicon Labs: they take the same commands. The modes that hold the clock
// are not there.
type HTU21 struct {
	air    func(time.Time) Air
	silabs bool
	box    mailbox
	user   byte
}

// NewHTU21 returns an HTU21D in that air.
func NewHTU21(air func(time.Time) Air) *HTU21 { return &HTU21{air: air} }

// NewSi7021 returns an Si7021 in that air.
func NewSi7021(air func(time.Time) Air) *HTU21 { return &HTU21{air: air, silabs: true} }

// PowerUp implements [Chip].
func (c *HTU21) PowerUp(at time.Time) {
	c.user, c.box = 0x02, mailbox{ready: at.Add(15 * time.Millisecond)}
	if c.silabs {
		c.user = 0x3a
		c.box.ready = at.Add(80 * time.Millisecond) // over the whole range of temperature
	}
}

// Tx implements [Chip].
func (c *HTU21) Tx(at time.Time, w, r []byte) error {
	return c.box.tx(at, w, r, func(w []byte) (reply, bool) { return c.do(at, w) })
}

func (c *HTU21) do(at time.Time, w []byte) (reply, bool) {
	switch {
	case is(w, 0xfa0f):
		return reply{answer: c.serial(0x32, 0x00, 0x4a, 0x91)}, true
	case is(w, 0xfcc9) && c.silabs: // SNB: 0x15 is the Si7021
		pairs := []byte{0x15, 0xff, checksum(0, 0x15, 0xff), 0xff, 0xff}
		return reply{answer: append(pairs, checksum(0, 0x15, 0xff, 0xff, 0xff))}, true
	case is(w, 0xfcc9):
		return reply{answer: []byte{0x00, 0x02, checksum(0, 0x00, 0x02), 0x48, 0x54, checksum(0, 0x48, 0x54)}}, true
	case len(w) == 2 && w[0] == 0xe6:
		const reserved = 0x3a
		c.user = c.user&(reserved|1<<6) | w[1]&^(reserved|1<<6)
		return reply{}, true
	case len(w) != 1:
		return reply{}, false
	}
	switch w[0] {
	case 0xe7:
		return reply{answer: []byte{c.user}}, true
	case 0xfe:
		c.PowerUp(at)
		return reply{takes: 15 * time.Millisecond}, true
	case 0xf3:
		return c.measure(at, false), true
	case 0xf5:
		return c.measure(at, true), true
	}
	return reply{}, false
}

// serial returns the first half of the serial number. The checksums of Silicon Labs cover all that came before.
func (c *HTU21) serial(number ...byte) (out []byte) {
	for i, b := range number {
		covered := number[i : i+1]
		if c.silabs {
			covered = number[:i+1]
		}
		out = append(out, b, checksum(0, covered...))
	}
	return out
}

// measure converts at the resolution of the user register: bits 7 and 0. The lowest two bits of the answer say what it is.
func (c *HTU21) measure(at time.Time, humidity bool) reply {
	air := c.air(at)
	if c.user&4 != 0 { // heater
		air.Celsius += 1.5
		air.Percent *= 0.9
	}
	code := c.user>>6&2 | c.user&1
	v, bits, status, takes := (air.Celsius+46.85)/175.72, []int{14, 12, 13, 11}[code], byte(0), 50*time.Millisecond
	if humidity {
		v, bits, status, takes = (air.Percent+6)/125, []int{12, 8, 10, 11}[code], 2, 16*time.Millisecond
	}
	switch {
	case c.silabs && humidity:
		takes = 22800 * time.Microsecond
	case c.silabs:
		takes = 10800 * time.Microsecond
	}
	unit := math.Exp2(float64(16 - bits))
	raw := uint16(min(max(math.Round(v*65536/unit), 0)*unit, 65536-unit))
	b := []byte{byte(raw >> 8), byte(raw)&^3 | status}
	return reply{append(b, checksum(0, b...)), takes}
}
