package sensors

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"holdfast"
)

// The magnetometer of the LSM303DLHC of STMicroelectronics. Datasheet DocID018771, §7.2. Its thermometer has no specified
// zero, so it is not read. The HMC5883L of Honeywell names itself by the same letters, and with its scale the values would
// be 1 % higher, 11 % on z (that is why identity is only likely).
const (
	lsmRate     = 0x00 // CRA_REG_M
	lsmGain     = 0x01 // CRB_REG_M
	lsmMode     = 0x02 // MR_REG_M
	lsmField    = 0x03 // x, z, y: two bytes each, the upper one first
	lsmStatus   = 0x09 // bit 0: data ready
	lsmIdentity = 0x0a // "H43"

	lsm75Hz   = 6 << 2 // not the rate from power-up, so it is also the mark of a chip that was set up
	lsm130µT  = 1 << 5 // the most sensitive of the ranges, and that from power-up
	lsmSingle = 1      // measure once, then sleep

	lsmGaussXY  = 1100 // steps a gauss (table 75); a gauss is 100 µT
	lsmGaussZ   = 980
	lsmOverflow = -4096 // "overflow or underflow", §7.2.4

	lsmMeasureTime = 20 * time.Millisecond // the datasheet names none for single measurements; at 75 Hz one is done in 13.3 ms
	lsmPollTime    = 5 * time.Millisecond
	lsmPolls       = 10
)

var lsm303dlhc = Driver{
	Chip: "lsm303dlhc", Part: "STMicroelectronics LSM303DLHC, magnetometer", Addresses: []uint16{0x1e}, Confidence: Likely,
	Quantities: []holdfast.Quantity{magneticField("x"), magneticField("y"), magneticField("z")},
	Wiring:     "one address",
	Notes:      "Its accelerometer, at 0x19, is not read. An HMC5883L answers alike: its values come out 1 % too high, on z 11 %",
	Tested:     []string{testedVirtualPi},
	probe:      isLSM303DLHC,
	open:       func(d Device) Sensor { return &lsm303dlhcChip{device: d} },
}

func magneticField(axis string) holdfast.Quantity {
	return holdfast.Quantity{Name: "magnetic_flux_density_" + axis + "_teslas", Unit: "T", Precision: 8, Min: -230e-6, Max: 230e-6}
}

func isLSM303DLHC(ctx context.Context, d Device) (bool, error) {
	var id [3]byte
	if err := d.read(ctx, lsmIdentity, id[:]); err != nil {
		return false, err
	}
	return string(id[:]) == "H43", nil
}

type lsm303dlhcChip struct {
	device Device
	known  bool // since the last error
}

func (l *lsm303dlhcChip) Read(ctx context.Context) (map[string]float64, error) {
	values, err := l.measure(ctx)
	l.known = err == nil
	return values, err
}

// measure writes all settings each time, one register in a transaction: that a write goes on to the next is not said.
func (l *lsm303dlhcChip) measure(ctx context.Context) (map[string]float64, error) {
	if !l.known {
		if err := sure(isLSM303DLHC(ctx, l.device)); err != nil {
			return nil, err
		}
	}
	for _, w := range [][2]byte{{lsmRate, lsm75Hz}, {lsmGain, lsm130µT}, {lsmMode, lsmSingle}} {
		if err := l.device.write(ctx, w[0], w[1]); err != nil {
			return nil, err
		}
	}
	if err := wait(ctx, lsmMeasureTime); err != nil {
		return nil, err
	}
	if err := l.ready(ctx); err != nil {
		return nil, err
	}
	var raw [6]byte
	if err := l.device.read(ctx, lsmField, raw[:]); err != nil {
		return nil, err
	}
	var held [2]byte
	if err := l.device.read(ctx, lsmRate, held[:]); err != nil { // last: so it had its power when the field was read
		return nil, err
	}
	if held != [2]byte{lsm75Hz, lsm130µT} {
		return nil, fmt.Errorf("the settings are gone: registers 0x00 and 0x01 read %x", held)
	}
	return decodeLSM303DLHC(raw)
}

func (l *lsm303dlhcChip) ready(ctx context.Context) error {
	for range lsmPolls {
		var status [1]byte
		if err := l.device.read(ctx, lsmStatus, status[:]); err != nil {
			return err
		}
		if status[0]&1 != 0 {
			return nil
		}
		if err := wait(ctx, lsmPollTime); err != nil {
			return err
		}
	}
	return errors.New("no measurement comes")
}

// decodeLSM303DLHC returns teslas. An axis on which the field is too strong has no value; 12 bits are all that is measured.
func decodeLSM303DLHC(raw [6]byte) (map[string]float64, error) {
	values := map[string]float64{}
	for i, axis := range []struct {
		name  string
		steps float64
	}{{"x", lsmGaussXY}, {"z", lsmGaussZ}, {"y", lsmGaussXY}} {
		n := int16(binary.BigEndian.Uint16(raw[2*i:]))
		switch {
		case n == lsmOverflow || n == -2048 || n == 2047:
		case n < -2048 || n > 2047:
			return nil, fmt.Errorf("%s reads %d, which has more than 12 bits", axis.name, n)
		default:
			values["magnetic_flux_density_"+axis.name+"_teslas"] = round(float64(n)/axis.steps*1e-4, 1e-8)
		}
	}
	if len(values) == 0 {
		return nil, errors.New("the field is too strong on every axis")
	}
	return values, nil
}
