package sensors

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// The EMC1413 and EMC1414 of SMSC, now Microchip: the temperature of the chip itself and of two or three diodes elsewhere.
// Datasheet DS20005274, table 6-1. Every register is a byte and is read alone: the chip knows no longer transactions (§5.1).
const (
	emcConfig       = 0x03
	emcFaults       = 0x1b // bit i: diode i is open or shorted; cleared by reading
	emcProduct      = 0xfd
	emcManufacturer = 0xfe // 0x5d: SMSC

	emcStandby = 1 << 6
	emcWide    = 1 << 2 // −64 to 191 °C instead of 0 to 127; not set from power-up, so it is also the mark of a chip that was set up

	// It converts four times a second (§5.4), so that every channel has been converted in the new form after that.
	emcConversion = 500 * time.Millisecond
)

// emcChannels are the numbers of the registers: whole degrees, and eighths in the upper three bits. Reading the first makes
// the chip keep the second for it (§6.1).
var emcChannels = [4]struct {
	name      string
	high, low byte
}{
	{"temperature_celsius", 0x00, 0x29},
	{"temperature_diode1_celsius", 0x01, 0x10},
	{"temperature_diode2_celsius", 0x23, 0x24},
	{"temperature_diode3_celsius", 0x2a, 0x2b},
}

// The address is chosen by a resistor, or by the last digit of the part's number. 0x7c, which can be chosen too, is an
// address that the I²C specification reserves.
var emcAddresses = []uint16{0x4c, 0x4d, 0x1c, 0x3c, 0x5c, 0x6c}

var (
	emc1413 = emc141x("emc1413", "Microchip EMC1413", 3, 0x21)
	emc1414 = emc141x("emc1414", "Microchip EMC1414", 4, 0x25)
)

func emc141x(chip, part string, channels int, product byte) Driver {
	is := func(ctx context.Context, d Device) (bool, error) { return emcIs(ctx, d, product) }
	driver := Driver{
		Chip: chip, Part: part, Addresses: emcAddresses, Confidence: Certain, probe: is,
		Wiring: "a resistor at ADDR, or the last digit of the part's number, chooses the address; each diode between DP and DN",
		Tested: []string{testedVirtualPi},
		open:   func(d Device) Sensor { return &emc141xChip{device: d, is: is, channels: channels} },
	}
	for _, c := range emcChannels[:channels] {
		q := celsius(3, -64, 191.875)
		q.Name = c.name
		driver.Quantities = append(driver.Quantities, q)
	}
	return driver
}

func emcIs(ctx context.Context, d Device, product byte) (bool, error) {
	var id, manufacturer [1]byte
	if err := d.read(ctx, emcProduct, id[:]); err != nil || id[0] != product {
		return false, err
	}
	if err := d.read(ctx, emcManufacturer, manufacturer[:]); err != nil {
		return false, err
	}
	return manufacturer[0] == 0x5d, nil
}

type emc141xChip struct {
	device   Device
	is       func(context.Context, Device) (bool, error)
	channels int
	config   byte      // as it was after the set-up
	measured time.Time // when every channel has been converted since; zero until the chip is set up
}

func (e *emc141xChip) Read(ctx context.Context) (map[string]float64, error) {
	values, err := e.measure(ctx)
	if err != nil {
		e.measured = time.Time{}
		return nil, err
	}
	return values, nil
}

func (e *emc141xChip) measure(ctx context.Context) (map[string]float64, error) {
	if e.measured.IsZero() {
		if err := e.setUp(ctx); err != nil {
			return nil, err
		}
	}
	if err := wait(ctx, time.Until(e.measured)); err != nil {
		return nil, fmt.Errorf("first conversion: %w", err)
	}
	var raw [4][2]byte
	for i, c := range emcChannels[:e.channels] {
		if err := e.device.read(ctx, c.high, raw[i][:1]); err != nil {
			return nil, err
		}
		if err := e.device.read(ctx, c.low, raw[i][1:]); err != nil {
			return nil, err
		}
	}
	var faults, config [1]byte
	if err := e.device.read(ctx, emcFaults, faults[:]); err != nil {
		return nil, err
	}
	if err := e.device.read(ctx, emcConfig, config[:]); err != nil { // last: so the form of the values was this one
		return nil, err
	}
	if config[0] != e.config {
		return nil, fmt.Errorf("the settings are gone: configuration reads 0x%02x, want 0x%02x", config[0], e.config)
	}
	return decodeEMC141x(raw[:e.channels], faults[0], config[0])
}

// setUp makes the chip measure in the wide form. The model of QEMU knows no configuration; what reads 0 before and after, twice
// because a chip may just have lost its power, is taken as one that stays in its form from power-up, of which decodeEMC141x
// believes less.
func (e *emc141xChip) setUp(ctx context.Context) error {
	if err := sure(e.is(ctx, e.device)); err != nil {
		return err
	}
	var before, after [1]byte
	if err := e.device.read(ctx, emcConfig, before[:]); err != nil {
		return err
	}
	want := before[0]&^emcStandby | emcWide
	for range 2 {
		if err := e.device.write(ctx, emcConfig, want); err != nil {
			return err
		}
		if err := e.device.read(ctx, emcConfig, after[:]); err != nil {
			return err
		}
		if after[0] == want {
			break
		}
	}
	if after[0] != want && (before[0] != 0 || after[0] != 0) {
		return fmt.Errorf("configuration reads 0x%02x after 0x%02x was written", after[0], want)
	}
	e.config, e.measured = after[0], time.Now().Add(emcConversion)
	return nil
}

// decodeEMC141x makes values of what the channels read. A diode that is not there has none, and neither has a channel at the
// end of its range: such a number stands there from power-up, without a diode, and for all that lies beyond (§5.6).
func decodeEMC141x(raw [][2]byte, faults, config byte) (map[string]float64, error) {
	values := map[string]float64{}
	for i, r := range raw {
		eighths := int(r[0])<<3 | int(r[1])>>5
		atEnd := eighths == 0 || eighths == 0xff<<3|7
		if config&emcWide == 0 {
			atEnd = eighths == 0 || r[0]&0x80 != 0
		}
		if i > 0 && faults>>i&1 != 0 || atEnd {
			continue
		}
		if config&emcWide != 0 {
			eighths -= 64 << 3
		}
		values[emcChannels[i].name] = float64(eighths) / 8
	}
	if len(values) == 0 {
		return nil, errors.New("no channel has a temperature inside of its range")
	}
	return values, nil
}
