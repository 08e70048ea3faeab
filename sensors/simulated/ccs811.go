package simulated

import "time"

// Gas is what a sensor of gases is to find in the air.
type Gas struct {
	CO2  float64 // ppm, as an equivalent where the sensor cannot measure it
	TVOC float64 // ppb
}

// A CCS811 is ScioSense's sensor of organic compounds. It runs a bootloader until its application is started. Its baseline,
// its thresholds and its interrupt are not there.
type CCS811 struct {
	gas     func(time.Time) Gas
	on      time.Time
	runs    bool
	mode    byte
	began   time.Time // when it began to measure in that mode
	read    int       // how many measurements had been done when the result was last read
	errors  byte
	pointer byte
}

// NewCCS811 returns a chip among these gases.
func NewCCS811(gas func(time.Time) Gas) *CCS811 { return &CCS811{gas: gas} }

// PowerUp implements [Chip].
func (c *CCS811) PowerUp(at time.Time) { *c = CCS811{gas: c.gas, on: at} }

// Tx implements [Chip]. It does not answer while it starts. A register has as many bytes as it has; behind them are zeros.
func (c *CCS811) Tx(at time.Time, w, r []byte) error {
	const startUp = 20 * time.Millisecond
	if at.Sub(c.on) < startUp {
		return ErrNoAnswer
	}
	if len(w) > 0 {
		c.pointer = w[0]
		c.write(at, w)
	}
	if len(r) > 0 {
		clear(r)
		copy(r, c.register(at))
	}
	return nil
}

func (c *CCS811) write(at time.Time, w []byte) {
	switch {
	case w[0] == 0xff && string(w[1:]) == "\x11\xe5\x72\x8a":
		c.PowerUp(at)
	case w[0] == 0xf4 && len(w) == 1:
		c.runs = true
	case w[0] == 0x01 && len(w) == 2 && c.runs:
		if w[1]>>4&7 > 4 {
			c.errors |= 1 << 2
			return
		}
		if c.mode != w[1]&0x7c {
			c.began, c.read = at, 0
		}
		c.mode = w[1] & 0x7c
	case len(w) > 1:
		c.errors |= 1 << 0
	}
}

func (c *CCS811) register(at time.Time) []byte {
	switch c.pointer {
	case 0x00:
		return []byte{c.status(at)}
	case 0x20:
		return []byte{0x81}
	case 0x21:
		return []byte{0x12}
	case 0x23:
		return []byte{0x10, 0x00}
	case 0xe0:
		errors := c.errors
		c.errors = 0
		return []byte{errors}
	}
	switch {
	case c.runs && c.pointer == 0x01:
		return []byte{c.mode}
	case c.runs && c.pointer == 0x02:
		return c.result(at)
	case c.runs && c.pointer == 0x24:
		return []byte{0x20, 0x00}
	}
	c.errors |= 1 << 1
	return nil
}

func (c *CCS811) status(at time.Time) byte {
	status := byte(1 << 4) // a valid application
	if c.runs {
		status |= 1 << 7
	}
	if c.measured(at) > c.read {
		status |= 1 << 3
	}
	if c.errors != 0 {
		status |= 1
	}
	return status
}

// measured returns how many measurements were done in the present mode.
func (c *CCS811) measured(at time.Time) int {
	period := [5]time.Duration{0, time.Second, 10 * time.Second, time.Minute, 250 * time.Millisecond}[c.mode>>4]
	if period == 0 {
		return 0
	}
	return int(at.Sub(c.began) / period)
}

// result returns the values, the status, the error, and what the layer's resistance was. The first values are 400 ppm and
// none of anything; until 20 minutes have gone they come nearer to those of the air.
func (c *CCS811) result(at time.Time) []byte {
	n := c.measured(at)
	c.read = n
	r := make([]byte, 8)
	if n > 0 {
		gas := c.gas(at)
		part := min(float64(at.Sub(c.began))/float64(20*time.Minute), 1)
		wordBE(r[0:], steps(400+(gas.CO2-400)*part, 1, 400, 8192))
		wordBE(r[2:], steps(gas.TVOC*part, 1, 0, 1187))
	}
	r[4], r[5] = c.status(at), c.errors
	wordBE(r[6:], 20<<10|512)
	return r
}
