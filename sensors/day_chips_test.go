package sensors_test

import (
	"math"
	"time"

	"holdfast/sensors/simulated"
)

// A subject is a chip in surroundings that change all the time.
type subject struct {
	chip   string
	model  func() simulated.Chip
	within map[string]float64 // the resolution of the chip

	warmUp  time.Duration // from power-up until the first value
	period  time.Duration // of a chip that measures by itself
	checked bool          // what it says has a checksum
}

// wander returns what swings about its middle. Half an hour is slow enough for a value to be right as long as it is fresh,
// and fast enough for it to be wrong soon after.
func wander(middle, swing, phase float64) func(time.Time) float64 {
	return func(at time.Time) float64 {
		return middle + swing*math.Sin(2*math.Pi*at.Sub(time.Unix(0, 0)).Seconds()/1800+phase)
	}
}

var (
	outside = struct{ celsius, percent, pascals, co2, tvoc, lux, ohms, volts, amperes func(time.Time) float64 }{
		celsius: wander(8, 12, 0), percent: wander(50, 25, 1), pascals: wander(96000, 5000, 2), co2: wander(900, 400, 3),
		tvoc: wander(300, 250, 4), lux: wander(1500, 1300, 5), ohms: wander(50000, 20000, 6), volts: wander(12, 2, 7), amperes: wander(0.1, 0.6, 8),
	}
	diodes = [3]func(time.Time) float64{wander(40, 20, 1), wander(-10, 9, 2), wander(70, 30, 3)}
)

func outsideAir(at time.Time) simulated.Air {
	return simulated.Air{Celsius: outside.celsius(at), Percent: outside.percent(at), Pascals: outside.pascals(at)}
}

func outsideLoad(at time.Time) simulated.Load {
	return simulated.Load{Volts: outside.volts(at), Amperes: outside.amperes(at)}
}

func outsideField(at time.Time) [3]float64 {
	c := outside.celsius(at)
	return [3]float64{c * 1e-6, 30e-6 - c*1e-6, -40e-6}
}

func outsideMotion(at time.Time) simulated.Motion {
	c := outside.celsius(at)
	return simulated.Motion{Acceleration: [3]float64{c / 5, -c / 5, 9 - c/40}, Turning: [3]float64{c / 10, 1, -c / 10}, Celsius: c}
}

func outsideInputs(at time.Time) [4]float64 {
	v := outside.volts(at) / 5
	return [4]float64{0, v, 3.3 - v, 1.25}
}

// surroundings has what is true at an instant, by quantity.
var surroundings = map[string]func(time.Time) float64{
	"temperature_celsius": outside.celsius, "humidity_percent": outside.percent, "pressure_pascals": outside.pascals,
	"co2_ppm": outside.co2, "co2_equivalent_ppm": outside.co2, "tvoc_ppb": outside.tvoc,
	"gas_resistance_ohms": outside.ohms, "illuminance_lux": outside.lux,
	"bus_voltage_volts": outside.volts, "current_amperes": outside.amperes,
	"power_watts":                    func(at time.Time) float64 { return outside.volts(at) * outside.amperes(at) },
	"voltage_ain0_volts":             func(at time.Time) float64 { return outsideInputs(at)[0] },
	"voltage_ain1_volts":             func(at time.Time) float64 { return outsideInputs(at)[1] },
	"voltage_ain2_volts":             func(at time.Time) float64 { return outsideInputs(at)[2] },
	"voltage_ain3_volts":             func(at time.Time) float64 { return outsideInputs(at)[3] },
	"temperature_diode1_celsius":     diodes[0],
	"temperature_diode2_celsius":     diodes[1],
	"temperature_diode3_celsius":     diodes[2],
	"magnetic_flux_density_x_teslas": func(at time.Time) float64 { return outsideField(at)[0] },
	"magnetic_flux_density_y_teslas": func(at time.Time) float64 { return outsideField(at)[1] },
	"magnetic_flux_density_z_teslas": func(at time.Time) float64 { return outsideField(at)[2] },
	"acceleration_x_mps2":            func(at time.Time) float64 { return outsideMotion(at).Acceleration[0] },
	"acceleration_y_mps2":            func(at time.Time) float64 { return outsideMotion(at).Acceleration[1] },
	"acceleration_z_mps2":            func(at time.Time) float64 { return outsideMotion(at).Acceleration[2] },
	"angular_velocity_x_radps":       func(at time.Time) float64 { return outsideMotion(at).Turning[0] },
	"angular_velocity_y_radps":       func(at time.Time) float64 { return outsideMotion(at).Turning[1] },
	"angular_velocity_z_radps":       func(at time.Time) float64 { return outsideMotion(at).Turning[2] },
}

// resolution is how far a value may be off, unless the subject says otherwise.
var resolution = map[string]float64{
	"temperature_celsius": 0.02, "humidity_percent": 0.12, "pressure_pascals": 4,
	"co2_ppm": 1, "co2_equivalent_ppm": 1, "tvoc_ppb": 1, "gas_resistance_ohms": 300, "illuminance_lux": 1.2,
	"bus_voltage_volts": 0.004, "current_amperes": 0.0001, "power_watts": 0.004,
	"voltage_ain0_volts": 0.0002, "voltage_ain1_volts": 0.0002, "voltage_ain2_volts": 0.0002, "voltage_ain3_volts": 0.0002,
	"temperature_diode1_celsius": 0.126, "temperature_diode2_celsius": 0.126, "temperature_diode3_celsius": 0.126,
	"magnetic_flux_density_x_teslas": 1e-7, "magnetic_flux_density_y_teslas": 1e-7, "magnetic_flux_density_z_teslas": 1.1e-7,
	"acceleration_x_mps2": 7e-4, "acceleration_y_mps2": 7e-4, "acceleration_z_mps2": 7e-4,
	"angular_velocity_x_radps": 2e-4, "angular_velocity_y_radps": 2e-4, "angular_velocity_z_radps": 2e-4,
}

// celsiusWithin is the resolution of a coarse thermometer.
func celsiusWithin(v float64) map[string]float64 { return map[string]float64{"temperature_celsius": v} }

// subjects has one of each chip that measures.
var subjects = []subject{
	{chip: "bme280", model: func() simulated.Chip { return simulated.NewBME280(outsideAir) }},
	{chip: "bmp280", model: func() simulated.Chip { return simulated.NewBMP280(outsideAir) }},
	{chip: "bme680", model: func() simulated.Chip { return simulated.NewBME680(outsideAir, outside.ohms) },
		within: map[string]float64{"pressure_pascals": 10}}, // its integer arithmetic and the driver's differ by so much; it is right within 60
	{chip: "bmp180", model: func() simulated.Chip { return simulated.NewBMP180(outsideAir) },
		within: map[string]float64{"temperature_celsius": 0.1, "pressure_pascals": 12}},
	{chip: "dps310", model: func() simulated.Chip { return simulated.NewDPS310(outsideAir) }},
	{chip: "mcp9808", model: func() simulated.Chip { return simulated.NewMCP9808(outsideAir) }, within: celsiusWithin(0.0626)},
	{chip: "emc1413", model: func() simulated.Chip { return simulated.NewEMC1413(outside.celsius, diodes[0], diodes[1]) },
		within: celsiusWithin(0.126)},
	{chip: "emc1414", model: func() simulated.Chip {
		return simulated.NewEMC1414(outside.celsius, diodes[0], diodes[1], diodes[2])
	}, within: celsiusWithin(0.126)},
	{chip: "ccs811", model: func() simulated.Chip {
		return simulated.NewCCS811(func(at time.Time) simulated.Gas { return simulated.Gas{CO2: outside.co2(at), TVOC: outside.tvoc(at)} })
	}, warmUp: 21 * time.Minute, period: time.Second},
	{chip: "lsm303dlhc", model: func() simulated.Chip { return simulated.NewLSM303DLHC(outsideField) }},
	{chip: "veml7700", model: func() simulated.Chip { return simulated.NewVEML7700(outside.lux) }},
	{chip: "ina226", model: func() simulated.Chip { return simulated.NewPowerMonitor(simulated.INA226, outsideLoad) }},
	{chip: "hdc1080", model: func() simulated.Chip { return simulated.NewHDC1080(outsideAir) }},
	{chip: "mpu6050", model: func() simulated.Chip { return simulated.NewMPU6050(outsideMotion) }},
	{chip: "tmp102", model: func() simulated.Chip { return simulated.NewThermometer(simulated.TMP102, outsideAir) }, within: celsiusWithin(0.0626)},
	{chip: "tmp105", model: func() simulated.Chip { return simulated.NewThermometer(simulated.TMP105, outsideAir) }, within: celsiusWithin(0.0626)},
	{chip: "lm75", model: func() simulated.Chip { return simulated.NewThermometer(simulated.LM75, outsideAir) }, within: celsiusWithin(0.532)},
	{chip: "ads1115", model: func() simulated.Chip { return simulated.NewADS1115(outsideInputs) }},
	{chip: "ina219", model: func() simulated.Chip { return simulated.NewPowerMonitor(simulated.INA219, outsideLoad) }},
	{chip: "bh1750", model: func() simulated.Chip { return simulated.NewBH1750(outside.lux) }},
	{chip: "ds3231", model: func() simulated.Chip { return simulated.NewClock(simulated.DS3231, outsideAir) }, within: celsiusWithin(0.126)},
	{chip: "sht3x", model: func() simulated.Chip { return simulated.NewSHT3x(outsideAir) }, checked: true},
	{chip: "sht4x", model: func() simulated.Chip { return simulated.NewSHT4x(outsideAir) }, checked: true},
	{chip: "htu21", model: func() simulated.Chip { return simulated.NewHTU21(outsideAir) }, checked: true},
	{chip: "si7021", model: func() simulated.Chip { return simulated.NewSi7021(outsideAir) }, checked: true},
	{chip: "aht20", model: func() simulated.Chip { return simulated.NewAHT20(outsideAir) }, checked: true},
	{chip: "scd4x", model: func() simulated.Chip { return simulated.NewSCD4x(outsideAir, outside.co2) },
		warmUp: 12 * time.Second, period: 5 * time.Second, checked: true},
	{chip: "sgp30", model: func() simulated.Chip { return simulated.NewSGP30(outside.co2, outside.tvoc) },
		warmUp: 50 * time.Second, period: time.Second, checked: true},
}
