package sensors

import (
	"context"
	"fmt"
	"time"

	"holdfast"
)

// The DPS310 of Infineon: pressure and temperature. Datasheet DPS310 V1.2, §7 (register map) and §8.
const (
	dpsPressure     = 0x00 // 24 bits
	dpsTemperature  = 0x03 // 24 bits
	dpsSettings     = 0x06 // PRS_CFG, TMP_CFG, MEAS_CFG, CFG_REG
	dpsPressureCfg  = 0x06
	dpsTempCfg      = 0x07
	dpsMeasure      = 0x08
	dpsConfig       = 0x09
	dpsProduct      = 0x0d // 0x10
	dpsCoefficients = 0x10 // to 0x21
	dpsCoefSource   = 0x28 // bit 7: which of its two temperature sensors the coefficients are for
	dpsUndocumented = 0x32

	dpsReady      = 3 << 6 // of dpsMeasure: coefficients there, sensor started
	dpsGotTemp    = 1 << 5
	dpsGotPress   = 1 << 4
	dpsTakePress  = 1 // once
	dpsTakeTemp   = 2 // once
	dpsOversample = 3 // 8 times, 0.6 Pa of noise; from power-up it is 0, so this is also the mark of a chip that was set up

	dpsTempTime  = 4 * time.Millisecond  // §4.9.2, once: 3.6 ms
	dpsPressTime = 15 * time.Millisecond // 8 times: 14.8 ms
	dpsPollTime  = 10 * time.Millisecond
	dpsPolls     = 8 // the coefficients are there 40 ms after power-up
)

var dps310 = Driver{
	Chip: "dps310", Part: "Infineon DPS310", Addresses: []uint16{0x76, 0x77}, Confidence: Certain,
	Quantities: []holdfast.Quantity{celsius(2, -40, 85), restless(pascals(30000, 120000), time.Hour)},
	Wiring:     "SDO to GND: 0x76; open or to Vcc: 0x77",
	Tested:     []string{testedVirtualPi},
	probe:      isDPS310,
	open:       func(d Device) Sensor { return &dps310Chip{device: d} },
}

// isDPS310 asks for the product. The model of QEMU has no such register and answers ones there; it is known by one that
// tells drivers that a correction of early chips is not needed.
func isDPS310(ctx context.Context, d Device) (bool, error) {
	var product, source, undocumented [1]byte
	if err := d.read(ctx, dpsProduct, product[:]); err != nil || product[0] != 0xff {
		return product[0] == 0x10, err
	}
	if err := d.read(ctx, dpsCoefSource, source[:]); err != nil {
		return false, err
	}
	if err := d.read(ctx, dpsUndocumented, undocumented[:]); err != nil {
		return false, err
	}
	return source[0] == 0x90 && undocumented[0] == 0x02, nil
}

type dps310Chip struct {
	device       Device
	source       byte // temperature sensor of the coefficients, as in dpsTempCfg
	coefficients *dpsTrim
}

func (c *dps310Chip) Read(ctx context.Context) (map[string]float64, error) {
	values, err := c.measure(ctx)
	if err != nil {
		c.coefficients = nil
		return nil, err
	}
	return values, nil
}

func (c *dps310Chip) measure(ctx context.Context) (map[string]float64, error) {
	if c.coefficients == nil || c.held(ctx) != nil {
		if err := c.setUp(ctx); err != nil {
			return nil, err
		}
	}
	temperature, err := c.take(ctx, dpsTakeTemp, dpsGotTemp, dpsTempTime, dpsTemperature)
	if err != nil {
		return nil, fmt.Errorf("temperature: %w", err)
	}
	pressure, err := c.take(ctx, dpsTakePress, dpsGotPress, dpsPressTime, dpsPressure)
	if err != nil {
		return nil, fmt.Errorf("pressure: %w", err)
	}
	if err := c.held(ctx); err != nil { // both were measured with these settings
		return nil, err
	}
	return c.coefficients.decode(temperature, pressure), nil
}

// held returns an error unless the settings are what was written.
func (c *dps310Chip) held(ctx context.Context) error {
	var r [4]byte
	if err := c.device.read(ctx, dpsSettings, r[:]); err != nil {
		return err
	}
	if r[0] != dpsOversample || r[1] != c.source || r[3] != 0 {
		return fmt.Errorf("the settings are gone: registers 0x06 to 0x09 read %x", r)
	}
	return nil
}

func (c *dps310Chip) setUp(ctx context.Context) error {
	if err := sure(isDPS310(ctx, c.device)); err != nil {
		return err
	}
	if err := c.until(ctx, dpsReady); err != nil {
		return err
	}
	var raw [18]byte
	if err := c.device.read(ctx, dpsCoefficients, raw[:]); err != nil {
		return err
	}
	trim, err := decodeDPSTrim(raw)
	if err != nil {
		return err
	}
	var source [1]byte
	if err := c.device.read(ctx, dpsCoefSource, source[:]); err != nil {
		return err
	}
	c.source = source[0] & 0x80
	for _, w := range [][2]byte{{dpsPressureCfg, dpsOversample}, {dpsTempCfg, c.source}, {dpsConfig, 0}} {
		if err := c.device.write(ctx, w[0], w[1]); err != nil {
			return err
		}
	}
	var old [6]byte
	if err := c.device.read(ctx, dpsPressure, old[:]); err != nil { // what was measured before is not ready any more
		return err
	}
	c.coefficients = trim
	return nil
}

// take measures once and returns the 24 bits at register.
func (c *dps310Chip) take(ctx context.Context, what, got byte, takes time.Duration, register byte) (int32, error) {
	var now [1]byte
	if err := c.device.read(ctx, dpsMeasure, now[:]); err != nil {
		return 0, err
	}
	// The upper bits cannot be written, except in the model of QEMU, where they would be lost.
	if err := c.device.write(ctx, dpsMeasure, now[0]&0xf0|what); err != nil {
		return 0, err
	}
	if err := wait(ctx, takes); err != nil {
		return 0, err
	}
	if err := c.until(ctx, got); err != nil {
		return 0, err
	}
	var raw [3]byte
	if err := c.device.read(ctx, register, raw[:]); err != nil {
		return 0, err
	}
	return signed24(raw), nil
}

// until waits until all of these bits of the register that starts measurements are set.
func (c *dps310Chip) until(ctx context.Context, bits byte) error {
	var r [1]byte
	for range dpsPolls {
		if err := c.device.read(ctx, dpsMeasure, r[:]); err != nil {
			return err
		}
		if r[0]&bits == bits {
			return nil
		}
		if err := wait(ctx, dpsPollTime); err != nil {
			return err
		}
	}
	return fmt.Errorf("status reads 0x%02x, and 0x%02x does not come", r[0], bits)
}
