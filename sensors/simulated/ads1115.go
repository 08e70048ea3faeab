package simulated

import (
	"math"
	"time"
)

const (
	adsStart      = 1 << 15 // reads 1 while no conversion is going on
	adsSingleShot = 1 << 8
)

// An ADS1115 is a converter of Texas Instruments (SBAS444) with four inputs. Its comparator is registers only.
type ADS1115 struct {
	inputs  func(time.Time) [4]float64 // volts against ground
	pointer byte
	config  uint16 // without the bit that starts
	limits  [2]uint16
	result  int16
	began   time.Time // zero where no single conversion is going on
}

// NewADS1115 returns a chip with these volts at its inputs.
func NewADS1115(inputs func(time.Time) [4]float64) *ADS1115 { return &ADS1115{inputs: inputs} }

// PowerUp implements [Chip].
func (c *ADS1115) PowerUp(time.Time) {
	*c = ADS1115{inputs: c.inputs, config: 0x0583, limits: [2]uint16{0x8000, 0x7fff}}
}

// Tx implements [Chip].
func (c *ADS1115) Tx(at time.Time, w, r []byte) error {
	c.settle(at)
	words(&c.pointer, w, r, c.read, func(reg byte, v uint16) { c.write(at, reg, v) })
	return nil
}

func (c *ADS1115) read(reg byte) uint16 {
	switch reg & 3 { // the other bits of the pointer are reserved
	case 0:
		return uint16(c.result)
	case 1:
		if c.config&adsSingleShot != 0 && c.began.IsZero() {
			return c.config | adsStart
		}
		return c.config
	}
	return c.limits[reg&3-2]
}

func (c *ADS1115) write(at time.Time, reg byte, v uint16) {
	switch reg & 3 {
	case 0:
	case 1:
		c.config = v &^ adsStart
		if v&adsStart != 0 || v&adsSingleShot == 0 {
			c.began = at
		}
	default:
		c.limits[reg&3-2] = v
	}
}

// settle takes in a conversion that is done.
func (c *ADS1115) settle(at time.Time) {
	takes := time.Second / time.Duration([8]int{8, 16, 32, 64, 128, 250, 475, 860}[c.config>>5&7])
	if c.began.IsZero() || at.Sub(c.began) < takes {
		return
	}
	done := c.began.Add(at.Sub(c.began) / takes * takes)
	if c.config&adsSingleShot != 0 {
		done, c.began = c.began.Add(takes), time.Time{}
	}
	c.result = c.convert(c.inputs(done))
}

func (c *ADS1115) convert(in [4]float64) int16 {
	scale := [8]float64{6.144, 4.096, 2.048, 1.024, 0.512, 0.256, 0.256, 0.256}[c.config>>9&7]
	mux := c.config >> 12 & 7
	volts := [4]float64{in[0] - in[1], in[0] - in[3], in[1] - in[3], in[2] - in[3]}[mux&3]
	if mux >= 4 {
		volts = in[mux-4]
	}
	return int16(min(max(math.Round(volts/scale*32768), math.MinInt16), math.MaxInt16))
}
