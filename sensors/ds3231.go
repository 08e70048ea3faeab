package sensors

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"time"

	"holdfast"
)

// Clocks of Maxim, which are known so that nothing else is taken for them. The DS3231 has a thermometer, which is read; its
// clock is the kernel's business, and nothing is written to it. Datasheets: DS3231 19-5170 rev. 10, DS1307 100101,
// DS1338 19-6504; registers in figure 1, figure 3, table 3.
const (
	dsControl = 0x0e
	dsConvert = 1 << 5 // measure now; comes back by itself
	dsStatus  = 0x0f
	dsBusy    = 1 << 2 // it measures, as it does by itself every 64 s too
	dsCelsius = 0x11

	ds3231Size = 0x13 // registers; reading goes on at the first
	ds1338Size = 0x40

	ds3231Conversion = 200 * time.Millisecond // at most, page 3
	ds3231Tries      = 2                      // its own may have been going on
)

var ds3231 = Driver{
	Chip: "ds3231", Part: "Maxim DS3231", Addresses: []uint16{0x68}, Confidence: Likely,
	Quantities: []holdfast.Quantity{celsius(2, -40, 85)},
	Wiring:     "one address",
	Notes:      "Its clock is not read and never written; where the kernel has it as a clock (dtoverlay=i2c-rtc,ds3231) it is left to the kernel",
	probe:      isDS3231,
	open:       func(d Device) Sensor { return ds3231Chip{d} },
}

var ds1338 = Driver{
	Chip: "ds1338", Part: "Maxim DS1307 and DS1338", Addresses: []uint16{0x68}, Confidence: Likely,
	Wiring: "one address",
	Notes:  "A clock: it measures nothing and is left alone",
	Tested: []string{testedVirtualPi},
	probe:  isDS1338,
	open:   func(Device) Sensor { return unreadable{errors.New("a DS1307 or DS1338 measures nothing")} },
}

// isDS3231 knows the chip by a time and date that are one, by the bits that are always 0, and by reading that begins anew
// behind 19 registers. The seconds may go on meanwhile, and the hour with them.
func isDS3231(ctx context.Context, d Device) (bool, error) {
	var r [ds3231Size + 7]byte
	if is, err := readClock(ctx, d, r[:], ds3231Size); !is || err != nil {
		return false, err
	}
	return r[dsStatus]&0x70 == 0 && r[dsCelsius+1]&0x3f == 0, nil
}

// isDS1338 does the same with 8 registers and 56 bytes of memory.
func isDS1338(ctx context.Context, d Device) (bool, error) {
	var r [ds1338Size + 8]byte
	if is, err := readClock(ctx, d, r[:], ds1338Size); !is || err != nil {
		return false, err
	}
	return r[7]&0x4c == 0 && r[7] == r[ds1338Size+7], nil // OUT, OSF or 0, SQWE, RS1 and RS0; the rest is always 0
}

// readClock reads the registers of a clock that has size of them into r, and reports whether there is a date in the first
// that stands again behind the last.
func readClock(ctx context.Context, d Device, r []byte, size int) (bool, error) {
	if err := d.read(ctx, 0, r[:7]); err != nil || !isDate(r[:7]) {
		return false, err
	}
	if err := d.read(ctx, 0, r); err != nil {
		return false, err
	}
	return isDate(r) && isDate(r[size:]) && bytes.Equal(r[3:7], r[size+3:size+7]), nil
}

// isDate reports whether seconds, minutes, hour, day of the week, date, month and year are some, in decimal digits. The first
// bit of the seconds stops a DS1307, that of the month is a DS3231's century, and two bits of the hour make it of 12.
func isDate(r []byte) bool {
	hour, lastHour := r[2]&0x3f, 23
	if r[2]&0x40 != 0 {
		hour, lastHour = r[2]&0x1f, 12
	}
	for _, part := range []struct {
		digits      byte
		first, last int
	}{
		{r[0] & 0x7f, 0, 59}, {r[1], 0, 59}, {hour, 0, lastHour}, {r[3], 1, 7}, {r[4], 1, 31}, {r[5] & 0x7f, 1, 12}, {r[6], 0, 99},
	} {
		n := int(part.digits>>4)*10 + int(part.digits&15)
		if part.digits&15 > 9 || n < part.first || n > part.last {
			return false
		}
	}
	return r[2]&0x80 == 0
}

type ds3231Chip struct{ device Device }

// Read measures once more where it is exactly 0 °C, because that is also what a chip says that was without power meanwhile.
func (c ds3231Chip) Read(ctx context.Context) (map[string]float64, error) {
	if err := sure(isDS3231(ctx, c.device)); err != nil {
		return nil, err
	}
	raw, err := c.measure(ctx)
	if err == nil && raw == 0 {
		raw, err = c.measure(ctx)
	}
	if err != nil {
		return nil, err
	}
	return decodeDS3231(raw), nil
}

func (c ds3231Chip) measure(ctx context.Context) (uint16, error) {
	var r [5]byte // control, status, aging, temperature
	if err := c.device.read(ctx, dsControl, r[:]); err != nil {
		return 0, err
	}
	if r[1]&dsBusy == 0 { // page 14: not while it measures by itself; that is as good
		if err := c.device.write(ctx, dsControl, r[0]|dsConvert); err != nil {
			return 0, err
		}
	}
	for range ds3231Tries {
		if err := wait(ctx, ds3231Conversion); err != nil {
			return 0, err
		}
		if err := c.device.read(ctx, dsControl, r[:]); err != nil {
			return 0, err
		}
		if r[0]&dsConvert == 0 && r[1]&dsBusy == 0 {
			return binary.BigEndian.Uint16(r[3:]), nil
		}
	}
	return 0, errors.New("the chip does not end measuring")
}

// decodeDS3231 returns °C: quarters from the seventh bit on.
func decodeDS3231(raw uint16) map[string]float64 {
	return map[string]float64{"temperature_celsius": float64(int16(raw)>>6) / 4}
}
