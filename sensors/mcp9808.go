package sensors

import (
	"context"
	"encoding/binary"
	"fmt"
	"time"

	"holdfast"
)

// The MCP9808 of Microchip. Datasheet DS25095, register numbers as in table 5-1; all but the resolution have two bytes.
const (
	mcpConfig       = 1
	mcpTemperature  = 5
	mcpManufacturer = 6 // 0x0054
	mcpDevice       = 7 // 0x04, and a revision
	mcpResolution   = 8 // one byte: 3 is 0.0625 °C

	// The chip converts all the time, also from power-up, where its temperature reads 0 °C until it first did. So the
	// configuration gets a mark that a chip without power loses: a hysteresis of 1.5 °C for an alert that stays off (§5.2.1).
	mcpMark      = 1 << 9
	mcpAlertSeen = 1 << 4 // a status, no setting

	mcpConversion = 300 * time.Millisecond // 250 ms typically (§1), which is all that is said
)

var mcp9808 = Driver{
	Chip: "mcp9808", Part: "Microchip MCP9808", Confidence: Certain,
	Addresses:  []uint16{0x18, 0x19, 0x1a, 0x1b, 0x1c, 0x1d, 0x1e, 0x1f},
	Quantities: []holdfast.Quantity{celsius(2, -40, 125)},
	Wiring:     "A2, A1, A0 to GND or Vcc: 0x18 to 0x1f",
	Tested:     []string{testedPeriph},
	probe:      isMCP9808,
	open:       func(d Device) Sensor { return &mcp9808Chip{device: d} },
}

func isMCP9808(ctx context.Context, d Device) (bool, error) {
	var manufacturer, device [2]byte
	if err := d.read(ctx, mcpManufacturer, manufacturer[:]); err != nil {
		return false, err
	}
	if err := d.read(ctx, mcpDevice, device[:]); err != nil {
		return false, err
	}
	return manufacturer == [2]byte{0x00, 0x54} && device[0] == 0x04, nil
}

type mcp9808Chip struct {
	device   Device
	measured time.Time // when the first conversion since the chip was set up is done; zero until it is
}

func (m *mcp9808Chip) Read(ctx context.Context) (map[string]float64, error) {
	values, err := m.measure(ctx)
	if err != nil {
		m.measured = time.Time{}
		return nil, err
	}
	return values, nil
}

func (m *mcp9808Chip) measure(ctx context.Context) (map[string]float64, error) {
	if m.measured.IsZero() {
		if err := m.setUp(ctx); err != nil {
			return nil, err
		}
	}
	if err := wait(ctx, time.Until(m.measured)); err != nil {
		return nil, fmt.Errorf("first conversion: %w", err)
	}
	var raw [2]byte
	if err := m.device.read(ctx, mcpTemperature, raw[:]); err != nil {
		return nil, err
	}
	if err := m.marked(ctx); err != nil { // behind the temperature: so it had its power when that was read
		return nil, err
	}
	return map[string]float64{"temperature_celsius": decodeMCP9808(raw)}, nil
}

func (m *mcp9808Chip) setUp(ctx context.Context) error {
	if err := sure(isMCP9808(ctx, m.device)); err != nil {
		return err
	}
	if err := m.device.write(ctx, mcpResolution, 3); err != nil {
		return err
	}
	if err := m.device.write(ctx, mcpConfig, mcpMark>>8, mcpMark&0xff); err != nil {
		return err
	}
	if err := m.marked(ctx); err != nil {
		return fmt.Errorf("%w; a chip whose limits were locked takes settings only after it was without power", err)
	}
	m.measured = time.Now().Add(mcpConversion)
	return nil
}

// marked returns an error unless the configuration is what was written.
func (m *mcp9808Chip) marked(ctx context.Context) error {
	var held [2]byte
	if err := m.device.read(ctx, mcpConfig, held[:]); err != nil {
		return err
	}
	if got := binary.BigEndian.Uint16(held[:]) &^ mcpAlertSeen; got != mcpMark {
		return fmt.Errorf("the settings are gone: configuration reads 0x%04x, want 0x%04x", got, mcpMark)
	}
	return nil
}

// decodeMCP9808 returns °C: 13 bits with a sign, behind three bits of alerts (§5.2.3).
func decodeMCP9808(raw [2]byte) float64 {
	return float64(int16(binary.BigEndian.Uint16(raw[:])<<3)) / 128
}
