package simulated

import "time"

// An MCP9808 is Microchip's thermometer of 0.0625 °C. Its alert pin is not there; what is said of alerts in the upper bits
// of the temperature is.
type MCP9808 struct {
	air     func(time.Time) Air
	pointer byte
	config  uint16
	limits  [3]uint16 // upper, lower, critical
	res     byte      // 0 to 3: 0.5 to 0.0625 °C
	began   time.Time // when converting began
	frozen  int       // the conversion that shutdown left, in 1/16 °C
}

// NewMCP9808 returns a chip in that air.
func NewMCP9808(air func(time.Time) Air) *MCP9808 { return &MCP9808{air: air} }

// PowerUp implements [Chip].
func (c *MCP9808) PowerUp(at time.Time) { *c = MCP9808{air: c.air, res: 3, began: at} }

const mcp9808Shutdown = 1 << 8

// Tx implements [Chip]. Each register is a word, the resolution a byte.
func (c *MCP9808) Tx(at time.Time, w, r []byte) error {
	if len(w) > 0 {
		c.pointer = w[0] & 15
		c.write(at, w[1:])
	}
	var word [2]byte
	switch c.pointer {
	case 1:
		wordBE(word[:], int(c.config))
	case 2, 3, 4:
		wordBE(word[:], int(c.limits[c.pointer-2]))
	case 5:
		wordBE(word[:], c.temperature(at))
	case 6:
		wordBE(word[:], 0x0054)
	case 7:
		wordBE(word[:], 0x0400)
	case 8:
		word = [2]byte{c.res, 0xff}
	}
	for i := range r {
		r[i] = 0xff
	}
	copy(r, word[:])
	return nil
}

func (c *MCP9808) write(at time.Time, w []byte) {
	locked := c.config&0xc0 != 0
	switch {
	case c.pointer == 8 && len(w) >= 1:
		c.res = w[0] & 3
	case len(w) < 2:
	case c.pointer >= 2 && c.pointer <= 4 && !locked:
		c.limits[c.pointer-2] = uint16(w[0])<<8 | uint16(w[1])&0xfc
	case c.pointer == 1:
		c.configure(at, uint16(w[0])<<8|uint16(w[1]))
	}
}

// configure takes what §5.2.1 lets it: a locked chip keeps its hysteresis, its locks and cannot be put to sleep.
func (c *MCP9808) configure(at time.Time, v uint16) {
	const settings = 0x07cf // without interrupt clear and alert status
	if c.config&0xc0 != 0 {
		c.config = c.config&0x07c0 | v&0x000f
		return
	}
	before := c.config & mcp9808Shutdown
	c.frozen = c.convert(at)
	c.config = v & settings
	if before != 0 && c.config&mcp9808Shutdown == 0 {
		c.began = at
	}
}

// convert returns the last conversion in 1/16 °C: 0 until the first is done.
func (c *MCP9808) convert(at time.Time) int {
	takes := 250 * time.Millisecond >> (3 - c.res)
	done := at.Sub(c.began) / takes
	if c.config&mcp9808Shutdown != 0 || done == 0 {
		return c.frozen
	}
	v := steps(c.air(c.began.Add(done*takes)).Celsius, 1.0/16, -256*16, 256*16-1)
	return v &^ (1<<(3-c.res) - 1)
}

// temperature returns 13 bits, and above them whether critical, upper and lower limit are passed.
func (c *MCP9808) temperature(at time.Time) int {
	v := c.convert(at)
	limit := func(i int) int { return int(int16(c.limits[i]<<3)) >> 3 }
	word := v & 0x1fff
	if v >= limit(2) {
		word |= 1 << 15
	}
	if v > limit(0) {
		word |= 1 << 14
	}
	if v < limit(1) {
		word |= 1 << 13
	}
	return word
}
