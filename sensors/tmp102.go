package sensors

import (
	"context"
	"encoding/binary"
	"fmt"
	"time"

	"holdfast"
)

// The family of the LM75, with its descendants TMP102 and TMP105 of Texas Instruments. All have four registers behind a
// pointer: temperature, configuration, and two limits. None has an identity register, so identity is what the registers
// cannot help but show. Datasheets: SNOS808 (LM75), SBOS397 (TMP102), SBOS348 (TMP105).
const (
	lm75Temperature = 0
	lm75Config      = 1
	lm75Low         = 2 // 75 °C from power-up
	lm75High        = 3 // 80 °C from power-up

	lm75Shutdown = 1 << 0 // in the (first) byte of the configuration, in all three
	tmpOneShot   = 1 << 7 // there too: in shutdown, a single conversion is done; reserved as 0 on the LM75
	tmp12Bit     = 3 << 5 // resolution; read-only on the TMP102, chosen on the TMP105, reserved as 0 on the LM75
	tmp102Wide   = 1 << 4 // in the second byte: 13 bits of temperature

	// From power-up the temperature reads 0 °C until the first conversion is done: 300 ms at most on an LM75, and on a
	// TMP105 at 12 bits.
	lm75Conversion = 300 * time.Millisecond
)

var lm75Addresses = []uint16{0x48, 0x49, 0x4a, 0x4b, 0x4c, 0x4d, 0x4e, 0x4f}

var tmp102 = Driver{
	Chip: "tmp102", Part: "Texas Instruments TMP102", Addresses: lm75Addresses, Confidence: Likely,
	Quantities: []holdfast.Quantity{celsius(2, -55, 150)},
	Wiring:     "A0 to GND: 0x48, Vcc: 0x49, SDA: 0x4a, SCL: 0x4b",
	Tested:     []string{testedPeriph},
	probe:      isTMP102,
	open:       func(d Device) Sensor { return &thermometer{device: d, kind: kindTMP102} },
}

var tmp105 = Driver{
	Chip: "tmp105", Part: "Texas Instruments TMP105", Addresses: lm75Addresses, Confidence: Likely,
	Quantities: []holdfast.Quantity{celsius(2, -55, 128)},
	Wiring:     "A2, A1, A0 to GND or Vcc: 0x48 to 0x4f",
	Tested:     []string{testedVirtualPi},
	probe:      isTMP105,
	open:       func(d Device) Sensor { return &thermometer{device: d, kind: kindTMP105} },
}

var lm75 = Driver{
	Chip: "lm75", Part: "LM75 and its like", Addresses: lm75Addresses, Confidence: Likely,
	Quantities: []holdfast.Quantity{celsius(1, -55, 125)},
	Wiring:     "A2, A1, A0 to GND or Vcc: 0x48 to 0x4f",
	Notes:      "Read in half degrees, which every chip of the kind has",
	probe:      isLM75,
	open:       func(d Device) Sensor { return &thermometer{device: d, kind: kindLM75} },
}

func isTMP102(ctx context.Context, d Device) (bool, error) { return lm75KindIs(ctx, d, kindTMP102) }
func isTMP105(ctx context.Context, d Device) (bool, error) { return lm75KindIs(ctx, d, kindTMP105) }
func isLM75(ctx context.Context, d Device) (bool, error)   { return lm75KindIs(ctx, d, kindLM75) }

type lm75Kind int

const (
	kindUnknown lm75Kind = iota
	kindLM75
	kindTMP102
	kindTMP105
)

func lm75KindIs(ctx context.Context, d Device, want lm75Kind) (bool, error) {
	kind, err := lm75Identify(ctx, d)
	return kind == want, err
}

// lm75Identify tells the family by its limits, which must be those of power-up: the addresses are shared with converters
// and other thermometers that hold something else there, and a chip that somebody has set up otherwise is named in the
// configuration. It then tells the kinds apart by what no setting changes, so that a sensor has the same name after a
// restart: the TMP102 has a second byte of configuration, 4 conversions a second from power-up, its low half always 0; the
// TMP105 decodes two bits of the pointer, so that register 6 is register 2 again, where an LM75 answers with what it sent
// last or with ones.
func lm75Identify(ctx context.Context, d Device) (lm75Kind, error) {
	var low, high, beyond, config [2]byte
	for _, step := range []struct {
		register byte
		to       *[2]byte
	}{{lm75Low, &low}, {lm75High, &high}, {lm75Low | 4, &beyond}, {lm75Config, &config}} {
		if err := d.read(ctx, step.register, step.to[:]); err != nil {
			return kindUnknown, err
		}
	}
	switch {
	case lm75Limit(low) != 75<<8 || lm75Limit(high) != 80<<8:
		return kindUnknown, nil
	case config[0]&tmp12Bit == tmp12Bit && config[1]&0xcf == 0x80:
		return kindTMP102, nil
	case lm75Limit(beyond) == lm75Limit(low) && config[0]&tmpOneShot == 0:
		return kindTMP105, nil
	case config[0]&0xe0 == 0:
		return kindLM75, nil
	}
	return kindUnknown, nil
}

// thermometer is a chip of the family.
type thermometer struct {
	device   Device
	kind     lm75Kind
	measured time.Time  // when the first conversion since the chip was set up is done; zero until it is
	limits   *[2]uint16 // as they were when the chip was first set up, which tells it from others
}

func (t *thermometer) Read(ctx context.Context) (map[string]float64, error) {
	values, err := t.measure(ctx)
	if err != nil {
		t.measured = time.Time{}
		return nil, err
	}
	return values, nil
}

func (t *thermometer) measure(ctx context.Context) (map[string]float64, error) {
	var config [2]byte
	if err := t.readConfig(ctx, &config); err != nil {
		return nil, err
	}
	if t.measured.IsZero() || config[0] != t.wanted(config[0]) {
		if err := t.setUp(ctx, &config); err != nil {
			return nil, err
		}
	}
	raw, err := t.temperature(ctx, config)
	if err == nil && raw[0] == 0 && raw[1]&0xf0 == 0 { // that is also what a chip says that was without power meanwhile
		if err := t.readConfig(ctx, &config); err != nil {
			return nil, err
		}
		if err := t.setUp(ctx, &config); err != nil {
			return nil, err
		}
		raw, err = t.temperature(ctx, config)
	}
	if err != nil {
		return nil, err
	}
	return map[string]float64{"temperature_celsius": t.decode(raw, config)}, nil
}

// temperature reads the register as soon as there is a temperature in it. Where it had to wait for that, the chip may have lost
// its power meanwhile, and measured once more in another form.
func (t *thermometer) temperature(ctx context.Context, config [2]byte) (raw [2]byte, err error) {
	rest := time.Until(t.measured)
	if err := wait(ctx, rest); err != nil {
		return raw, fmt.Errorf("first conversion: %w", err)
	}
	if err := t.device.read(ctx, lm75Temperature, raw[:]); err != nil {
		return raw, err
	}
	if rest <= 0 || t.kind == kindLM75 { // which has one form
		return raw, nil
	}
	var now [2]byte
	if err := t.readConfig(ctx, &now); err != nil {
		return raw, err
	}
	if now[0] != config[0] || (now[1]^config[1])&tmp102Wide != 0 {
		return raw, fmt.Errorf("the settings are gone: configuration reads %#x after %#x", now, config)
	}
	return raw, nil
}

// same returns an error unless the limits are what they were, or those of power-up.
func (t *thermometer) same(ctx context.Context) error {
	var limits [2]uint16
	for i, register := range []byte{lm75Low, lm75High} {
		var b [2]byte
		if err := t.device.read(ctx, register, b[:]); err != nil {
			return err
		}
		limits[i] = lm75Limit(b)
	}
	if t.limits != nil && limits != *t.limits && limits != [2]uint16{75 << 8, 80 << 8} {
		return errAnother
	}
	t.limits = &limits
	return nil
}

// lm75Limit returns the 9 bits of a limit that all kinds have; the rest is undefined on an LM75.
func lm75Limit(b [2]byte) uint16 { return binary.BigEndian.Uint16(b[:]) &^ 0x7f }

// readConfig reads the configuration, one byte or two, and checks what the chip cannot but show in it.
func (t *thermometer) readConfig(ctx context.Context, config *[2]byte) error {
	n := 1
	if t.kind == kindTMP102 {
		n = 2
	}
	if err := t.device.read(ctx, lm75Config, config[:n]); err != nil {
		return err
	}
	found := *config
	if t.kind == kindTMP102 {
		config[0] &^= tmpOneShot // comes and goes by itself
	}
	strange := false
	switch t.kind {
	case kindTMP102:
		strange = config[0]&tmp12Bit != tmp12Bit || config[1]&0x0f != 0
	case kindTMP105:
		strange = config[0]&tmpOneShot != 0
	case kindLM75:
		strange = config[0]&0xe0 != 0
	}
	if strange {
		return fmt.Errorf("%w: the configuration reads %#x", errAnother, found[:n])
	}
	return nil
}

// wanted returns the first byte of the configuration as it has to be: measuring, at full resolution, the rest as found.
func (t *thermometer) wanted(config byte) byte {
	config &^= lm75Shutdown
	if t.kind == kindTMP105 {
		config |= tmp12Bit
	}
	return config
}

// setUp writes the configuration where it is not as it has to be, and notes from when on the temperature is one.
func (t *thermometer) setUp(ctx context.Context, config *[2]byte) error {
	if err := t.same(ctx); err != nil {
		return err
	}
	if t.kind == kindTMP102 { // a TMP105 has one byte, and sends for the second that of the limit just read: 0
		if err := t.readConfig(ctx, config); err != nil {
			return err
		}
		if config[1] == 0 {
			return errAnother
		}
	}
	if want := t.wanted(config[0]); config[0] != want {
		write := []byte{lm75Config, want}
		if t.kind == kindTMP102 {
			write = append(write, config[1])
		}
		if err := t.device.write(ctx, write...); err != nil {
			return err
		}
		if err := t.readConfig(ctx, config); err != nil {
			return err
		}
		if config[0] != want {
			return fmt.Errorf("configuration reads 0x%02x after 0x%02x was written", config[0], want)
		}
	}
	t.measured = time.Now().Add(lm75Conversion)
	return nil
}

// decode returns °C. The number stands left in two bytes; what lies right of its bits is no part of it.
func (t *thermometer) decode(raw, config [2]byte) float64 {
	n := int16(binary.BigEndian.Uint16(raw[:]))
	switch {
	case t.kind == kindTMP102 && config[1]&tmp102Wide != 0:
		return float64(n>>3) / 16
	case t.kind == kindLM75:
		return float64(n>>7) / 2
	}
	return float64(n>>4) / 16
}
