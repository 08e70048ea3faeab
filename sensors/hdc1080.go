package sensors

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"holdfast"
)

// The HDC1080 of Texas Instruments. Datasheet SNAS672, §8.6. It has no checksums.
const (
	hdc1080Temperature = 0x00 // writing this pointer starts a measurement, of both where the configuration says so
	hdc1080Config      = 0x02
	hdc1080Maker       = 0xfe // 0x5449, "TI"
	hdc1080Device      = 0xff // 0x1050

	hdc1080Wanted  = 1 << 12 // both in one go at 14 bits, heater off: as from power-up, so that nothing can be lost
	hdc1080Battery = 1 << 11 // read-only: the supply is below 2.8 V

	// §7.5 gives 6.35 and 6.5 ms as typical and no maximum; here is half as much again.
	hdc1080MeasureTime = 20 * time.Millisecond
)

var hdc1080 = Driver{
	Chip: "hdc1080", Part: "Texas Instruments HDC1080", Addresses: []uint16{0x40}, Confidence: Certain,
	Quantities: []holdfast.Quantity{celsius(2, -40, 125), humidity},
	Wiring:     "one address",
	probe:      isHDC1080,
	open:       func(d Device) Sensor { return &hdc{device: d} },
}

// isHDC1080 asks for the device first. An HTU21 or Si7021, which can be at this address, knows no command 0xff; 0xfe resets it.
func isHDC1080(ctx context.Context, d Device) (bool, error) {
	for _, id := range []struct {
		register byte
		want     uint16
	}{{hdc1080Device, 0x1050}, {hdc1080Maker, 0x5449}} {
		var got [2]byte
		if err := d.read(ctx, id.register, got[:]); err != nil {
			return false, err
		}
		if binary.BigEndian.Uint16(got[:]) != id.want {
			return false, nil
		}
	}
	return true, nil
}

// hdc is an HDC1080, measuring once for each Read.
type hdc struct {
	device Device
	known  bool
}

func (h *hdc) Read(ctx context.Context) (map[string]float64, error) {
	values, err := h.measure(ctx)
	h.known = err == nil
	return values, err
}

func (h *hdc) measure(ctx context.Context) (map[string]float64, error) {
	if !h.known {
		if err := sure(isHDC1080(ctx, h.device)); err != nil {
			return nil, err
		}
	}
	if err := h.settle(ctx); err != nil {
		return nil, err
	}
	var answer [4]byte
	if err := h.device.command(ctx, []byte{hdc1080Temperature}, hdc1080MeasureTime, answer[:]); err != nil {
		return nil, err
	}
	return decodeHDC1080(answer)
}

func (h *hdc) settle(ctx context.Context) error {
	config, err := h.config(ctx)
	if err != nil || config == hdc1080Wanted {
		return err
	}
	if err := h.device.write(ctx, hdc1080Config, hdc1080Wanted>>8, hdc1080Wanted&0xff); err != nil {
		return err
	}
	if config, err = h.config(ctx); err == nil && config != hdc1080Wanted {
		err = fmt.Errorf("configuration reads 0x%04x after 0x%04x was written", config, hdc1080Wanted)
	}
	return err
}

func (h *hdc) config(ctx context.Context) (uint16, error) {
	var config [2]byte
	err := h.device.read(ctx, hdc1080Config, config[:])
	return binary.BigEndian.Uint16(config[:]) &^ hdc1080Battery, err
}

// decodeHDC1080 is §8.6.1 and §8.6.2.
func decodeHDC1080(answer [4]byte) (map[string]float64, error) {
	t, h := binary.BigEndian.Uint16(answer[:2]), binary.BigEndian.Uint16(answer[2:])
	if (t|h)&3 != 0 {
		return nil, fmt.Errorf("%x: the lowest two bits of a measurement are 0", answer)
	}
	if t == 0 { // from power-up; -40 °C to the last bit is no loss
		return nil, errors.New("the chip has not measured")
	}
	return map[string]float64{
		"temperature_celsius": round(165*float64(t)/65536-40, 0.01),
		"humidity_percent":    round(100*float64(h)/65536, 0.01),
	}, nil
}
