package sensors

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"holdfast"
)

// The AHT20 and AHT21 of Aosong. Datasheet AHT20, version 1.0, §5. The AHT10, which sends no checksum, is not read.
var (
	aht20Initialise = []byte{0xbe, 0x08, 0x00}
	aht20Measure    = []byte{0xac, 0x33, 0x00}
)

const (
	aht20Status = 0x71 // one byte

	aht20Busy       = 1 << 7
	aht20Calibrated = 1 << 3 // §5.3, table 10; without it the values mean nothing
	aht20Fixed      = 0xe0   // busy, and two bits that are 0 in a chip that nobody has set up otherwise
	aht20Awake      = 0x18   // of which one at least is set after power-up: §5.4

	aht20InitialiseTime = 10 * time.Millisecond // §5.4
	aht20MeasureTime    = 80 * time.Millisecond
	aht20PollTime       = 10 * time.Millisecond
	aht20Polls          = 5
)

var aht20 = Driver{
	Chip: "aht20", Part: "Aosong AHT20, AHT21", Addresses: []uint16{0x38}, Confidence: Likely,
	Quantities: []holdfast.Quantity{celsius(2, -40, 85), humidity},
	Wiring:     "one address",
	Tested:     []string{testedPeriph},
	Commands:   [][]byte{{aht20Status}},
	probe:      isAHT20,
	open:       func(d Device) Sensor { return &aht{device: d} },
}

// isAHT20 has no identity to ask for. Reading comes first, without a write: a port expander, which can be at this address
// too, would put the byte of the command on its pins, and gives itself away by sending one byte again and again. An AHT20
// sends its status and what it measured last, and then its status alone when it is asked for that.
func isAHT20(ctx context.Context, d Device) (bool, error) {
	var all [7]byte
	if err := d.Bus.Tx(ctx, d.Addr, nil, all[:]); err != nil {
		return false, fmt.Errorf("read: %w", err)
	}
	if all[0]&aht20Fixed != 0 || all[0]&aht20Awake == 0 || bytes.Count(all[:], all[:1]) == len(all) {
		return false, nil
	}
	var status [1]byte
	if err := d.read(ctx, aht20Status, status[:]); err != nil {
		return false, err
	}
	return status[0] == all[0], nil
}

// aht is an AHT20, measuring once for each Read.
type aht struct {
	device Device
	ready  bool // it is calibrated
}

func (a *aht) Read(ctx context.Context) (map[string]float64, error) {
	values, err := a.measure(ctx)
	a.ready = err == nil
	return values, err
}

func (a *aht) measure(ctx context.Context) (map[string]float64, error) {
	if !a.ready {
		if err := a.setUp(ctx); err != nil {
			return nil, err
		}
	}
	if err := a.device.command(ctx, aht20Measure, aht20MeasureTime, nil); err != nil {
		return nil, err
	}
	for range aht20Polls {
		var answer [7]byte
		if err := a.device.Bus.Tx(ctx, a.device.Addr, nil, answer[:]); err != nil {
			return nil, fmt.Errorf("read the measurement: %w", err)
		}
		if answer[0]&aht20Busy == 0 {
			return decodeAHT20(answer[:])
		}
		if err := wait(ctx, aht20PollTime); err != nil {
			return nil, err
		}
	}
	return nil, errors.New("the measurement does not end")
}

// setUp looks at the status, and has the chip load its calibration where it has not.
func (a *aht) setUp(ctx context.Context) error {
	var status [1]byte
	if err := a.device.read(ctx, aht20Status, status[:]); err != nil {
		return err
	}
	switch {
	case status[0] == 0xff:
		return errAnother
	case status[0]&aht20Calibrated != 0:
		return nil
	}
	return a.device.command(ctx, aht20Initialise, aht20InitialiseTime, nil)
}

// decodeAHT20 is §6: status, 20 bits of humidity, 20 of temperature, and a checksum over all that.
func decodeAHT20(answer []byte) (map[string]float64, error) {
	if got, want := answer[6], crc8(0xff, answer[:6]); got != want {
		return nil, fmt.Errorf("checksum is 0x%02x, want 0x%02x", got, want)
	}
	if answer[0]&(aht20Busy|aht20Calibrated) != aht20Calibrated {
		return nil, fmt.Errorf("status is 0x%02x: busy, or not calibrated", answer[0])
	}
	h := uint32(answer[1])<<12 | uint32(answer[2])<<4 | uint32(answer[3])>>4
	t := uint32(answer[3]&0xf)<<16 | uint32(answer[4])<<8 | uint32(answer[5])
	if h == 0 && t == 0 { // from power-up
		return nil, errors.New("the chip has not measured")
	}
	return map[string]float64{
		"temperature_celsius": round(200*float64(t)/(1<<20)-50, 0.01),
		"humidity_percent":    round(100*float64(h)/(1<<20), 0.01),
	}, nil
}
