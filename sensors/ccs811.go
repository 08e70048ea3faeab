package sensors

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"holdfast"
)

// The CCS811 of ams (now ScioSense): organic compounds in the air, and from them an equivalent of carbon dioxide. Datasheet
// DS000459, "Application Register Overview" and "Bootloader Register Overview". It stretches the clock.
const (
	ccsStatus   = 0x00
	ccsMode     = 0x01
	ccsResult   = 0x02
	ccsHardware = 0x20 // 0x81, and behind it 0x1X
	ccsErrorID  = 0xe0
	ccsStart    = 0xf4 // written without a value: from the bootloader to the application

	ccsRuns    = 1 << 7 // of the status: the application; from power-up it is the bootloader
	ccsHasApp  = 1 << 4
	ccsNewData = 1 << 3
	ccsFailed  = 1 << 0

	ccsEachSecond = 1 << 4 // drive mode 1

	ccsStarting  = 20 * time.Millisecond // t START: 1 ms from the bootloader, 20 ms from power-up
	ccsConverges = 20 * time.Minute      // "run-in": before that the values are not those of the air
	ccsOverdue   = 3 * time.Second
)

var ccs811 = Driver{
	Chip: "ccs811", Part: "ScioSense CCS811", Addresses: []uint16{0x5a, 0x5b}, Confidence: Certain,
	Quantities: []holdfast.Quantity{
		{Name: "co2_equivalent_ppm", Unit: "ppm", Precision: 0, Min: 400, Max: 29206},
		{Name: "tvoc_ppb", Unit: "ppb", Precision: 0, Min: 0, Max: 32768},
	},
	Wiring: "ADDR to GND: 0x5a; to Vcc: 0x5b; WAK to GND",
	Notes:  "It holds the clock: see clock stretching above. No value for 20 minutes after power-up, while it runs in",
	Tested: []string{testedPeriph},
	probe:  isCCS811,
	open:   func(d Device) Sensor { return &ccs811Chip{device: d} },
}

func isCCS811(ctx context.Context, d Device) (bool, error) {
	var id, version [1]byte
	if err := d.read(ctx, ccsHardware, id[:]); err != nil || id[0] != 0x81 {
		return false, err
	}
	if err := d.read(ctx, ccsHardware+1, version[:]); err != nil {
		return false, err
	}
	return version[0]>>4 == 1, nil
}

type ccs811Chip struct {
	device Device
	known  bool      // since the last error
	since  time.Time // when it was first seen measuring; it has been ever since, as often as it was looked at

	measured time.Time // when it last had new data
}

func (c *ccs811Chip) Read(ctx context.Context) (map[string]float64, error) {
	values, err := c.measure(ctx)
	c.known = err == nil
	return values, err
}

func (c *ccs811Chip) measure(ctx context.Context) (map[string]float64, error) {
	if !c.known {
		if err := c.setUp(ctx); err != nil {
			return nil, err
		}
	}
	if left := time.Until(c.since.Add(ccsConverges)); left > 0 {
		return nil, fmt.Errorf("%w: warms up for %v more", ErrNotReady, left.Round(time.Second))
	}
	if err := c.newData(ctx); err != nil {
		return nil, err
	}
	var result [6]byte
	if err := c.device.read(ctx, ccsResult, result[:]); err != nil {
		return nil, err
	}
	return decodeCCS811(result)
}

// setUp brings the chip to measure each second, unless it does: then it goes on, and stays warm.
func (c *ccs811Chip) setUp(ctx context.Context) error {
	if err := sure(isCCS811(ctx, c.device)); err != nil {
		return err
	}
	runs, err := c.measuring(ctx)
	if err != nil || runs && !c.since.IsZero() {
		return err
	}
	c.since = time.Time{}
	if err := c.start(ctx); err != nil {
		return err
	}
	if err := c.device.write(ctx, ccsMode, ccsEachSecond); err != nil {
		return err
	}
	if runs, err = c.measuring(ctx); err != nil {
		return err
	}
	if !runs {
		return errors.New("the chip does not take its mode")
	}
	c.since = time.Now()
	return nil
}

// start brings the chip from the bootloader to the application, unless it is there.
func (c *ccs811Chip) start(ctx context.Context) error {
	var status [1]byte
	if err := c.device.read(ctx, ccsStatus, status[:]); err != nil || status[0]&ccsRuns != 0 {
		return err
	}
	if status[0]&ccsHasApp == 0 {
		return errors.New("the chip has no valid application; its firmware has to be written again")
	}
	if err := c.device.write(ctx, ccsStart); err != nil {
		return err
	}
	return wait(ctx, ccsStarting)
}

// measuring reports whether the application runs and measures each second. The bootloader has no mode: to ask it for one
// would be an error that it reports later.
func (c *ccs811Chip) measuring(ctx context.Context) (bool, error) {
	var status, mode [1]byte
	if err := c.device.read(ctx, ccsStatus, status[:]); err != nil || status[0]&ccsRuns == 0 {
		return false, err
	}
	if err := c.device.read(ctx, ccsMode, mode[:]); err != nil {
		return false, err
	}
	return mode[0] == ccsEachSecond, nil
}

// fault asks for the reason where the status has an error, which also clears it.
func (c *ccs811Chip) fault(ctx context.Context, status byte) error {
	if status&ccsFailed == 0 {
		return nil
	}
	var id [1]byte
	if err := c.device.read(ctx, ccsErrorID, id[:]); err != nil {
		return err
	}
	return ccsFault(id[0])
}

func ccsFault(id byte) error {
	for i, what := range []string{
		"wrote an invalid register", "read an invalid register", "invalid mode", "the sensor's resistance is out of range",
		"the heater's current is out of range", "the heater has no voltage",
	} {
		if id>>i&1 != 0 {
			return fmt.Errorf("the chip reports error 0x%02x: %s", id, what)
		}
	}
	return fmt.Errorf("the chip reports error 0x%02x", id)
}

// newData returns an error unless there are values that were not read yet.
func (c *ccs811Chip) newData(ctx context.Context) error {
	var status [1]byte
	if err := c.device.read(ctx, ccsStatus, status[:]); err != nil {
		return err
	}
	if err := c.fault(ctx, status[0]); err != nil {
		return err
	}
	switch {
	case status[0]&ccsNewData != 0:
		c.measured = time.Now()
		return nil
	case time.Since(c.measured) > ccsOverdue:
		return fmt.Errorf("status reads 0x%02x: no new data come", status[0])
	}
	return ErrNotReady
}

// decodeCCS811 reads ALG_RESULT_DATA: both values, the status, the error.
func decodeCCS811(r [6]byte) (map[string]float64, error) {
	if r[4]&ccsRuns == 0 {
		return nil, fmt.Errorf("status reads 0x%02x: the application does not run", r[4])
	}
	if r[4]&ccsFailed != 0 {
		return nil, ccsFault(r[5])
	}
	return map[string]float64{
		"co2_equivalent_ppm": float64(binary.BigEndian.Uint16(r[0:])),
		"tvoc_ppb":           float64(binary.BigEndian.Uint16(r[2:])),
	}, nil
}
