package sensors

import (
	"context"
	"errors"
	"fmt"
	"time"

	"holdfast"
)

// The INA219 of Texas Instruments measures a supply and, across a shunt, what is drawn from it. Datasheet: SBOS448,
// registers §8.6. It can compute current and power itself, for which its calibration is set; here that stays 0, and is
// what the chip is known by.
const (
	inaConfig      = 0
	inaShunt       = 1
	inaBus         = 2
	inaPower       = 3
	inaCurrent     = 4
	inaCalibration = 5

	inaOhms = 0.1 // the shunt on the boards that are sold, R100

	ina219Default = 0x399f // 32 V, ±320 mV, 12 bits, continuous
	ina219Once    = 0x399b // the same, once
	ina219Ready   = 1 << 1 // beside the voltage of the supply: it is converted
	ina219Spare   = 1 << 2 // there too: always 0
	ina219Full    = 32000  // counts of 10 µV; also stands for everything beyond

	ina219Conversion = 1200 * time.Microsecond // two of 586 µs at most, §7.5
)

var ina219Addresses = []uint16{0x40, 0x41, 0x42, 0x43, 0x44, 0x45, 0x46, 0x47, 0x48, 0x49, 0x4a, 0x4b, 0x4c, 0x4d, 0x4e, 0x4f}

const inaWiring = "A1 and A0 each to GND, Vcc, SDA or SCL: 0x40 (both to GND) to 0x4f; VIN+ to the supply, VIN− to what it feeds"

var ina219 = Driver{
	Chip: "ina219", Part: "Texas Instruments INA219", Addresses: ina219Addresses, Confidence: Likely,
	Quantities: supply(32, 3.1999),
	Wiring:     inaWiring,
	Notes:      "Current and power hold for a shunt of 0.1 Ω; beyond ±3.2 A the current is bad and there is no power. Where another program has calibrated it it is known again after it was without power",
	Tested:     []string{testedPeriph},
	probe:      isINA219,
	open:       func(d Device) Sensor { return ina219Chip{d} },
}

// supply returns what a monitor of that range measures.
func supply(volts, amperes float64) []holdfast.Quantity {
	return []holdfast.Quantity{
		{Name: "bus_voltage_volts", Unit: "V", Precision: 3, Min: 0, Max: volts},
		{Name: "current_amperes", Unit: "A", Precision: 4, Min: -amperes, Max: amperes},
		{Name: "power_watts", Unit: "W", Precision: 3, Min: -volts * amperes, Max: volts * amperes},
	}
}

// isINA219 knows the chip by a configuration that is that of power-up or the one that Read writes, by the three registers
// that are 0 while nobody calibrates it, and by a bit that is always 0.
func isINA219(ctx context.Context, d Device) (bool, error) {
	config, err := d.word16(ctx, inaConfig)
	if err != nil || config != ina219Default && config != ina219Once {
		return false, err
	}
	for _, register := range []byte{inaPower, inaCurrent, inaCalibration} {
		v, err := d.word16(ctx, register)
		if err != nil || v != 0 {
			return false, err
		}
	}
	bus, err := d.word16(ctx, inaBus)
	return bus&ina219Spare == 0, err
}

type ina219Chip struct{ device Device }

// Read converts once. The configuration, looked at last, says that all of it is of that conversion.
func (c ina219Chip) Read(ctx context.Context) (map[string]float64, error) {
	if err := sure(isINA219(ctx, c.device)); err != nil {
		return nil, err
	}
	if err := c.device.writeWord16(ctx, inaConfig, ina219Once); err != nil {
		return nil, err
	}
	if err := wait(ctx, ina219Conversion); err != nil {
		return nil, err
	}
	got, err := c.device.words16(ctx, inaBus, inaShunt, inaConfig)
	if err != nil {
		return nil, err
	}
	if got[2] != ina219Once {
		return nil, fmt.Errorf("configuration reads 0x%04x after 0x%04x was written", got[2], ina219Once)
	}
	return decodeINA219(got[0], got[1])
}

// decodeINA219 makes values of the registers: 4 mV of the supply from the fourth bit on, and 10 µV across the shunt.
func decodeINA219(bus, shunt uint16) (map[string]float64, error) {
	if bus&ina219Ready == 0 {
		return nil, errors.New("the chip has not measured")
	}
	across := int16(shunt)
	return drawn(float64(bus>>3)*0.004, float64(across)*10e-6, across < ina219Full && across > -ina219Full), nil
}

// drawn returns the values of a supply and what is across the shunt. The shunt's first and last count also stand for
// everything beyond: they are outside of the range of the current, and there is no power.
func drawn(volts, across float64, within bool) map[string]float64 {
	amperes := round(across/inaOhms, 1e-6)
	values := map[string]float64{"bus_voltage_volts": round(volts, 1e-5), "current_amperes": amperes}
	if within {
		values["power_watts"] = round(volts*amperes, 1e-6)
	}
	return values
}
