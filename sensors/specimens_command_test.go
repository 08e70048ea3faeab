package sensors_test

import (
	"time"

	"holdfast/sensors/simulated"
)

// commandSpecimens are the chips of temperature, humidity and gas that are asked by commands, and the HDC1080, which has the
// address of some of them.
var commandSpecimens = []specimen{
	{chip: "sht3x", model: func() simulated.Chip { return simulated.NewSHT3x(mild) }, want: mildAir, within: withinHundredth},
	{chip: "sht4x", model: func() simulated.Chip { return simulated.NewSHT4x(mild) }, want: mildAir, within: withinHundredth},
	{chip: "aht20", model: func() simulated.Chip { return simulated.NewAHT20(mild) }, want: mildAir, within: withinHundredth},
	{chip: "htu21", model: func() simulated.Chip { return simulated.NewHTU21(mild) }, want: mildAir, within: withinStep},
	{chip: "si7021", model: func() simulated.Chip { return simulated.NewSi7021(mild) }, want: mildAir, within: withinStep},
	{chip: "hdc1080", model: func() simulated.Chip { return simulated.NewHDC1080(mild) }, want: mildAir, within: withinStep},
	{chip: "scd4x", model: func() simulated.Chip { return simulated.NewSCD4x(mild, always(612.0)) },
		want:   map[string]float64{"co2_ppm": 612, "temperature_celsius": 21.5, "humidity_percent": 45},
		within: withinHundredth,
		// A chip that lost its power unnoticed is asked after six seconds whether it measures at all.
		warmUp: 12 * time.Second, period: 5 * time.Second},
	{chip: "sgp30", model: func() simulated.Chip { return simulated.NewSGP30(always(612.0), always(35.0)) },
		want: map[string]float64{"co2_equivalent_ppm": 612, "tvoc_ppb": 35},
		// One that lost its power unnoticed while it warmed up is asked after thirty seconds, and then warms up.
		warmUp: 50 * time.Second},
}

var (
	mildAir         = map[string]float64{"temperature_celsius": 21.5, "humidity_percent": 45}
	withinHundredth = map[string]float64{"temperature_celsius": 0.01, "humidity_percent": 0.01}
	withinStep      = map[string]float64{"temperature_celsius": 0.016, "humidity_percent": 0.021}
)
