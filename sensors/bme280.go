package sensors

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"holdfast"
)

// The BME280 (temperature, humidity, pressure) and the BMP280 (no humidity) of Bosch.
// Datasheets: BST-BME280-DS002, BST-BMP280-DS001. Register numbers as there, §5.3 and §4.2.
const (
	boschCalibration  = 0x88 // to 0xa1
	boschID           = 0xd0
	boschCalibrationH = 0xe1 // to 0xe7, BME280 only
	boschCtrlHum      = 0xf2 // takes effect with the next write of ctrl_meas; BME280 only
	boschStatus       = 0xf3
	boschCtrlMeas     = 0xf4
	boschConfig       = 0xf5
	boschData         = 0xf7 // pressure, temperature 20 bit each, humidity 16 bit

	statusMeasuring = 1 << 3
	statusCopying   = 1 << 0 // calibration is being copied from the chip's memory after power-up

	// Temperature ×1, pressure ×4, humidity ×1 in forced mode, no filter: 1.4 Pa and 0.07 % of noise, and no self-heating.
	oversamplingH  = 1
	oversamplingTP = 1<<5 | 3<<2
	modeForced     = 1

	// §9.1 and §3.8.1 of the datasheets: 1.25 + 2.3·1 + (2.3·4 + 0.575) + (2.3·1 + 0.575) ms at most.
	boschMeasureTime = 16200 * time.Microsecond
	boschPollTime    = 2 * time.Millisecond
	boschPolls       = 10
)

// boschUnmeasured is what the data registers hold from power-up until a measurement is done. One of them alone may well
// be a measurement: 26.5 °C is nothing strange.
var boschUnmeasured = []byte{0x80, 0, 0, 0x80, 0, 0, 0x80, 0}

var bmp280IDs = []byte{0x58, 0x57, 0x56} // 0x56 and 0x57 are early samples

var boschAddresses = []uint16{0x76, 0x77}

var bme280 = Driver{
	Chip: "bme280", Part: "Bosch BME280", Addresses: boschAddresses, Confidence: Certain,
	Quantities: []holdfast.Quantity{celsius(2, -40, 85), humidity, restless(pascals(30000, 110000), time.Hour)},
	Wiring:     "SDO to GND: 0x76; to Vcc: 0x77; CSB to Vcc",
	Tested:     []string{testedPeriph},
	probe:      isBME280,
	open:       func(d Device) Sensor { return &bosch{device: d, is: isBME280, humid: true} },
}

var bmp280 = Driver{
	Chip: "bmp280", Part: "Bosch BMP280", Addresses: boschAddresses, Confidence: Certain,
	Quantities: []holdfast.Quantity{celsius(2, -40, 85), restless(pascals(30000, 110000), time.Hour)},
	Wiring:     "SDO to GND: 0x76; to Vcc: 0x77; CSB to Vcc",
	Tested:     []string{testedPeriph},
	probe:      isBMP280,
	open:       func(d Device) Sensor { return &bosch{device: d, is: isBMP280} },
}

func isBME280(ctx context.Context, d Device) (bool, error) { return boschIDIs(ctx, d, 0x60) }
func isBMP280(ctx context.Context, d Device) (bool, error) { return boschIDIs(ctx, d, bmp280IDs...) }

func boschIDIs(ctx context.Context, d Device, ids ...byte) (bool, error) {
	var id [1]byte
	if err := d.read(ctx, boschID, id[:]); err != nil {
		return false, err
	}
	return slices.Contains(ids, id[0]), nil
}

// bosch is a BME280 or BMP280, measuring once for each Read.
type bosch struct {
	device      Device
	is          func(context.Context, Device) (bool, error)
	humid       bool
	calibration *boschTrim // nil until the chip is set up
}

func (b *bosch) Read(ctx context.Context) (map[string]float64, error) {
	values, err := b.measure(ctx)
	if err != nil {
		b.calibration = nil
		return nil, err
	}
	return values, nil
}

func (b *bosch) measure(ctx context.Context) (map[string]float64, error) {
	if err := b.ready(ctx); err != nil {
		return nil, err
	}
	if err := b.device.write(ctx, boschCtrlMeas, oversamplingTP|modeForced); err != nil {
		return nil, err
	}
	if err := wait(ctx, boschMeasureTime); err != nil {
		return nil, err
	}
	if err := b.idle(ctx, statusMeasuring); err != nil {
		return nil, err
	}
	data := make([]byte, 8)
	if !b.humid {
		data = data[:6]
	}
	if err := b.device.read(ctx, boschData, data); err != nil { // in one go: the chip keeps the bytes together, §4.1
		return nil, err
	}
	if err := b.humidityKept(ctx); err != nil {
		return nil, err
	}
	return b.decode(data)
}

// humidityKept returns an error where the setting of humidity was lost before the measurement, which leaves that out then.
func (b *bosch) humidityKept(ctx context.Context) error {
	if !b.humid {
		return nil
	}
	var held [1]byte
	if err := b.device.read(ctx, boschCtrlHum, held[:]); err != nil {
		return err
	}
	if held[0]&7 != oversamplingH {
		return fmt.Errorf("ctrl_hum reads 0x%02x after the measurement, want 0x%02x: the chip was without power", held[0], oversamplingH)
	}
	return nil
}

// ready sets the chip up unless it still holds what was last written. A chip that forgot has been without power and may
// be another one, with another calibration.
func (b *bosch) ready(ctx context.Context) error {
	if b.calibration != nil {
		var held [4]byte
		if err := b.device.read(ctx, boschCtrlHum, held[:]); err != nil {
			return err
		}
		humidityKept := !b.humid || held[0]&7 == oversamplingH
		if humidityKept && held[2] == oversamplingTP && held[3]&^3 == 0 {
			return nil
		}
	}
	return b.setUp(ctx)
}

func (b *bosch) setUp(ctx context.Context) error {
	b.calibration = nil
	if err := sure(b.is(ctx, b.device)); err != nil {
		return err
	}
	if err := b.idle(ctx, statusCopying); err != nil {
		return err
	}
	trim, err := b.readTrim(ctx)
	if err != nil {
		return err
	}
	// Asleep first: while the chip measures by itself it may ignore config (§5.4.6). ctrl_meas last: it makes ctrl_hum
	// take effect.
	writes := []byte{boschCtrlMeas, oversamplingTP, boschConfig, 0, boschCtrlMeas, oversamplingTP}
	if b.humid {
		writes = []byte{boschCtrlMeas, oversamplingTP, boschConfig, 0, boschCtrlHum, oversamplingH, boschCtrlMeas, oversamplingTP}
	}
	if err := b.device.write(ctx, writes...); err != nil {
		return err
	}
	b.calibration = trim
	return nil
}

func (b *bosch) readTrim(ctx context.Context) (*boschTrim, error) {
	var tp [26]byte
	if err := b.device.read(ctx, boschCalibration, tp[:]); err != nil {
		return nil, err
	}
	var h [7]byte
	if b.humid {
		if err := b.device.read(ctx, boschCalibrationH, h[:]); err != nil {
			return nil, err
		}
	}
	return decodeTrim(tp, h)
}

// idle waits until the bit of the status register is clear.
func (b *bosch) idle(ctx context.Context, bit byte) error {
	for range boschPolls {
		var status [1]byte
		if err := b.device.read(ctx, boschStatus, status[:]); err != nil {
			return err
		}
		if status[0]&bit == 0 {
			return nil
		}
		if err := wait(ctx, boschPollTime); err != nil {
			return err
		}
	}
	return fmt.Errorf("status bit 0x%02x stays set", bit)
}

// decode makes values of the data registers. Digits below the chip's resolution are rounded away.
func (b *bosch) decode(data []byte) (map[string]float64, error) {
	if bytes.Equal(data, boschUnmeasured[:len(data)]) {
		return nil, errors.New("the chip has not measured")
	}
	rawP := int32(data[0])<<12 | int32(data[1])<<4 | int32(data[2])>>4
	rawT := int32(data[3])<<12 | int32(data[4])<<4 | int32(data[5])>>4
	temperature, fine := b.calibration.temperature(rawT)
	values := map[string]float64{
		"temperature_celsius": round(temperature, 0.01),
		"pressure_pascals":    round(b.calibration.pressure(rawP, fine), 0.1),
	}
	if b.humid {
		rawH := int32(data[6])<<8 | int32(data[7])
		values["humidity_percent"] = round(b.calibration.humidity(rawH, fine), 0.01)
	}
	return values, nil
}

// round returns v as the decimal nearest to a multiple of unit, which is 1, 0.1, 0.01 …
func round(v, unit float64) float64 {
	perUnit := math.Round(1 / unit)
	return math.Round(v*perUnit) / perUnit
}
