package simulated

import (
	"encoding/binary"
	"time"
)

// Registers of the BME280, datasheet §5.3.
const (
	regCalibration  = 0x88
	regID           = 0xd0
	regReset        = 0xe0
	regCalibrationH = 0xe1
	regCtrlHum      = 0xf2
	regStatus       = 0xf3
	regCtrlMeas     = 0xf4
	regConfig       = 0xf5
	regData         = 0xf7

	modeSleep  = 0
	modeNormal = 3

	startUp = 2 * time.Millisecond
)

// A BME280 is Bosch's sensor of temperature, humidity and pressure, or as a BMP280 one without humidity. The filter
// can be set and does nothing; SPI is not there.
type BME280 struct {
	air     func(time.Time) Air
	id      byte
	held    *[3]uint32 // what the converters are held at; nil where they follow the air
	regs    [256]byte
	pointer byte
	humid   byte      // the part of ctrl_hum that has taken effect
	ready   time.Time // when power-up or reset is done
	began   time.Time // when the measurement, or in normal mode the first, began
}

// NewBME280 returns a BME280 in that air.
func NewBME280(air func(time.Time) Air) *BME280 { return &BME280{air: air, id: 0x60} }

// NewBMP280 returns a BMP280 in that air.
func NewBMP280(air func(time.Time) Air) *BME280 { return &BME280{air: air, id: 0x58} }

// Hold makes the converters read the given numbers, whatever the air is like. It is for a chip that is not in use yet.
func (c *BME280) Hold(temperature, pressure, humidity uint32) {
	c.held = &[3]uint32{temperature, pressure, humidity}
}

// PowerUp implements [Chip].
func (c *BME280) PowerUp(at time.Time) {
	c.regs = [256]byte{regID: c.id, regData: 0x80, regData + 3: 0x80, regData + 6: 0x80}
	c.pointer, c.humid, c.ready = 0, 0, at.Add(startUp)
	t := binary.LittleEndian.AppendUint16(nil, digT1)
	for _, dig := range []int16{digT2, digT3} {
		t = binary.LittleEndian.AppendUint16(t, uint16(dig))
	}
	t = binary.LittleEndian.AppendUint16(t, digP1)
	for _, dig := range []int16{digP2, digP3, digP4, digP5, digP6, digP7, digP8, digP9} {
		t = binary.LittleEndian.AppendUint16(t, uint16(dig))
	}
	copy(c.regs[regCalibration:], t)
	if !c.hasHumidity() {
		return
	}
	c.regs[0xa1] = digH1
	copy(c.regs[regCalibrationH:], []byte{
		digH2 & 0xff, digH2 >> 8, digH3, digH4 >> 4, digH4&0xf | digH5&0xf<<4, digH5 >> 4, digH6,
	})
}

func (c *BME280) hasHumidity() bool { return c.id == 0x60 }

// Tx implements [Chip]. A write is pairs of register and value; a single byte at its end is where reading begins, and
// reading goes on from register to register (§6.2).
func (c *BME280) Tx(at time.Time, w, r []byte) error {
	c.settle(at)
	for len(w) >= 2 {
		c.write(at, w[0], w[1])
		w = w[2:]
	}
	if len(w) == 1 {
		c.pointer = w[0]
	}
	c.regs[regStatus] = c.status(at)
	for i := range r {
		r[i] = c.regs[c.pointer]
		c.pointer++
	}
	return nil
}

func (c *BME280) write(at time.Time, reg, value byte) {
	switch reg {
	case regReset:
		if value == 0xb6 {
			c.PowerUp(at)
		}
	case regCtrlHum:
		if c.hasHumidity() {
			c.regs[reg] = value & 7
		}
	case regCtrlMeas:
		c.regs[reg] = value
		c.humid = c.regs[regCtrlHum]
		c.began = at
	case regConfig:
		if c.mode() == modeSleep { // §5.4.6: in normal mode writes may be ignored
			c.regs[reg] = value &^ 2
		}
	}
}

func (c *BME280) mode() byte { return c.regs[regCtrlMeas] & 3 } // 1 and 2 are both forced

// status returns measuring (bit 3) and im_update (bit 0).
func (c *BME280) status(at time.Time) (status byte) {
	if at.Before(c.ready) {
		status |= 1
	}
	into := at.Sub(c.began)
	if c.mode() == modeNormal {
		into %= c.takes() + c.standby()
	}
	if c.mode() != modeSleep && into < c.takes() {
		status |= 1 << 3
	}
	return status
}

// settle brings the data registers up to date.
func (c *BME280) settle(at time.Time) {
	done := c.began.Add(c.takes())
	if c.mode() == modeSleep || at.Before(done) {
		return
	}
	if c.mode() == modeNormal {
		cycle := c.takes() + c.standby()
		done = done.Add(at.Sub(done) / cycle * cycle)
	} else {
		c.regs[regCtrlMeas] &^= 3
	}
	c.measure(done)
}

// takes returns how long a measurement takes typically (§9.1).
func (c *BME280) takes() time.Duration {
	us := 1000 + 2000*oversampling(c.osrsT())
	if n := oversampling(c.osrsP()); n > 0 {
		us += 2000*n + 500
	}
	if n := oversampling(c.humid); n > 0 {
		us += 2000*n + 500
	}
	return time.Duration(us) * time.Microsecond
}

// standby returns the pause between two measurements in normal mode (§5.4.6).
func (c *BME280) standby() time.Duration {
	us := [8]int{500, 62500, 125000, 250000, 500000, 1000000, 10000, 20000}
	if !c.hasHumidity() {
		us[6], us[7] = 2000000, 4000000
	}
	return time.Duration(us[c.regs[regConfig]>>5]) * time.Microsecond
}

func (c *BME280) osrsT() byte { return c.regs[regCtrlMeas] >> 5 }
func (c *BME280) osrsP() byte { return c.regs[regCtrlMeas] >> 2 & 7 }

// oversampling returns how many times a quantity is measured for the code of its setting, 0 where it is skipped.
func oversampling(code byte) int { return []int{0, 1, 2, 4, 8, 16, 16, 16}[code&7] }

func (c *BME280) measure(at time.Time) {
	air := c.air(at)
	t := rawTemperature(air.Celsius)
	fine := fineTemperature(t)
	raw := [3]uint32{
		quantise(t, c.osrsT()),
		quantise(rawPressure(air.Pascals, fine), c.osrsP()),
		uint32(rawHumidity(air.Percent, fine)),
	}
	if c.held != nil {
		raw = *c.held
	}
	for i, code := range []byte{c.osrsT(), c.osrsP()} {
		if oversampling(code) == 0 {
			raw[i] = 0x80000
		}
	}
	if oversampling(c.humid) == 0 {
		raw[2] = 0x8000
	}
	copy(c.regs[regData:], []byte{
		byte(raw[1] >> 12), byte(raw[1] >> 4), byte(raw[1] << 4),
		byte(raw[0] >> 12), byte(raw[0] >> 4), byte(raw[0] << 4),
		byte(raw[2] >> 8), byte(raw[2]),
	})
}

// quantise leaves as many of the 20 bits as the converter has: 16, and one more for each doubling (§3.4.2).
func quantise(raw int32, code byte) uint32 {
	unit := int32(1) << max(0, 5-int32(code))
	return uint32(min((raw+unit/2)/unit*unit, 1<<20-unit))
}
