package sensors

import (
	"context"
	"slices"

	"holdfast"
)

// A Driver is what is known of a kind of chip.
type Driver struct {
	Chip       string              // bme280
	Addresses  []uint16            // where such a chip can be
	Quantities []holdfast.Quantity // what it measures

	// probe reports whether the chip at d is of this kind. It only reads, from registers that are harmless to read on
	// whatever else may stand at one of the addresses.
	probe func(ctx context.Context, d Device) (bool, error)
	// open returns the chip at d without touching it: the first Read sets it up.
	open func(d Device, quantities []holdfast.Quantity) Sensor
}

// drivers is every chip that Holdfast reads. One line adds one.
var drivers = []Driver{
	{"bme280", boschAddresses, []holdfast.Quantity{celsius(2, -40, 85), humidity, pascals(30000, 110000)}, isBME280, openBME280},
	{"bmp280", boschAddresses, []holdfast.Quantity{celsius(2, -40, 85), pascals(30000, 110000)}, isBMP280, openBMP280},
	{"tmp102", lm75Addresses, []holdfast.Quantity{celsius(2, -55, 150)}, isTMP102, openTMP102},
	{"tmp105", lm75Addresses, []holdfast.Quantity{celsius(2, -55, 128)}, isTMP105, openTMP105},
	{"lm75", lm75Addresses, []holdfast.Quantity{celsius(1, -55, 125)}, isLM75, openLM75},
}

var (
	boschAddresses = []uint16{0x76, 0x77}
	lm75Addresses  = []uint16{0x48, 0x49, 0x4a, 0x4b, 0x4c, 0x4d, 0x4e, 0x4f}
)

var humidity = holdfast.Quantity{Name: "humidity_percent", Unit: "%", Precision: 1, Min: 0, Max: 100}

func celsius(precision int, lowest, highest float64) holdfast.Quantity {
	return holdfast.Quantity{Name: "temperature_celsius", Unit: "°C", Precision: precision, Min: lowest, Max: highest}
}

func pascals(lowest, highest float64) holdfast.Quantity {
	return holdfast.Quantity{Name: "pressure_pascals", Unit: "Pa", Precision: 0, Min: lowest, Max: highest}
}

// Drivers returns the table of chips. The caller must not change what its lines hold.
func Drivers() []Driver { return slices.Clone(drivers) }

// Open returns the chip at d, which is of this kind, without touching it.
func (d Driver) Open(at Device) Sensor { return d.open(at, d.Quantities) }

// driverOf returns the driver for a chip by its name.
func driverOf(chip string) (Driver, bool) {
	i := slices.IndexFunc(drivers, func(d Driver) bool { return d.Chip == chip })
	if i < 0 {
		return Driver{}, false
	}
	return drivers[i], true
}
