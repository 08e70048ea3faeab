package sensors

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"
)

// The INA226 of Texas Instruments is an INA219 with 16 bits, more averaging and an identity. Datasheet: SBOS547,
// registers §7.6.
const (
	ina226Mask   = 0x06 // one bit of it says that a conversion is done; reading clears it
	ina226Maker  = 0xfe
	ina226Device = 0xff

	ina226Once  = 0x4323 // averages of 4, 1.1 ms each, supply and shunt, once
	ina226Ready = 1 << 3

	ina226Conversion = 10 * time.Millisecond // 4 times two of 1.21 ms at most, §6.5
)

var ina226 = Driver{
	Chip: "ina226", Part: "Texas Instruments INA226", Addresses: ina219Addresses, Confidence: Certain,
	Quantities: supply(40.96, 0.81915),
	Wiring:     inaWiring,
	Notes:      "Current and power hold for a shunt of 0.1 Ω; beyond ±0.8192 A the current is bad and there is no power",
	probe:      isINA226,
	open:       func(d Device) Sensor { return ina226Chip{d} },
}

// isINA226 asks for the device first: at 0x40 the number of the maker's register is a reset to an HTU21 or Si7021.
func isINA226(ctx context.Context, d Device) (bool, error) {
	device, err := d.word16(ctx, ina226Device)
	if err != nil || device&0xfff0 != 0x2260 { // the rest is the revision
		return false, err
	}
	maker, err := d.word16(ctx, ina226Maker)
	return maker == 'T'<<8|'I', err
}

type ina226Chip struct{ device Device }

// Read converts once. The configuration, looked at last, says that all of it is of that conversion.
func (c ina226Chip) Read(ctx context.Context) (map[string]float64, error) {
	if err := sure(isINA226(ctx, c.device)); err != nil {
		return nil, err
	}
	if err := c.device.writeWord16(ctx, inaConfig, ina226Once); err != nil {
		return nil, err
	}
	if err := wait(ctx, ina226Conversion); err != nil {
		return nil, err
	}
	got, err := c.device.words16(ctx, ina226Mask, inaBus, inaShunt, inaConfig)
	if err != nil {
		return nil, err
	}
	if got[3] != ina226Once {
		return nil, fmt.Errorf("configuration reads 0x%04x after 0x%04x was written", got[3], ina226Once)
	}
	return decodeINA226(got[0], got[1], got[2])
}

// decodeINA226 makes values of the registers: 1.25 mV of the supply, 2.5 µV across the shunt. The shunt's first and last
// count also stand for everything beyond.
func decodeINA226(mask, bus, shunt uint16) (map[string]float64, error) {
	if mask&ina226Ready == 0 {
		return nil, errors.New("the chip has not measured")
	}
	if bus > math.MaxInt16 {
		return nil, fmt.Errorf("the supply reads 0x%04x, whose first bit is always 0", bus)
	}
	across := int16(shunt)
	return drawn(float64(bus)*1.25e-3, float64(across)*2.5e-6, across != math.MinInt16 && across != math.MaxInt16), nil
}
