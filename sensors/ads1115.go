package sensors

import (
	"context"
	"fmt"
	"time"

	"holdfast"
)

// The ADS1115 of Texas Instruments measures the voltage of four inputs with 16 bits. Datasheet: SBAS444, registers §9.6.
// Its sister ADS1015 answers alike, with 12 of them, and is read as well.
const (
	adsResult = 0
	adsConfig = 1
	adsLow    = 2 // limits of the comparator, which is off
	adsHigh   = 3

	adsDefault = 0x8583          // of the configuration from power-up
	adsSingle  = 0x8000 | 1<<8   // start one conversion, then power down; the first bit reads 0 until it is done
	adsOurs    = 1<<9 | 4<<5 | 3 // ±4.096 V, 128 a second, no comparator
	adsMux     = 7 << 12         // what is converted
	adsAIN0    = 4 << 12         // the first input against ground; the others follow
	adsCounts  = 8000            // a volt, at ±4.096 V

	adsConversion = 9 * time.Millisecond // 1/128 s, 10 % more at most (§7.5), and 25 µs to wake up
)

var ads1115 = Driver{
	Chip: "ads1115", Part: "Texas Instruments ADS1115", Addresses: []uint16{0x48, 0x49, 0x4a, 0x4b}, Confidence: Likely,
	Quantities: []holdfast.Quantity{inputVolts(0), inputVolts(1), inputVolts(2), inputVolts(3)},
	Wiring:     "ADDR to GND: 0x48, Vcc: 0x49, SDA: 0x4a, SCL: 0x4b; no input may be above Vcc",
	Notes:      "Range ±4.096 V against ground; what is beyond is bad and not stored. An ADS1015 is read too, with 12 bits",
	Tested:     []string{testedPeriph},
	probe:      isADS1115,
	open:       func(d Device) Sensor { return ads1115Chip{d} },
}

func inputVolts(n int) holdfast.Quantity {
	return holdfast.Quantity{Name: fmt.Sprintf("voltage_ain%d_volts", n), Unit: "V", Precision: 4, Min: -4.095875, Max: 4.09575}
}

// isADS1115 knows the chip by its limits, which are those of power-up while nobody uses the comparator, and by a
// configuration that is either that of power-up or one of those that Read writes.
func isADS1115(ctx context.Context, d Device) (bool, error) {
	for _, is := range []struct {
		register byte
		one      func(v uint16) bool
	}{
		{adsLow, func(v uint16) bool { return v == 0x8000 }},
		{adsHigh, func(v uint16) bool { return v == 0x7fff }},
		{adsConfig, func(v uint16) bool { return v == adsDefault || v&^uint16(adsMux) == adsSingle|adsOurs }},
	} {
		v, err := d.word16(ctx, is.register)
		if err != nil || !is.one(v) {
			return false, err
		}
	}
	return true, nil
}

type ads1115Chip struct{ device Device }

func (c ads1115Chip) Read(ctx context.Context) (map[string]float64, error) {
	if err := sure(isADS1115(ctx, c.device)); err != nil {
		return nil, err
	}
	var counts [4]int16
	for i := range counts {
		count, err := c.convert(ctx, adsSingle|adsOurs|uint16(adsAIN0+i<<12))
		if err != nil {
			return nil, err
		}
		counts[i] = count
	}
	return decodeADS1115(counts), nil
}

// convert does one conversion. The configuration, looked at afterwards, says that it is done, and of what.
func (c ads1115Chip) convert(ctx context.Context, config uint16) (int16, error) {
	if err := c.device.writeWord16(ctx, adsConfig, config); err != nil {
		return 0, err
	}
	if err := wait(ctx, adsConversion); err != nil {
		return 0, err
	}
	got, err := c.device.words16(ctx, adsResult, adsConfig)
	if err != nil {
		return 0, err
	}
	if got[1] != config {
		return 0, fmt.Errorf("configuration reads 0x%04x after 0x%04x was written", got[1], config)
	}
	return int16(got[0]), nil
}

// decodeADS1115 makes volts of the inputs' counts. The first and the last count also stand for everything beyond: they are
// outside of the quantity's range.
func decodeADS1115(counts [4]int16) map[string]float64 {
	values := make(map[string]float64, len(counts))
	for i, n := range counts {
		values[inputVolts(i).Name] = float64(n) / adsCounts
	}
	return values
}
