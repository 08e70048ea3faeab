package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
)

// The recordings of the examples in docs/rules/examples are made here, each with a seed of its own: days of something
// believable, with noise, with what the rules are for, and with what sensors do: gaps, missing and absurd values.

// A recording is a CSV in the making.
type recording struct {
	text    strings.Builder
	columns int
	rng     *rand.Rand
}

const (
	oneHour = 3600.0 // s
	oneDay  = 24 * oneHour
)

func record(seed uint64, start, about string, quantities ...string) *recording {
	r := &recording{columns: len(quantities), rng: rand.New(rand.NewPCG(seed, 6))}
	fmt.Fprintf(&r.text, "# start: %s\n# %s\ntime,sensor,%s\n", start, about, strings.Join(quantities, ","))
	return r
}

const unread = math.MaxFloat64 // a value that was not measured

// row writes one row: values in the order of the columns, with so many decimals.
func (r *recording) row(at float64, sensor string, decimals int, values ...float64) {
	fmt.Fprintf(&r.text, "%.6g,%s", at, sensor)
	for i := range r.columns {
		r.text.WriteByte(',')
		if i < len(values) && values[i] != unread {
			scale := math.Pow10(decimals)
			fmt.Fprintf(&r.text, "%v", math.Round(values[i]*scale)/scale+0)
		}
	}
	r.text.WriteByte('\n')
}

// noise is normal, of the given standard deviation.
func (r *recording) noise(deviation float64) float64 { return deviation * r.rng.NormFloat64() }

// sun is how high it stands at a time of the day, 0 to 1, from rise to set.
func sun(at, rise, set float64) float64 {
	h := math.Mod(at, oneDay) / oneHour
	if h < rise || h > set {
		return 0
	}
	return math.Sin(math.Pi * (h - rise) / (set - rise))
}

// during reports whether at lies in a span, given in hours from the start.
func during(at, from, to float64) bool { return at >= from*oneHour && at < to*oneHour }

// toward moves v to a goal, as a thing of the given time constant does in a step.
func toward(v, goal, step, constant float64) float64 {
	return v + (goal-v)*(1-math.Exp(-step/constant))
}

// recordings returns the recording of each example.
func recordings() map[string]string {
	return map[string]string{
		"cold_chain": coldChain(), "server_room": serverRoom(), "greenhouse": greenhouse(), "co2_ventilation": classRoom(),
		"mould": bathroom(), "battery": battery(), "leak": house(), "energy_peak": workshop(), "door_open": door(), "frost": orchard(),
	}
}

func coldChain() string {
	r := record(1, "2026-02-02T00:00:00Z", "a vaccine fridge for five days: a door, a compressor that fails, a night that is too cold", "temperature_celsius", "humidity_percent")
	const step = 120.0
	celsius := 5.0
	for at := 0.0; at < 5*oneDay; at += step {
		goal := 5 + 1.1*math.Sin(2*math.Pi*at/2700) // the compressor goes on and off
		constant := 900.0
		switch {
		case during(at, 51, 54.5): // it does not go on
			goal, constant = 16, 12000
		case during(at, 99, 101): // the thermostat sticks
			goal, constant = -2.5, 2400
		}
		celsius = toward(celsius, goal, step, constant)
		shown := celsius
		if h := math.Mod(at, oneDay) / oneHour; (at/oneDay < 4 || at/oneDay >= 5) && math.Abs(h-9) < 0.03 || math.Abs(h-14.5) < 0.05 {
			shown += 3.5 // the door
		}
		if during(at, 77, 77.7) { // somebody pulled the plug of the gateway's hub
			continue
		}
		humidity := 45 + 3*(celsius-5) + r.noise(1.5)
		if at == 30*oneHour { // one reading of a loose wire
			r.row(at, "sht3x-1-44", 2, -45, 0)
			continue
		}
		r.row(at, "sht3x-1-44", 2, shown+r.noise(0.05), max(0, humidity))
	}
	return r.text.String()
}

func serverRoom() string {
	r := record(2, "2026-07-06T00:00:00Z", "a rack's air intake for two days: the air conditioner fails on the second", "temperature_celsius", "humidity_percent")
	const step = 60.0
	celsius, water := 23.0, 0.009 // kg of water in a kg of air
	for at := 0.0; at < 2*oneDay; at += step {
		goal, constant := 23+0.8*sun(at, 8, 19), 600.0
		switch {
		case during(at, 14, 14.25): // somebody works at the rack
			goal = 27.6
		case during(at, 37.5, 38.4): // no cooling
			goal, constant = 44, 3000
		case during(at, 38.4, 39.5):
			constant = 1500
		}
		celsius = toward(celsius, goal, step, constant)
		damp := 0.009
		if during(at, 19, 26) { // a door to the yard was left open in the rain
			damp = 0.0125
		}
		water = toward(water, damp, step, 2400)
		saturated := 611.2 * math.Exp(17.62*celsius/(243.12+celsius))
		humidity := 100*water*101325/(0.622+water)/saturated + r.noise(0.4)
		if during(at, 8.2, 8.4) {
			continue // the gateway was updated
		}
		if math.Mod(at, 7*oneHour) == 0 {
			humidity = unread // refused by its checksum
		}
		shown := celsius + r.noise(0.04)
		if at == 20*oneHour {
			shown = 84.9 // one reading while the supply broke down
		}
		r.row(at, "bme280-1-76", 2, shown, humidity)
	}
	return r.text.String()
}

func greenhouse() string {
	r := record(3, "2026-05-11T00:00:00Z", "tomatoes for three days: vents that stay shut at noon, a cold night, a bed that dries out", "temperature_celsius", "humidity_percent", "illuminance_lux", "voltage_ain0_volts")
	const step = 300.0
	celsius, soil, cloud := 12.0, 1.75, 0.3
	for at := 0.0; at < 3*oneDay; at += step {
		n := int(at / oneDay)
		cloud = min(0.9, max(0, cloud+r.noise(0.06)))
		light := sun(at, 4.6, 19.8) * (1 - 0.8*cloud) * []float64{0.8, 1, 0.9}[n]
		outside := []float64{11, 13, 5}[n] + 7*sun(at, 7, 21)
		goal := outside + 16*light
		if during(at, 34, 39) {
			goal += 8 // the vents are shut
		}
		if during(at, 49, 53.5) {
			goal = 3.5
		}
		celsius = toward(celsius, goal, step, 1800)
		humidity := min(99, max(30, 96-52*light-0.5*max(0, celsius-20))) + r.noise(1)
		soil += 0.0018 * light
		if math.Abs(at-(5.6*oneHour)) < step || math.Abs(at-(63*oneHour)) < step { // watered on the first and the last day only
			soil = 1.6
		}
		if !during(at, 43, 44) {
			r.row(at, "bme280-1-76", 2, celsius+r.noise(0.08), min(100, humidity))
		}
		r.row(at+1, "bh1750-1-23", 0, unread, unread, max(0, 60000*light*(1+r.noise(0.05))))
		probe := soil*1.35 + r.noise(0.012)
		if at == 40*oneHour {
			probe = 4.05 // a plug that was out for one reading
		}
		r.row(at+2, "ads1115-1-48", 3, unread, unread, unread, probe-0.35)
	}
	return r.text.String()
}

func classRoom() string {
	r := record(4, "2026-01-12T00:00:00Z", "a class room from Monday to Thursday: aired between lessons, on Wednesday not", "co2_ppm", "temperature_celsius", "humidity_percent")
	const step = 120.0
	ppm, celsius := 520.0, 18.5
	for at := 0.0; at < 4*oneDay; at += step {
		n, h := int(at/oneDay), math.Mod(at, oneDay)/oneHour
		lesson := h >= 8 && h < 13.25 && !(h >= 9.5 && h < 9.8) && !(h >= 11.3 && h < 11.6)
		people := 0.0
		if lesson {
			people = []float64{24, 26, 27, 12}[n]
		}
		fresh := 0.6 // changes of air in an hour, with windows shut
		if open := h >= 9.5 && h < 9.9 || h >= 11.3 && h < 11.7 || h >= 13.25 && h < 13.8; open && n != 2 {
			fresh = 7
		}
		if n == 2 && h >= 14 && h < 15 { // the caretaker
			fresh = 5
		}
		ppm += step / oneHour * (people*95 - fresh*(ppm-425))
		celsius = toward(celsius, 18.5+people*0.13-0.25*(fresh-0.6), step, 3000)
		shown := ppm + r.noise(12)
		if at == 44*oneHour {
			shown = 6200 // somebody breathed at it
		}
		if during(at, 82, 82.6) {
			continue // unplugged for the projector
		}
		r.row(at, "scd4x-1-62", 1, math.Round(shown), celsius+r.noise(0.05), 38+ppm/200+r.noise(0.5))
	}
	return r.text.String()
}

func bathroom() string {
	r := record(5, "2026-01-05T00:00:00Z", "a small flat in winter for five days: showers, then washing that dries indoors, then a window that is opened", "temperature_celsius", "humidity_percent")
	const step = 150.0
	celsius, grams := 19.5, 6.6 // of water in a kg of air
	for at := 0.0; at < 5*oneDay; at += step {
		h := math.Mod(at, oneDay) / oneHour
		goal := 19.5
		if h > 22 || h < 6 {
			goal = 17.5
		}
		celsius = toward(celsius, goal, step, 7200)
		wet := 6.6
		if during(at, 44, 86) { // washing on the rack, and the windows are shut
			wet = 10
		}
		if during(at, 86, 86.4) || during(at, 92, 92.4) {
			wet = 3.5
		}
		constant := 12000.0
		if wet == 3.5 {
			constant = 700
		}
		grams = toward(grams, wet, step, constant)
		if math.Abs(h-7) < 0.12 || math.Abs(h-19.5) < 0.08 {
			grams += 1.1 // a shower, dinner
		}
		grams = toward(grams, wet, step, 9000)
		vapour := grams / 1000 * 101325 / (0.622 + grams/1000)
		humidity := 100 * vapour / (611.2 * math.Exp(17.62*celsius/(243.12+celsius)))
		if during(at, 15, 15.8) {
			continue
		}
		if at == 60*oneHour {
			r.row(at, "bme280-1-76", 2, celsius, 0) // a humidity that cannot be: its logarithm has no value
			continue
		}
		r.row(at, "bme280-1-76", 2, celsius+r.noise(0.04), min(99.5, humidity+r.noise(0.4)))
	}
	return r.text.String()
}

func battery() string {
	r := record(6, "2026-11-09T00:00:00Z", "12 V of lead with a solar panel for six days in November, of which the panel lies in snow for three", "bus_voltage_volts", "current_amperes", "power_watts")
	const step = 200.0
	charge, pump := 0.85, 0.0 // of 36 Ah
	for at := 0.0; at < 6*oneDay; at += step {
		n := int(at / oneDay)
		load := 0.32 + r.noise(0.01)
		if pump > 0 {
			pump -= step
			load += 1.9
		} else if r.rng.Float64() < 0.012 {
			pump = 200
		}
		solar := []float64{2.2, 1.8, 0, 0, 0, 2.9}[n] * sun(at, 7.5, 16.2) * (0.9 + r.noise(0.05))
		net := load - max(0, solar) // out of the battery
		if charge >= 1 && net < 0 {
			net = -0.02
		}
		charge = min(1, charge-net*step/oneHour/36)
		volts := 11.55 + 1.2*charge - 0.11*net + r.noise(0.008)
		if during(at, 31, 31.5) {
			continue
		}
		if at == 200*300 {
			volts = 0 // read while a plug was out
		}
		r.row(at, "ina219-1-40", 3, volts, net, max(0, volts)*net)
	}
	return r.text.String()
}
