package sensors

import (
	"context"
	"slices"
	"time"

	"holdfast"
)

// A Driver is what is known of a kind of chip.
type Driver struct {
	Chip       string              // bme280
	Part       string              // for people: Bosch BME280
	Addresses  []uint16            // where such a chip can be
	Quantities []holdfast.Quantity // what it measures; none where it is only known
	Confidence Confidence          // of probe

	Wiring string   // for people: the address pins, and what else a newcomer must know before he connects it
	Notes  string   // for people: what the values mean and what they do not
	Tested []string // with what, besides the model, its faults and the datasheet's numbers

	// Commands are what probe writes besides numbers of registers: the read-identity commands of the datasheet. A driver
	// with commands is asked only where no other knows the chip.
	Commands [][]byte

	// probe reports whether the chip at d is of this kind. It writes nothing but numbers of registers, which are harmless
	// on whatever else of the table may stand at one of the addresses, and Commands. A chip that does not acknowledge may
	// be another one: after [ErrNoAnswer] the next driver is asked.
	probe func(ctx context.Context, d Device) (bool, error)
	// open returns the chip at d without touching it: the first Read sets it up.
	open func(d Device) Sensor
}

// Confidence says how sure it is that a chip is what the driver took it for.
type Confidence string

const (
	Certain Confidence = "certain" // it names itself: an id, a serial number with its checksum
	Likely  Confidence = "likely"  // it behaves as only such a chip does
)

// drivers is every chip that Holdfast knows. One line adds one; its file has the rest. Where two have an address in
// common, those that are certain come first.
var drivers = []Driver{
	tca9548a,
	bme280,
	bmp280,
	bme680,
	bmp180,
	dps310,
	mcp9808,
	emc1413,
	emc1414,
	ccs811,
	lsm303dlhc,
	veml7700,
	ina226,
	hdc1080,
	mpu6050,
	tmp102,
	tmp105,
	lm75,
	ads1115,
	ina219,
	bh1750,
	ds3231,
	ds1338,
	sht3x,
	sht4x,
	htu21,
	si7021,
	aht20,
	scd4x,
	sgp30,
}

// What proves a driver besides what proves every one.
const (
	testedPeriph    = "periph's driver reads the model"
	testedVirtualPi = "QEMU's model of the chip on a real kernel"
)

// Quantities that several chips measure. Their rates are what a sensor in air can follow, with room to spare.

var humidity = holdfast.Quantity{Name: "humidity_percent", Unit: "%", Precision: 1, Min: 0, Max: 100, MaxRate: 30}

func celsius(precision int, lowest, highest float64) holdfast.Quantity {
	return holdfast.Quantity{Name: "temperature_celsius", Unit: "°C", Precision: precision, Min: lowest, Max: highest, MaxRate: 5}
}

func pascals(lowest, highest float64) holdfast.Quantity {
	return holdfast.Quantity{Name: "pressure_pascals", Unit: "Pa", Precision: 0, Min: lowest, Max: highest, MaxRate: 2000}
}

// restless is a quantity that a chip resolves finer than it is still: when it does not move for that long, the chip does not
// measure any more.
func restless(q holdfast.Quantity, d time.Duration) holdfast.Quantity {
	q.FrozenAfter = d.Seconds()
	return q
}

// Drivers returns the table of chips. The caller must not change what its lines hold.
func Drivers() []Driver { return slices.Clone(drivers) }

// Open returns the chip at d, which is of this kind, without touching it. Its values lie in the ranges of their quantities.
func (d Driver) Open(at Device) Sensor { return checked{d.open(at), d.Quantities} }

// driverOf returns the driver for a chip by its name.
func driverOf(chip string) (Driver, bool) {
	i := slices.IndexFunc(drivers, func(d Driver) bool { return d.Chip == chip })
	if i < 0 {
		return Driver{}, false
	}
	return drivers[i], true
}
