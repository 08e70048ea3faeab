package simulated

import (
	"math"
	"time"
)

// Motion is what an inertial sensor feels.
type Motion struct {
	Acceleration [3]float64 // x, y, z in m/s²: at rest 9.80665 upwards
	Turning      [3]float64 // about x, y, z in rad/s
	Celsius      float64    // of the chip
}

// An MPU6050 is InvenSense's accelerometer and gyroscope. Its FIFO, its interrupts, its processor and its own bus are not
// there, and its low-pass can be set and does nothing.
type MPU6050 struct {
	motion  func(time.Time) Motion
	regs    [128]byte
	pointer byte
	awake   time.Time // since when; zero while it sleeps
}

// NewMPU6050 returns a chip that is moved like that.
func NewMPU6050(motion func(time.Time) Motion) *MPU6050 { return &MPU6050{motion: motion} }

// PowerUp implements [Chip].
func (c *MPU6050) PowerUp(time.Time) {
	*c = MPU6050{motion: c.motion}
	c.regs[0x6b], c.regs[0x75] = 1<<6, 0x68
}

// Tx implements [Chip]. Reading and writing go on from register to register; the data are those of the instant at which
// reading began.
func (c *MPU6050) Tx(at time.Time, w, r []byte) error {
	c.settle(at)
	for i, v := range w {
		if i == 0 {
			c.pointer = v & 0x7f
			continue
		}
		c.write(at, v)
		c.pointer = (c.pointer + 1) & 0x7f
	}
	for i := range r {
		r[i] = c.regs[c.pointer]
		c.pointer = (c.pointer + 1) & 0x7f
	}
	return nil
}

func (c *MPU6050) write(at time.Time, v byte) {
	switch reg := c.pointer; {
	case reg == 0x6b && v&(1<<7) != 0:
		c.PowerUp(at)
	case reg == 0x6b:
		c.regs[reg] = v &^ (1 << 4)
		switch asleep := v&(1<<6) != 0; {
		case asleep:
			c.awake = time.Time{}
		case c.awake.IsZero():
			c.awake = at
		}
	case reg >= 0x3a && reg <= 0x60, reg == 0x75, reg == 0x35: // cannot be written
	default:
		c.regs[reg] = v
	}
}

// settle brings the data up to date: the last sample, each of 1 kHz, or 8 without low-pass, over 1 + SMPLRT_DIV.
func (c *MPU6050) settle(at time.Time) {
	const startUp = 30 * time.Millisecond
	if c.awake.IsZero() || at.Sub(c.awake) < startUp {
		return
	}
	period := time.Millisecond * time.Duration(1+int(c.regs[0x19]))
	if low := c.regs[0x1a] & 7; low == 0 || low == 7 {
		period /= 8
	}
	began := c.awake.Add(startUp)
	motion := c.motion(began.Add(at.Sub(began) / period * period))
	g := float64(int(16384) >> (c.regs[0x1c] >> 3 & 3))
	degree := 131 / float64(int(1)<<(c.regs[0x1b]>>3&3))
	for i := range 3 {
		wordBE(c.regs[0x3b+2*i:], steps(motion.Acceleration[i]*g, 9.80665, math.MinInt16, math.MaxInt16))
		wordBE(c.regs[0x43+2*i:], steps(motion.Turning[i]*degree*180, math.Pi, math.MinInt16, math.MaxInt16))
	}
	wordBE(c.regs[0x41:], steps((motion.Celsius-36.53)*340, 1, math.MinInt16, math.MaxInt16))
}
