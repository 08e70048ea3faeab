package simulated

import (
	"encoding/binary"
	"math"
	"time"
)

// ClockKind is a clock of Maxim.
type ClockKind int

const (
	DS3231 ClockKind = iota // 19 registers, with a thermometer
	DS1338                  // 8 registers and 56 bytes of memory, as the DS1307; as the model of QEMU
)

const (
	dsControl = 0x0e
	dsStatus  = 0x0f
	dsConvert = 1 << 5
	dsBusy    = 1 << 2
	dsStopped = 1 << 7
)

// A Clock is such a chip without a battery: the time begins anew from power-up. Its alarms are registers only, and its time
// cannot be set.
type Clock struct {
	kind     ClockKind
	air      func(time.Time) Air
	pointer  byte
	regs     [64]byte
	power    time.Time // since when
	measured time.Time // when the last conversion was done
	forced   time.Time // when the conversion began that was asked for; zero where none is going on
}

// NewClock returns a clock in that air.
func NewClock(kind ClockKind, air func(time.Time) Air) *Clock { return &Clock{kind: kind, air: air} }

func (c *Clock) size() byte { return map[ClockKind]byte{DS3231: 0x13, DS1338: 0x40}[c.kind] }

// PowerUp implements [Chip].
func (c *Clock) PowerUp(at time.Time) {
	*c = Clock{kind: c.kind, air: c.air, power: at}
	if c.kind == DS3231 {
		c.regs[dsControl], c.regs[dsStatus] = 0x1c, dsStopped|1<<3
		return
	}
	c.regs[7] = 0xb3
	for i := range 56 {
		c.regs[8+i] = byte(37 * i) // whatever
	}
}

// Tx implements [Chip]. Reading goes on from register to register and begins anew behind the last.
func (c *Clock) Tx(at time.Time, w, r []byte) error {
	c.settle(at)
	if len(w) > 0 {
		c.pointer = w[0] % c.size()
		for _, v := range w[1:] {
			c.write(at, v)
			c.pointer = (c.pointer + 1) % c.size()
		}
	}
	for i := range r {
		r[i] = c.regs[c.pointer]
		c.pointer = (c.pointer + 1) % c.size()
	}
	return nil
}

func (c *Clock) write(at time.Time, v byte) {
	switch {
	case c.pointer < 7 || c.kind == DS3231 && c.pointer > 0x10:
	case c.kind == DS3231 && c.pointer == dsControl:
		if v&dsConvert != 0 && c.forced.IsZero() && c.regs[dsStatus]&dsBusy == 0 {
			c.forced = at
		}
		c.regs[dsControl] = v
	case c.kind == DS3231 && c.pointer == dsStatus:
		c.regs[dsStatus] &= v&0x83 | 0x7c // three flags can be cleared
	default:
		c.regs[c.pointer] = v
	}
}

// settle brings time and temperature up to date.
func (c *Clock) settle(at time.Time) {
	now := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC).Add(at.Sub(c.power))
	bcd := func(n int) byte { return byte(n/10<<4 | n%10) }
	copy(c.regs[:], []byte{
		bcd(now.Second()), bcd(now.Minute()), bcd(now.Hour()), byte(now.Weekday()) + 1, bcd(now.Day()), bcd(int(now.Month())), bcd(now.Year() % 100),
	})
	if c.kind == DS3231 {
		c.thermometer(at)
	}
}

// thermometer converts from power-up, every 64 s, and when it is asked to. That takes 125 ms.
func (c *Clock) thermometer(at time.Time) {
	const takes, every = 125 * time.Millisecond, 64 * time.Second
	into := at.Sub(c.power) % every
	own := at.Add(takes - into) // when the conversion of these 64 s is done
	if into < takes {
		own = own.Add(-every)
	}
	c.measure(own)
	if !c.forced.IsZero() && at.Sub(c.forced) >= takes {
		c.measure(c.forced.Add(takes))
		c.regs[dsControl] &^= dsConvert
		c.forced = time.Time{}
	}
	c.regs[dsStatus] &^= dsBusy
	if into < takes || !c.forced.IsZero() {
		c.regs[dsStatus] |= dsBusy
	}
}

// measure puts the temperature of that instant into its registers, unless a later one stands there, or power came later.
func (c *Clock) measure(at time.Time) {
	if at.Before(c.power) || !at.After(c.measured) {
		return
	}
	c.measured = at
	quarters := min(max(math.Round(c.air(at).Celsius*4), -512), 511)
	binary.BigEndian.PutUint16(c.regs[0x11:], uint16(int16(quarters)<<6))
}
