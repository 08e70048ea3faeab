package simulated

import (
	"encoding/binary"
	"math"
	"sort"
	"time"
)

// A BH1750 is Rohm's sensor of light (BH1750FVI, 2011.11). It has no registers: each byte that is written is an opcode, and
// what is read is always the last measurement.
type BH1750 struct {
	lux     func(time.Time) float64
	on      bool   // not powered down
	sens    byte   // the measurement time register
	mode    byte   // opcode of the measurement; 0 for none
	data    uint16 // of the last measurement, 0 from power-up
	began   time.Time
	strange []byte // opcodes that the datasheet does not have
}

// NewBH1750 returns a chip in that light.
func NewBH1750(lux func(time.Time) float64) *BH1750 { return &BH1750{lux: lux} }

// Strange returns what was written that is no opcode: the datasheet forbids that.
func (c *BH1750) Strange() []byte { return c.strange }

// PowerUp implements [Chip].
func (c *BH1750) PowerUp(time.Time) { *c = BH1750{lux: c.lux, sens: 69} }

// Tx implements [Chip].
func (c *BH1750) Tx(at time.Time, w, r []byte) error {
	c.settle(at)
	for _, opcode := range w[:min(len(w), 1)] { // no more than one in a transaction
		c.command(at, opcode)
	}
	for i := range r {
		r[i] = 0xff
	}
	copy(r, binary.BigEndian.AppendUint16(nil, c.data))
	return nil
}

func (c *BH1750) command(at time.Time, opcode byte) {
	switch {
	case opcode == 0x00:
		c.on, c.mode = false, 0
	case opcode == 0x01:
		c.on, c.mode = true, 0
	case opcode == 0x07:
		if c.on {
			c.data = 0
		}
	case opcode&^0x33 == 0 && opcode&0x30 != 0 && opcode&0x30 != 0x30 && opcode&3 != 2: // power on may be left out
		c.on, c.mode, c.began = true, opcode, at
	case opcode>>3 == 0x40>>3:
		c.sens = c.sens&0x1f | opcode<<5
	case opcode>>5 == 0x60>>5:
		c.sens = c.sens&0xe0 | opcode&0x1f
	default:
		c.strange = append(c.strange, opcode)
	}
}

// settle takes in a measurement that is done: 120 ms typically at high resolution, 16 ms at low.
func (c *BH1750) settle(at time.Time) {
	if c.mode == 0 {
		return
	}
	takes, perLux := 120*time.Millisecond, 1.2
	switch c.mode & 3 {
	case 1:
		perLux = 2.4
	case 3:
		takes = 16 * time.Millisecond
	}
	takes = takes * time.Duration(c.sens) / 69
	if takes <= 0 || at.Sub(c.began) < takes {
		return
	}
	done := c.began.Add(at.Sub(c.began) / takes * takes)
	once := c.mode&0x20 != 0
	if once {
		done = c.began.Add(takes)
	}
	count := math.Floor(c.lux(done) * perLux * float64(c.sens) / 69)
	if c.mode&3 == 3 {
		count = math.Floor(count/4) * 4
	}
	c.data = uint16(min(max(count, 0), math.MaxUint16))
	if once {
		c.on, c.mode = false, 0
	}
}

// A VEML7700 is Vishay's sensor of light (84286, rev. 1.8). Its limits are registers only; power saving is not there.
type VEML7700 struct {
	lux     func(time.Time) float64
	pointer byte
	regs    [8]uint16
	began   time.Time
}

const vemlShutdown = 1

// NewVEML7700 returns a chip in that light.
func NewVEML7700(lux func(time.Time) float64) *VEML7700 { return &VEML7700{lux: lux} }

// PowerUp implements [Chip].
func (c *VEML7700) PowerUp(time.Time) {
	*c = VEML7700{lux: c.lux, regs: [8]uint16{0: vemlShutdown, 7: 0xc481}}
}

// Tx implements [Chip]. Words are low byte first.
func (c *VEML7700) Tx(at time.Time, w, r []byte) error {
	c.settle(at)
	if len(w) > 0 {
		c.pointer = w[0]
	}
	if len(w) >= 3 && c.pointer <= 3 {
		c.regs[c.pointer] = binary.LittleEndian.Uint16(w[1:])
		c.began = at.Add(2500 * time.Microsecond) // awake after that
	}
	for i := range r {
		r[i] = 0xff
	}
	if c.pointer < 8 {
		copy(r, binary.LittleEndian.AppendUint16(nil, c.regs[c.pointer]))
	}
	return nil
}

// settle takes in an integration that is done; asleep the chip keeps its last one.
func (c *VEML7700) settle(at time.Time) {
	config := c.regs[0]
	ms, ok := map[uint16]int{12: 25, 8: 50, 0: 100, 1: 200, 2: 400, 3: 800}[config>>6&15]
	takes := time.Duration(ms) * time.Millisecond
	if config&vemlShutdown != 0 || !ok || at.Sub(c.began) < takes {
		return
	}
	gain := [4]float64{1, 2, 0.125, 0.25}[config>>11&3]
	lux := c.lux(c.began.Add(at.Sub(c.began) / takes * takes))
	if lux > 1000 && gain < 1 {
		lux = bent(lux)
	}
	c.regs[4] = uint16(min(lux/0.0042*gain/2*float64(ms)/800+0.5, math.MaxUint16))
	c.regs[5] = c.regs[4]
}

// bent returns what the chip sees of that light: less than is there, by the polynomial of Vishay's application note 84323.
func bent(lux float64) float64 {
	const perLux = 64
	straight := func(x float64) float64 { return x * (1.0023 + x*(8.1488e-5+x*(-9.3924e-9+x*6.0135e-13))) }
	return float64(sort.Search(40000*perLux, func(i int) bool { return straight(float64(i)/perLux) >= lux })) / perLux
}
