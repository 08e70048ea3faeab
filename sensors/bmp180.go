package sensors

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"holdfast"
)

// The BMP180 of Bosch: pressure and temperature. Datasheet BST-BMP180-DS000, figure 3 (sequence and formulas) and §4.
const (
	bmp180Calibration = 0xaa // to 0xbf
	bmp180Control     = 0xf4
	bmp180Data        = 0xf6

	bmp180Converting = 1 << 5 // of control: cleared by the chip when the data are there
	bmp180Oversample = 3      // 8 samples, 3 Pa of noise
	bmp180Temp       = 0x2e   // to control
	bmp180Press      = 0x34 | bmp180Oversample<<6
	bmp180TempTime   = 4500 * time.Microsecond
	bmp180PressTime  = 25500 * time.Microsecond
	bmp180StartUp    = 10 * time.Millisecond // from power-up until it converts (table 1)
)

var bmp180 = Driver{
	Chip: "bmp180", Part: "Bosch BMP180", Addresses: []uint16{0x77}, Confidence: Certain,
	Quantities: []holdfast.Quantity{celsius(1, -40, 85), restless(pascals(30000, 110000), time.Hour)},
	Wiring:     "one address",
	Tested:     []string{testedPeriph},
	probe:      isBMP180,
	open:       func(d Device) Sensor { return &bmp180Chip{device: d} },
}

func isBMP180(ctx context.Context, d Device) (bool, error) { return boschIDIs(ctx, d, 0x55) }

type bmp180Chip struct {
	device      Device
	calibration *bmp180Trim // nil until the chip is set up
}

func (b *bmp180Chip) Read(ctx context.Context) (map[string]float64, error) {
	values, err := b.measure(ctx)
	if err != nil {
		b.calibration = nil
		return nil, err
	}
	return values, nil
}

func (b *bmp180Chip) measure(ctx context.Context) (map[string]float64, error) {
	// What was measured last stands in control. A chip that forgot has been without power and may be another one.
	if b.calibration == nil || b.done(ctx, bmp180Press) != nil {
		if err := b.setUp(ctx); err != nil {
			return nil, err
		}
	}
	var raw [3]byte
	if err := b.convert(ctx, bmp180Temp, bmp180TempTime, raw[:2]); err != nil {
		return nil, fmt.Errorf("temperature: %w", err)
	}
	ut := int64(binary.BigEndian.Uint16(raw[:]))
	if err := b.convert(ctx, bmp180Press, bmp180PressTime, raw[:]); err != nil {
		return nil, fmt.Errorf("pressure: %w", err)
	}
	up := (int64(raw[0])<<16 | int64(raw[1])<<8 | int64(raw[2])) >> (8 - bmp180Oversample)
	return b.calibration.decode(ut, up, bmp180Oversample)
}

func (b *bmp180Chip) setUp(ctx context.Context) error {
	if err := sure(isBMP180(ctx, b.device)); err != nil {
		return err
	}
	var raw [22]byte
	if err := b.device.read(ctx, bmp180Calibration, raw[:]); err != nil {
		return err
	}
	var err error
	if b.calibration, err = decodeBMP180Trim(raw); err != nil {
		return err
	}
	return wait(ctx, bmp180StartUp)
}

// convert measures once.
func (b *bmp180Chip) convert(ctx context.Context, what byte, takes time.Duration, raw []byte) error {
	if err := b.device.write(ctx, bmp180Control, what); err != nil {
		return err
	}
	if err := wait(ctx, takes); err != nil {
		return err
	}
	if err := b.device.read(ctx, bmp180Data, raw); err != nil {
		return err
	}
	return b.done(ctx, what) // behind the data: they were this conversion's, and not what stands there from power-up
}

// done returns an error unless the chip's last conversion was this one, and has come to its end.
func (b *bmp180Chip) done(ctx context.Context, what byte) error {
	var control [1]byte
	if err := b.device.read(ctx, bmp180Control, control[:]); err != nil {
		return err
	}
	if want := what &^ bmp180Converting; control[0] != want {
		return fmt.Errorf("control reads 0x%02x, want 0x%02x: not measured", control[0], want)
	}
	return nil
}

// bmp180Trim is the calibration of one chip, as the datasheet names it (table 5).
type bmp180Trim struct {
	ac1, ac2, ac3, ac4, ac5, ac6, b1, b2, mb, mc, md int64
}

// decodeBMP180Trim reads registers 0xaa to 0xbf. No word of a chip is all zeros or all ones (§3.4).
func decodeBMP180Trim(raw [22]byte) (*bmp180Trim, error) {
	var n [11]int64
	for i := range n {
		word := binary.BigEndian.Uint16(raw[2*i:])
		if word == 0 || word == 0xffff {
			return nil, fmt.Errorf("word %d of the calibration is blank", i+1)
		}
		n[i] = int64(int16(word))
		if i >= 3 && i <= 5 {
			n[i] = int64(word)
		}
	}
	return &bmp180Trim{n[0], n[1], n[2], n[3], n[4], n[5], n[6], n[7], n[8], n[9], n[10]}, nil
}

// decode is the datasheet's formula in integers (figure 4), which has 0.1 °C and 1 Pa.
func (t *bmp180Trim) decode(ut, up int64, oversample uint) (map[string]float64, error) {
	x1 := (ut - t.ac6) * t.ac5 >> 15
	if x1+t.md == 0 {
		return nil, errors.New("the temperature has no value")
	}
	b5 := x1 + t.mc<<11/(x1+t.md)
	b6 := b5 - 4000
	x3 := t.b2*(b6*b6>>12)>>11 + t.ac2*b6>>11
	b3 := ((t.ac1*4+x3)<<oversample + 2) / 4
	x3 = (t.ac3*b6>>13 + t.b1*(b6*b6>>12)>>16 + 2) >> 2
	b4 := t.ac4 * (x3 + 32768) >> 15
	b7 := (up - b3) * (50000 >> oversample)
	if b4 == 0 {
		return nil, errors.New("the pressure has no value")
	}
	p := b7 * 2 / b4
	x1 = (p >> 8) * (p >> 8) * 3038 >> 16
	p += (x1 + -7357*p>>16 + 3791) >> 4
	return map[string]float64{"temperature_celsius": float64((b5+8)>>4) / 10, "pressure_pascals": float64(p)}, nil
}
