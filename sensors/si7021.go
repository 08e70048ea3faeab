package sensors

import (
	"context"
	"time"

	"holdfast"
)

// The Si7021 of Silicon Labs and its relatives: htu21.go reads them. Si7021-A20 §5.5, the part in the serial number.
const (
	si7013   = 0x0d
	si7020   = 0x14
	si7021ID = 0x15

	// Table 2. Humidity takes a temperature too.
	si7021TemperatureTime = 10800 * time.Microsecond
	si7021HumidityTime    = 12*time.Millisecond + si7021TemperatureTime
)

var si7021 = Driver{
	Chip: "si7021", Part: "Silicon Labs Si7013, Si7020, Si7021", Addresses: []uint16{0x40}, Confidence: Certain,
	Quantities: []holdfast.Quantity{celsius(2, -40, 125), humidity},
	Wiring:     "one address",
	Commands:   [][]byte{htu21Serial1, htu21Serial2},
	probe:      isSi7021,
	open:       func(d Device) Sensor { return &htu{d, isSi7021, si7021TemperatureTime, si7021HumidityTime, false} },
}

func isSi7021(ctx context.Context, d Device) (bool, error) {
	made, err := htu21Maker(ctx, d)
	return made == madeBySiliconLabs, err
}
