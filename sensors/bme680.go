package sensors

import (
	"context"
	"fmt"
	"time"

	"holdfast"
)

// The BME680 of Bosch: temperature, humidity, pressure, and the resistance of a heated layer that gases change. Datasheet
// BST-BME680-DS001, §5.2 (memory map), §3.2 (sequence). The BME688 has the same id, another variant and other numbers for
// the gas; it is not known here.
const (
	bme680Data         = 0x1d // status; pressure from 0x1f, temperature from 0x22, humidity from 0x25, gas from 0x2a
	bme680Heat         = 0x5a // res_heat_0
	bme680Wait         = 0x64 // gas_wait_0
	bme680Gas0         = 0x70 // bit 3 switches the heater off
	bme680Gas1         = 0x71 // bit 4 measures gas, the lower bits say with which profile
	bme680Hum          = 0x72
	bme680Meas         = 0x74
	bme680Config       = 0x75
	bme680Calibration1 = 0x89 // to 0xa0
	bme680Calibration2 = 0xe1 // to 0xee
	bme680Heater       = 0x00 // to 0x04: the heater's and the gas converter's calibration
	bme680Variant      = 0xf0 // 0; 1 is the BME688

	bme680NewData = 1 << 7 // of the status
	bme680Busy    = 3 << 5 // gas, or anything, is being measured

	// Temperature ×1, pressure ×4, humidity ×1, no filter, then the heater: 320 °C for 148 ms, which is Bosch's own profile.
	bme680OversampleTP = 1<<5 | 3<<2
	bme680OversampleH  = 1
	bme680Celsius      = 320
	bme680Heats        = 1<<6 | 37 // 37 · 4 ms

	// 6 conversions of 1963 µs, 9 switches of 477 µs, 1 ms to wake up (as in Bosch's own driver), and the heater.
	bme680MeasureTime = 170 * time.Millisecond
	bme680PollTime    = 10 * time.Millisecond
	bme680Polls       = 10
)

var bme680 = Driver{
	Chip: "bme680", Part: "Bosch BME680", Addresses: boschAddresses, Confidence: Certain,
	Quantities: []holdfast.Quantity{
		celsius(2, -40, 85), humidity, restless(pascals(30000, 110000), time.Hour),
		{Name: "gas_resistance_ohms", Unit: "Ω", Precision: 0, Min: 100, Max: 20e6},
	},
	Wiring: "SDO to GND: 0x76; to Vcc: 0x77; CSB to Vcc",
	Notes:  "The resistance of the gas sensor falls where there are more organic compounds; what air is good has to be learned where it hangs",
	probe:  isBME680,
	open:   func(d Device) Sensor { return &bme680Chip{device: d} },
}

func isBME680(ctx context.Context, d Device) (bool, error) {
	if is, err := boschIDIs(ctx, d, 0x61); err != nil || !is {
		return false, err
	}
	var variant [1]byte
	if err := d.read(ctx, bme680Variant, variant[:]); err != nil {
		return false, err
	}
	return variant[0] == 0, nil
}

type bme680Chip struct {
	device      Device
	calibration *bme680Trim // nil until the chip is set up
	ambient     float64     // °C, as measured last: the heater has to be that much less warmer
}

func (b *bme680Chip) Read(ctx context.Context) (map[string]float64, error) {
	values, err := b.measure(ctx)
	if err != nil {
		b.calibration = nil
		return nil, err
	}
	return values, nil
}

func (b *bme680Chip) measure(ctx context.Context) (map[string]float64, error) {
	if err := b.ready(ctx); err != nil {
		return nil, err
	}
	settings := []byte{
		bme680Meas, bme680OversampleTP, // asleep: nothing is measured while the others change
		bme680Heat, b.calibration.heat(bme680Celsius, b.ambient), bme680Wait, bme680Heats,
		bme680Gas0, 0, bme680Gas1, 1 << 4, bme680Hum, bme680OversampleH, bme680Config, 0,
		bme680Meas, bme680OversampleTP | modeForced,
	}
	if err := b.device.write(ctx, settings...); err != nil {
		return nil, err
	}
	if err := wait(ctx, bme680MeasureTime); err != nil {
		return nil, err
	}
	data, err := b.data(ctx) // of this measurement: a chip that was without power since has no new data
	if err != nil {
		return nil, err
	}
	values := b.calibration.decode(data)
	b.ambient = min(max(values["temperature_celsius"], -40), 85)
	return values, nil
}

// ready reads the calibration unless the chip still holds what was last written. A chip that forgot has been without power
// and may be another one.
func (b *bme680Chip) ready(ctx context.Context) error {
	if b.calibration != nil && b.held(ctx) == nil {
		return nil
	}
	if err := sure(isBME680(ctx, b.device)); err != nil {
		return err
	}
	var first [24]byte
	if err := b.device.read(ctx, bme680Calibration1, first[:]); err != nil {
		return err
	}
	var second [14]byte
	if err := b.device.read(ctx, bme680Calibration2, second[:]); err != nil {
		return err
	}
	var heater [5]byte
	if err := b.device.read(ctx, bme680Heater, heater[:]); err != nil {
		return err
	}
	var err error
	b.ambient = 25
	b.calibration, err = decodeBME680Trim(first, second, heater)
	return err
}

// held returns an error unless the chip sleeps with the settings of the last measurement.
func (b *bme680Chip) held(ctx context.Context) error {
	var r [5]byte
	if err := b.device.read(ctx, bme680Gas1, r[:]); err != nil {
		return err
	}
	if r[0] != 1<<4 || r[1]&7 != bme680OversampleH || r[3] != bme680OversampleTP || r[4] != 0 {
		return fmt.Errorf("the settings are gone: registers 0x71 to 0x75 read %x", r)
	}
	return nil
}

// data waits for the measurement and reads it with its status, in one go: the chip keeps the bytes together.
func (b *bme680Chip) data(ctx context.Context) (data [15]byte, err error) {
	for range bme680Polls {
		if err := b.device.read(ctx, bme680Data, data[:]); err != nil {
			return data, err
		}
		if data[0]&bme680NewData != 0 && data[0]&bme680Busy == 0 {
			return data, nil
		}
		if err := wait(ctx, bme680PollTime); err != nil {
			return data, err
		}
	}
	return data, fmt.Errorf("status reads 0x%02x: no measurement comes", data[0])
}
