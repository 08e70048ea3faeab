package simulated

import (
	"math"
	"time"
)

// Load is what a power monitor stands in: the supply, and the current that goes through the shunt of 0.1 Ω.
type Load struct{ Volts, Amperes float64 }

const monitorShunt = 0.1 // Ω

// MonitorKind is a power monitor of Texas Instruments.
type MonitorKind int

const (
	INA219 MonitorKind = iota // SBOS448: 12 bits, the range of the shunt can be chosen, no identity
	INA226                    // SBOS547: 16 bits, averages, names itself
)

const (
	monitorConfig = iota
	monitorShuntVoltage
	monitorBusVoltage
	monitorPower
	monitorCurrent
	monitorCalibration
	monitorMask   // INA226
	monitorLimit  // INA226
	monitorMaker  = 0xfe
	monitorDevice = 0xff

	monitorReset      = 1 << 15
	monitorContinuous = 1 << 2
)

// A PowerMonitor is a chip of these kinds. Its alert pin is not there.
type PowerMonitor struct {
	kind    MonitorKind
	load    func(time.Time) Load
	pointer byte

	config, calibration, mask, limit uint16
	shunt                            int16 // as the registers have them
	bus                              uint16
	ready                            bool      // a conversion is done that nobody has taken note of
	began                            time.Time // of the conversions
	done                             time.Time // of the last one; zero before the first
}

// NewPowerMonitor returns a chip in that load.
func NewPowerMonitor(kind MonitorKind, load func(time.Time) Load) *PowerMonitor {
	return &PowerMonitor{kind: kind, load: load}
}

// PowerUp implements [Chip]. It measures continuously from power-up.
func (c *PowerMonitor) PowerUp(at time.Time) {
	config := map[MonitorKind]uint16{INA219: 0x399f, INA226: 0x4127}[c.kind]
	*c = PowerMonitor{kind: c.kind, load: c.load, config: config, began: at}
}

// Tx implements [Chip].
func (c *PowerMonitor) Tx(at time.Time, w, r []byte) error {
	c.settle(at)
	words(&c.pointer, w, r, c.read, func(reg byte, v uint16) { c.write(at, reg, v) })
	return nil
}

func (c *PowerMonitor) write(at time.Time, reg byte, v uint16) {
	switch {
	case reg == monitorConfig && v&monitorReset != 0:
		c.PowerUp(at)
		c.pointer = monitorConfig
	case reg == monitorConfig:
		c.config, c.began, c.done, c.ready = v, at, time.Time{}, false
		if c.kind == INA219 {
			c.config &^= 1 << 14 // reserved
		} else {
			c.config = c.config&0x0fff | 0x4000 // reserved
		}
	case reg == monitorCalibration && c.kind == INA219:
		c.calibration = v &^ 1 // a void bit
	case reg == monitorCalibration:
		c.calibration = v & 0x7fff
	case reg == monitorMask && c.kind == INA226:
		c.mask = v & 0xfc03
	case reg == monitorLimit && c.kind == INA226:
		c.limit = v
	}
}

func (c *PowerMonitor) read(reg byte) uint16 {
	if c.kind == INA219 {
		return c.read219(reg & 7)
	}
	switch reg {
	case monitorBusVoltage:
		return c.bus
	case monitorMask:
		v := c.mask
		if c.ready {
			v |= 1 << 3
		}
		c.ready = false // reading clears the flag
		return v
	case monitorLimit:
		return c.limit
	case monitorMaker:
		return 0x5449
	case monitorDevice:
		return 0x2260
	}
	return c.common(reg)
}

func (c *PowerMonitor) read219(reg byte) uint16 {
	switch reg {
	case monitorBusVoltage:
		v := c.bus << 3
		if c.ready {
			v |= 1 << 1
		}
		return v
	case monitorPower:
		c.ready = false // reading the power clears the flag
	}
	return c.common(reg)
}

func (c *PowerMonitor) common(reg byte) uint16 {
	current := int64(c.shunt) * int64(c.calibration) / map[MonitorKind]int64{INA219: 4096, INA226: 2048}[c.kind]
	switch reg {
	case monitorConfig:
		return c.config
	case monitorShuntVoltage:
		return uint16(c.shunt)
	case monitorPower:
		return uint16(max(current, -current) * int64(c.bus) / map[MonitorKind]int64{INA219: 5000, INA226: 20000}[c.kind])
	case monitorCurrent:
		return uint16(current)
	case monitorCalibration:
		return c.calibration
	}
	return 0
}

// settle takes in the conversions that are done: one after a trigger, one after another in continuous mode.
func (c *PowerMonitor) settle(at time.Time) {
	mode := c.config & 7
	takes := c.takes()
	if mode&3 == 0 || at.Sub(c.began) < takes {
		return
	}
	done := c.began.Add(takes)
	if mode&monitorContinuous != 0 {
		done = c.began.Add(at.Sub(c.began) / takes * takes)
	}
	if done.Equal(c.done) {
		return
	}
	c.done, c.ready = done, true
	c.convert(c.load(done), mode)
}

func (c *PowerMonitor) convert(load Load, mode uint16) {
	shuntUnit, busUnit, limit := 2.5e-6, 1.25e-3, float64(math.MaxInt16)
	highest := 40.96
	if c.kind == INA219 {
		shuntUnit, busUnit = 10e-6, 4e-3
		limit = 4000 * float64(int(1)<<(c.config>>11&3)) // ±40, 80, 160 or 320 mV
		highest = []float64{16, 32}[c.config>>13&1]
	}
	if mode&1 != 0 {
		c.shunt = int16(math.Round(min(max(load.Amperes*monitorShunt/shuntUnit, -limit), limit)))
	}
	if mode&2 != 0 {
		c.bus = uint16(math.Round(min(max(load.Volts, 0), highest-busUnit) / busUnit))
	}
}

// takes returns how long the conversions of the mode take typically, one after the other.
func (c *PowerMonitor) takes() (d time.Duration) {
	if c.config&1 != 0 {
		d += c.conversion(3)
	}
	if c.config&2 != 0 {
		d += c.conversion(map[MonitorKind]int{INA219: 7, INA226: 6}[c.kind])
	}
	return d
}

// conversion returns the time of the code that stands at that bit of the configuration.
func (c *PowerMonitor) conversion(bit int) time.Duration {
	code := c.config >> bit
	if c.kind == INA226 {
		times := [8]int{140, 204, 332, 588, 1100, 2116, 4156, 8244}
		averages := [8]int{1, 4, 16, 64, 128, 256, 512, 1024}
		return time.Duration(times[code&7]*averages[c.config>>9&7]) * time.Microsecond
	}
	if code&8 != 0 {
		return 532 * time.Microsecond << (code & 7) // averages of 1 to 128
	}
	return time.Duration([4]int{84, 148, 276, 532}[code&3]) * time.Microsecond // 9 to 12 bits
}
