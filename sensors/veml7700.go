package sensors

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"holdfast"
)

// The VEML7700 of Vishay measures light. Datasheet: 84286, rev. 1.8; application note 84323. Words are low byte first.
const (
	vemlConfig = 0
	vemlLight  = 4
	vemlID     = 7

	vemlIdentity = 0xc481 // of the address 0x10
	vemlShutdown = 1      // in the configuration, and all that is set from power-up

	// Two settings cover everything: 100 ms with gain 2 and with gain 1/8.
	vemlFine   = 1 << 11
	vemlCoarse = 2 << 11

	vemlFineUnit   = 0.0042 * 8      // lx per count: 0.0042 at gain 2 and 800 ms
	vemlCoarseUnit = 0.0042 * 8 * 16 // 35232 lx before they are put straight, far beyond what the chip can measure

	// The integration, for which the datasheet gives no tolerance, with a tenth for that, and 2.5 ms to wake up.
	vemlIntegration = 113 * time.Millisecond

	vemlBent = 1000 // lx above which the chip sees less than there is, application note
)

var veml7700 = Driver{
	Chip: "veml7700", Part: "Vishay VEML7700", Addresses: []uint16{0x10}, Confidence: Certain,
	Quantities: []holdfast.Quantity{lux(2, 140000)},
	Wiring:     "one address",
	Notes:      "Gain follows the light: 0.03 lx a count up to 1000 lx, 0.5 lx above, where the maker's correction holds. Chips made before 2022 read 17 % too high (their resolution was given as 0.0036 lx)",
	probe:      isVEML7700,
	open:       func(d Device) Sensor { return &veml7700Chip{device: d, setting: vemlCoarse} },
}

func isVEML7700(ctx context.Context, d Device) (bool, error) {
	id, err := vemlWord(ctx, d, vemlID)
	return id == vemlIdentity, err
}

func vemlWord(ctx context.Context, d Device, register byte) (uint16, error) {
	var b [2]byte
	if err := d.read(ctx, register, b[:]); err != nil {
		return 0, err
	}
	return binary.LittleEndian.Uint16(b[:]), nil
}

type veml7700Chip struct {
	device  Device
	setting uint16 // that was right the last time
}

// Read measures with the setting that was right the last time, and with the other where it is no longer.
func (c *veml7700Chip) Read(ctx context.Context) (map[string]float64, error) {
	if err := sure(isVEML7700(ctx, c.device)); err != nil {
		return nil, err
	}
	count, err := c.measure(ctx)
	if err != nil {
		return nil, err
	}
	if right := vemlSetting(count, c.setting); right != c.setting {
		c.setting = right
		if count, err = c.measure(ctx); err != nil {
			return nil, err
		}
	}
	return decodeVEML7700(count, c.setting)
}

// measure makes a new integration. The chip shows what it saw before until that is done; that its configuration holds
// afterwards shows that it was not without power.
func (c *veml7700Chip) measure(ctx context.Context) (uint16, error) {
	for _, config := range []uint16{c.setting | vemlShutdown, c.setting} {
		if err := c.device.write(ctx, vemlConfig, byte(config), byte(config>>8)); err != nil {
			return 0, err
		}
	}
	if err := wait(ctx, vemlIntegration); err != nil {
		return 0, err
	}
	count, err := vemlWord(ctx, c.device, vemlLight)
	if err != nil {
		return 0, err
	}
	config, err := vemlWord(ctx, c.device, vemlConfig)
	if err != nil {
		return 0, err
	}
	if config != c.setting {
		return 0, fmt.Errorf("configuration reads 0x%04x after 0x%04x was written", config, c.setting)
	}
	return count, nil
}

// vemlSetting returns the setting that suits the light of a measurement.
func vemlSetting(count, setting uint16) uint16 {
	unit := vemlFineUnit
	if setting == vemlCoarse {
		unit = vemlCoarseUnit
	}
	if float64(count)*unit > vemlBent {
		return vemlCoarse
	}
	return vemlFine
}

// decodeVEML7700 makes lx of a measurement. What the coarse setting sees is put straight by the polynomial of the application
// note, also where that is less than 1000 lx: it sees 1000 lx as 935.
func decodeVEML7700(count, setting uint16) (map[string]float64, error) {
	if count == 0xffff {
		return nil, errors.New("saturated")
	}
	x, unit := float64(count)*vemlFineUnit, 0.01
	if setting == vemlCoarse {
		x, unit = float64(count)*vemlCoarseUnit, 0.1
		x *= 1.0023 + x*(8.1488e-5+x*(-9.3924e-9+x*6.0135e-13))
	}
	return map[string]float64{"illuminance_lux": round(x, unit)}, nil
}
