package main

import (
	"math"
)

func house() string {
	r := record(7, "2026-03-16T00:00:00Z", "a house for four days: a cistern that drips from the second night on, a garden hose, a boiler that leaks", "flow_litres_per_minute", "voltage_ain1_volts")
	const step = 180.0
	use, flow := 0.0, 0.0
	for at := 0.0; at < 4*oneDay; at += step {
		h := math.Mod(at, oneDay) / oneHour
		busy := 0.01
		if h >= 6 && h < 9 || h >= 17 && h < 22.5 {
			busy = 0.16
		} else if h >= 9 && h < 17 {
			busy = 0.05
		}
		if use -= step; use <= 0 {
			flow = 0
			if r.rng.Float64() < busy {
				use, flow = step*(1+3*r.rng.Float64()), 2+7*r.rng.Float64()
			}
		}
		shown := flow
		if during(at, 40, 59) {
			shown += 0.3 + 0.02*r.rng.Float64() // the cistern
		}
		if during(at, 66.5, 67.5) {
			shown += 9 // the hose
		}
		if !during(at, 26, 27) {
			r.row(at, "water", 2, shown)
		}
		if math.Mod(at, 2*step) == 0 {
			probe := math.Abs(0.02 + r.noise(0.01))
			if during(at, 80, 90) {
				probe = 2.4 + r.noise(0.05) // water under the boiler
			}
			if at == 10*oneHour {
				probe = 4.09 // one reading of lightning
			}
			r.row(at+1, "ads1115-1-48", 3, unread, probe)
		}
	}
	return r.text.String()
}

func workshop() string {
	r := record(8, "2026-06-01T00:00:00Z", "a joinery from Monday to Wednesday: saws, an extractor, a kiln that is switched on beside them, a heater that is forgotten", "power_watts")
	const step = 90.0
	saw := 0.0
	for at := 0.0; at < 3*oneDay; at += step {
		h := math.Mod(at, oneDay) / oneHour
		watts := 210 + 60*math.Max(0, math.Sin(2*math.Pi*at/2400))
		work := h >= 7 && h < 16 && !(h >= 12 && h < 12.75)
		if work {
			watts += 1400
			if saw -= step; saw <= 0 && r.rng.Float64() < 0.3 {
				saw = step * (1 + 5*r.rng.Float64())
			}
			if saw > 0 {
				watts += 3400 + r.noise(300)
			}
		}
		if during(at, 33.5, 35) {
			watts += 6500 // the kiln
		}
		if during(at, 34.6, 34.68) {
			watts += 8000 // and everything at once
		}
		if during(at, 38, 72) {
			watts += 650 // the heater
		}
		if during(at, 20, 20.5) {
			continue
		}
		if at == 4*oneHour {
			watts = 0 // the meter restarted
		}
		r.row(at, "mains", 0, watts+r.noise(15))
	}
	return r.text.String()
}

func door() string {
	r := record(9, "2026-04-20T00:00:00Z", "the door of a cold store for three days: deliveries, an evening it was not shut, a mouse at the wire", "voltage_ain0_volts")
	const step = 60.0
	open := 0.0
	for at := 0.0; at < 3*oneDay; at += step {
		h := math.Mod(at, oneDay) / oneHour
		if open -= step; open <= -step && h >= 6 && h < 18 && r.rng.Float64() < 0.06 {
			open = step * (1 + math.Floor(3*r.rng.Float64()))
		}
		volts := 0.9
		if open > 0 || during(at, 10, 10.15) || during(at, 42.3, 44) {
			volts = 2.0
		}
		if during(at, 56, 57.5) {
			volts = 3.3
		}
		if during(at, 29, 29.2) {
			continue
		}
		volts += r.noise(0.01)
		if at == 5*oneHour {
			volts = -0.3 // a spark
		}
		r.row(at, "ads1115-1-48", 2, volts)
	}
	return r.text.String()
}

func orchard() string {
	r := record(10, "2026-04-13T12:00:00Z", "three nights of April: one with clouds, one with dry air that freezes at the wet bulb, one of black frost", "temperature_celsius", "humidity_percent")
	const step = 120.0
	celsius := 11.0
	for at := 0.0; at < 3*oneDay; at += step {
		n, h := int(at/oneDay), math.Mod(at+12*oneHour, oneDay)/oneHour
		low, dew := []float64{4, 0.8, -3.4}[n], []float64{2.5, -4, -5}[n]
		goal := low + (11-low)*sun(at+12*oneHour, 5, 21)
		if h > 20.5 || h < 5.5 {
			goal = low - 0.6
		}
		celsius = toward(celsius, goal, step, 6000)
		if during(at, 37, 37.3) {
			celsius += 0.02 // a cloud
		}
		shown := celsius + r.noise(0.12)
		vapour := math.Exp(17.62*min(dew, shown)/(243.12+min(dew, shown)) - 17.62*shown/(243.12+shown))
		if during(at, 22, 22.6) {
			continue
		}
		if at == 50*oneHour {
			r.row(at, "sht3x-1-44", 2, 130, 100) // all ones
			continue
		}
		r.row(at, "sht3x-1-44", 2, shown, min(100, 100*vapour+r.noise(0.6)))
	}
	return r.text.String()
}
