package sensors

import (
	"context"
	"errors"
	"fmt"
	"time"

	"holdfast"
)

// The HTU21D of TE Connectivity and the Si7021 of Silicon Labs speak the language of Sensirion's SHT2x. Datasheets HPC199
// (HTU21D), Si7021-A20, SHT21 version 4. Their checksums begin with 0.
var (
	htu21Serial1     = []byte{0xfa, 0x0f} // Si7021 §5.5; "HTU21 serial number reading": four bytes, a checksum behind each
	htu21Serial2     = []byte{0xfc, 0xc9} // two bytes, a checksum, two bytes, a checksum
	htu21Temperature = []byte{0xf3}       // without holding the clock
	htu21Humidity    = []byte{0xf5}
)

const (
	htu21ReadUser  = 0xe7
	htu21WriteUser = 0xe6
	htu21Settings  = 1<<7 | 1<<0 | 1<<2 // of the user register: resolution, 0 for the highest, and heater

	// Of the slowest that look like an HTU21D, the SHT21, at 14 and 12 bits: SHT21 §2.3. The HTU21D itself takes 50 and 16 ms.
	htu21TemperatureTime = 85 * time.Millisecond
	htu21HumidityTime    = 29 * time.Millisecond
)

var htu21 = Driver{
	Chip: "htu21", Part: "TE HTU21D, Sensirion SHT20, SHT21, SHT25", Addresses: []uint16{0x40}, Confidence: Certain,
	Quantities: []holdfast.Quantity{celsius(2, -40, 125), humidity},
	Wiring:     "one address",
	Commands:   [][]byte{htu21Serial1, htu21Serial2},
	probe:      isHTU21,
	open:       func(d Device) Sensor { return &htu{d, isHTU21, htu21TemperatureTime, htu21HumidityTime, false} },
}

func isHTU21(ctx context.Context, d Device) (bool, error) {
	made, err := htu21Maker(ctx, d)
	return made == madeByOthers, err
}

type htu21Made int

const (
	madeUnknown htu21Made = iota
	madeBySiliconLabs
	madeByOthers
)

// htu21Maker reads the serial number, in one transaction as the Si7021 wants it. The first byte of its second half is the
// part at Silicon Labs. The last checksum is left out: whether it covers two bytes or four depends on the maker.
func htu21Maker(ctx context.Context, d Device) (htu21Made, error) {
	var first [8]byte
	var second [6]byte
	if err := d.Bus.Tx(ctx, d.Addr, htu21Serial1, first[:]); err != nil {
		return madeUnknown, fmt.Errorf("read the serial number: %w", err)
	}
	if err := d.Bus.Tx(ctx, d.Addr, htu21Serial2, second[:]); err != nil {
		return madeUnknown, fmt.Errorf("read the serial number: %w", err)
	}
	switch {
	case first == [8]byte{} || first[1] != crc8(0, first[:1]) || second[2] != crc8(0, second[:2]):
		return madeUnknown, nil
	case second[0] == si7013 || second[0] == si7020 || second[0] == si7021ID:
		return madeBySiliconLabs, nil
	}
	return madeByOthers, nil
}

// htu is a chip of the kind, measuring once for each Read.
type htu struct {
	device Device
	is     func(context.Context, Device) (bool, error)

	temperatureTime time.Duration
	humidityTime    time.Duration

	known bool
}

func (h *htu) Read(ctx context.Context) (map[string]float64, error) {
	values, err := h.measure(ctx)
	h.known = err == nil
	return values, err
}

func (h *htu) measure(ctx context.Context) (map[string]float64, error) {
	if !h.known {
		if err := sure(h.is(ctx, h.device)); err != nil {
			return nil, err
		}
	}
	if err := h.settle(ctx); err != nil {
		return nil, err
	}
	var t, rh [3]byte
	if err := h.device.command(ctx, htu21Temperature, h.temperatureTime, t[:]); err != nil {
		return nil, err
	}
	if err := h.device.command(ctx, htu21Humidity, h.humidityTime, rh[:]); err != nil {
		return nil, err
	}
	return decodeHTU21(t, rh)
}

// settle makes sure that the heater is off and the resolution is the highest, as from power-up. The rest of the user register
// is reserved and stays.
func (h *htu) settle(ctx context.Context) error {
	var user [1]byte
	if err := h.device.read(ctx, htu21ReadUser, user[:]); err != nil {
		return err
	}
	if user[0]&htu21Settings == 0 {
		return nil
	}
	if user[0] == 0xff {
		return errAnother
	}
	if err := h.device.write(ctx, htu21WriteUser, user[0]&^htu21Settings); err != nil {
		return err
	}
	if err := h.device.read(ctx, htu21ReadUser, user[:]); err != nil {
		return err
	}
	if user[0]&htu21Settings != 0 {
		return fmt.Errorf("user register reads 0x%02x after its settings were cleared", user[0])
	}
	return nil
}

// decodeHTU21 is HTU21D p. 15, Si7021 §5.1. The two lowest bits are no part of the number. Zeros, whose checksum is 0 here,
// are what a line says that is held low.
func decodeHTU21(t, rh [3]byte) (map[string]float64, error) {
	var raw [2]float64
	for i, answer := range [][3]byte{t, rh} {
		if got, want := answer[2], crc8(0, answer[:2]); got != want {
			return nil, fmt.Errorf("checksum of answer %d is 0x%02x, want 0x%02x", i+1, got, want)
		}
		if answer == [3]byte{} {
			return nil, errors.New("the answer is zeros")
		}
		raw[i] = float64(uint16(answer[0])<<8|uint16(answer[1])&^3) / 65536
	}
	return map[string]float64{
		"temperature_celsius": round(-46.85+175.72*raw[0], 0.01),
		"humidity_percent":    round(min(max(-6+125*raw[1], 0), 100), 0.01),
	}, nil
}
