package sensors_test

import (
	"time"

	"holdfast/sensors/simulated"
)

// registerSpecimens are the chips that are read through registers, beside those of the first families.
var registerSpecimens = []specimen{
	{chip: "bmp180", model: func() simulated.Chip { return simulated.NewBMP180(mild) },
		want:   map[string]float64{"temperature_celsius": 21.5, "pressure_pascals": 101325},
		within: map[string]float64{"temperature_celsius": 0.1, "pressure_pascals": 10}},
	{chip: "bme680", model: func() simulated.Chip { return simulated.NewBME680(mild, always(52000.0)) },
		want: map[string]float64{"temperature_celsius": 21.5, "humidity_percent": 45, "pressure_pascals": 101325,
			"gas_resistance_ohms": 52000},
		within: map[string]float64{"temperature_celsius": 0.02, "humidity_percent": 0.1, "pressure_pascals": 3,
			"gas_resistance_ohms": 60}},
	{chip: "dps310", model: func() simulated.Chip { return simulated.NewDPS310(mild) },
		want:   map[string]float64{"temperature_celsius": 21.5, "pressure_pascals": 101325},
		within: map[string]float64{"temperature_celsius": 0.01, "pressure_pascals": 0.1}},
	{chip: "mcp9808", model: func() simulated.Chip { return simulated.NewMCP9808(mild) },
		want: map[string]float64{"temperature_celsius": 21.5}},
	{chip: "emc1413", model: func() simulated.Chip { return simulated.NewEMC1413(always(31.5), always(-12.25), always(71.125)) },
		want: map[string]float64{"temperature_celsius": 31.5, "temperature_diode1_celsius": -12.25,
			"temperature_diode2_celsius": 71.125}},
	{chip: "emc1414", model: func() simulated.Chip {
		return simulated.NewEMC1414(always(31.5), always(-12.25), always(71.125), always(130.0))
	},
		want: map[string]float64{"temperature_celsius": 31.5, "temperature_diode1_celsius": -12.25,
			"temperature_diode2_celsius": 71.125, "temperature_diode3_celsius": 130}},
	{chip: "ccs811", model: func() simulated.Chip {
		return simulated.NewCCS811(func(time.Time) simulated.Gas { return simulated.Gas{CO2: 950, TVOC: 83} })
	},
		want:   map[string]float64{"co2_equivalent_ppm": 950, "tvoc_ppb": 83},
		warmUp: 21 * time.Minute},
	{chip: "lsm303dlhc", model: func() simulated.Chip {
		return simulated.NewLSM303DLHC(func(time.Time) [3]float64 { return [3]float64{20e-6, -3e-6, -44e-6} })
	},
		want: map[string]float64{"magnetic_flux_density_x_teslas": 20e-6, "magnetic_flux_density_y_teslas": -3e-6,
			"magnetic_flux_density_z_teslas": -44e-6},
		within: map[string]float64{"magnetic_flux_density_x_teslas": 5.5e-8, "magnetic_flux_density_y_teslas": 5.5e-8,
			"magnetic_flux_density_z_teslas": 6e-8}},
	{chip: "mpu6050", model: func() simulated.Chip { return simulated.NewMPU6050(tilted) },
		want: map[string]float64{"acceleration_x_mps2": 4.9, "acceleration_y_mps2": -0.2, "acceleration_z_mps2": 8.49,
			"angular_velocity_x_radps": 0.5, "angular_velocity_y_radps": -1.25, "angular_velocity_z_radps": 3,
			"temperature_celsius": 27.5},
		within: map[string]float64{"acceleration_x_mps2": 7e-4, "acceleration_y_mps2": 7e-4, "acceleration_z_mps2": 7e-4,
			"angular_velocity_x_radps": 1.5e-4, "angular_velocity_y_radps": 1.5e-4, "angular_velocity_z_radps": 1.5e-4,
			"temperature_celsius": 0.01}},
}

func tilted(time.Time) simulated.Motion {
	return simulated.Motion{
		Acceleration: [3]float64{4.9, -0.2, 8.49}, Turning: [3]float64{0.5, -1.25, 3}, Celsius: 27.5,
	}
}
