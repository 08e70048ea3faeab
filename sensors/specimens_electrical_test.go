package sensors_test

import "holdfast/sensors/simulated"

// electricalSpecimens are the chips that measure light, voltage and current, and the clocks.
var electricalSpecimens = []specimen{
	{chip: "bh1750", model: func() simulated.Chip { return simulated.NewBH1750(always(412.0)) },
		want: map[string]float64{"illuminance_lux": 412}, within: map[string]float64{"illuminance_lux": 1}},
	{chip: "bh1750", model: func() simulated.Chip { return simulated.NewBH1750(always(0.0)) },
		want: map[string]float64{"illuminance_lux": 0}},
	{chip: "veml7700", model: func() simulated.Chip { return simulated.NewVEML7700(always(412.0)) },
		want: map[string]float64{"illuminance_lux": 412}, within: map[string]float64{"illuminance_lux": 0.03}},
	{chip: "veml7700", model: func() simulated.Chip { return simulated.NewVEML7700(always(80000.0)) },
		want: map[string]float64{"illuminance_lux": 80000}, within: map[string]float64{"illuminance_lux": 6}},
	{chip: "ads1115", model: func() simulated.Chip { return simulated.NewADS1115(always([4]float64{0, 1.25, 3.3, -0.1})) },
		want:   map[string]float64{"voltage_ain0_volts": 0, "voltage_ain1_volts": 1.25, "voltage_ain2_volts": 3.3, "voltage_ain3_volts": -0.1},
		within: map[string]float64{"voltage_ain2_volts": 0.0001, "voltage_ain3_volts": 0.0001}},
	{chip: "ina219", model: func() simulated.Chip {
		return simulated.NewPowerMonitor(simulated.INA219, always(simulated.Load{Volts: 12.4, Amperes: 1.5}))
	}, want: map[string]float64{"bus_voltage_volts": 12.4, "current_amperes": 1.5, "power_watts": 18.6}},
	{chip: "ina226", model: func() simulated.Chip {
		return simulated.NewPowerMonitor(simulated.INA226, always(simulated.Load{Volts: 12.4, Amperes: -0.5}))
	}, want: map[string]float64{"bus_voltage_volts": 12.4, "current_amperes": -0.5, "power_watts": -6.2}},
	{chip: "ds3231", model: func() simulated.Chip { return simulated.NewClock(simulated.DS3231, mild) },
		want: map[string]float64{"temperature_celsius": 21.5}},
	{chip: "ds3231", model: func() simulated.Chip { return simulated.NewClock(simulated.DS3231, air(simulated.Air{})) },
		want: map[string]float64{"temperature_celsius": 0}},
	{chip: "ds1338", model: func() simulated.Chip { return simulated.NewClock(simulated.DS1338, mild) }},
}
