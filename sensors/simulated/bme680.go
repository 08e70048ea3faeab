package simulated

import "time"

// A BME680 is Bosch's sensor of temperature, humidity, pressure and gases. Nine of its ten heater profiles, its filter and SPI
// are not there.
type BME680 struct {
	air     func(time.Time) Air
	ohms    func(time.Time) float64
	held    *[3]int // what the converters are held at; nil where they follow the air
	regs    [256]byte
	pointer byte
	on      time.Time
	began   time.Time // when the measurement began; zero where none is under way
}

// NewBME680 returns a chip in that air, in whose gases the heated layer has so many ohms.
func NewBME680(air func(time.Time) Air, ohms func(time.Time) float64) *BME680 {
	return &BME680{air: air, ohms: ohms}
}

// Hold makes the converters read the given numbers, whatever the air is like. It is for a chip that is not in use yet.
func (c *BME680) Hold(temperature, pressure, humidity int) {
	c.held = &[3]int{temperature, pressure, humidity}
}

// PowerUp implements [Chip].
func (c *BME680) PowerUp(at time.Time) {
	*c = BME680{air: c.air, ohms: c.ohms, held: c.held, on: at}
	c.regs[0xd0], c.regs[0x1f], c.regs[0x22], c.regs[0x25] = 0x61, 0x80, 0x80, 0x80
	bme680Calibration(c.regs[:])
}

// Tx implements [Chip]. A write is pairs of register and value; a single byte at its end is where reading begins, and reading
// goes on from register to register (§6.2).
func (c *BME680) Tx(at time.Time, w, r []byte) error {
	const startUp = 2 * time.Millisecond
	if at.Sub(c.on) < startUp {
		return ErrNoAnswer
	}
	c.settle(at)
	for len(w) >= 2 {
		c.write(at, w[0], w[1])
		w = w[2:]
	}
	if len(w) == 1 {
		c.pointer = w[0]
	}
	for i := range r {
		r[i] = c.regs[c.pointer]
		c.pointer++
	}
	return nil
}

const (
	bme680Status = 0x1d
	bme680Gas1   = 0x71
	bme680Hum    = 0x72
	bme680Meas   = 0x74
)

func (c *BME680) write(at time.Time, reg, v byte) {
	switch {
	case reg == 0xe0 && v == 0xb6:
		c.PowerUp(at)
	case reg >= 0x50 && reg <= 0x6d:
		c.regs[reg] = v
	case reg == 0x70:
		c.regs[reg] = v & 0x08
	case reg == bme680Gas1:
		c.regs[reg] = v & 0x1f
	case reg == bme680Hum:
		c.regs[reg] = v & 0x47
	case reg == 0x75:
		c.regs[reg] = v & 0x1d
	case reg == bme680Meas:
		c.regs[reg] = v
		if v&3 == 1 && c.began.IsZero() {
			c.began = at
			c.regs[bme680Status] = 1<<5 | c.regs[bme680Gas1]&15
		}
	}
}

// takes returns how long pressure, temperature and humidity take typically, and then gas.
func (c *BME680) takes() (tph, gas time.Duration) {
	n := oversampling(c.regs[bme680Meas]>>5) + oversampling(c.regs[bme680Meas]>>2) + oversampling(c.regs[bme680Hum])
	tph = time.Duration(1000+1800*n+450*4) * time.Microsecond
	if c.heats() {
		code := c.regs[0x64]
		gas = time.Duration(code&0x3f)*time.Millisecond<<(2*(code>>6)) + 2*time.Millisecond
	}
	return tph, gas
}

func (c *BME680) heats() bool { return c.regs[bme680Gas1]&(1<<4) != 0 && c.regs[0x70]&(1<<3) == 0 }

// settle brings status and data up to date.
func (c *BME680) settle(at time.Time) {
	if c.began.IsZero() {
		return
	}
	tph, gas := c.takes()
	switch into := at.Sub(c.began); {
	case into < tph:
		return
	case into < tph+gas:
		c.regs[bme680Status] |= 1 << 6
		return
	}
	c.measure(c.began.Add(tph))
	c.measureGas(c.began.Add(tph + gas))
	c.regs[bme680Status] = c.regs[bme680Status]&15 | 1<<7
	c.regs[bme680Meas] &^= 3
	c.began = time.Time{}
}

func (c *BME680) measure(at time.Time) {
	air := c.air(at)
	t := bme680RawTemperature(air.Celsius)
	fine := bme680Fine(int64(t))
	raw := [3]int{t, bme680RawPressure(air.Pascals, fine), bme680RawHumidity(air.Percent, fine)}
	if c.held != nil {
		raw = *c.held
	}
	meas := c.regs[bme680Meas]
	for i, code := range []byte{meas >> 5, meas >> 2, c.regs[bme680Hum]} {
		if oversampling(code) == 0 {
			raw[i] = [3]int{0x80000, 0x80000, 0x8000}[i]
		}
	}
	copy(c.regs[0x1f:], []byte{
		byte(raw[1] >> 12), byte(raw[1] >> 4), byte(raw[1] << 4),
		byte(raw[0] >> 12), byte(raw[0] >> 4), byte(raw[0] << 4),
		byte(raw[2] >> 8), byte(raw[2]),
	})
}

// measureGas says that the gas is valid where it was measured, and that the heater was stable where it had 20 ms for more than
// 200 °C.
func (c *BME680) measureGas(at time.Time) {
	c.regs[0x2b] &^= 3 << 4
	if !c.heats() {
		return
	}
	raw, scale := bme680RawGas(c.ohms(at))
	c.regs[0x2a], c.regs[0x2b] = byte(raw>>2), byte(raw<<6)|1<<5|byte(scale)
	if _, gas := c.takes(); gas >= 20*time.Millisecond && c.regs[0x5a] >= 70 {
		c.regs[0x2b] |= 1 << 4
	}
}
