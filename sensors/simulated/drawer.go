package simulated

import (
	"fmt"
	"math"
	"time"
)

// part is a chip, and its model.
type part struct {
	Part
	chip Chip
}

// muxChannel is where something is plugged behind the multiplexer.
const muxChannel = 3

// drawer returns one of each chip in order of their names, unplugged. Several of them want the same address, as chips do.
func drawer(w Weather, mux *Mux) []*part {
	cold := func(at time.Time) float64 { return w.ColdRoom(at).Celsius }
	room := func(at time.Time) float64 { return w.Room(at).Celsius }
	co2 := func(at time.Time) float64 { return w.gas(at).CO2 }
	tvoc := func(at time.Time) float64 { return w.gas(at).TVOC }
	air := "air of the room"
	one := func(name string, address uint16, about string, chip Chip) *part {
		return &part{Part{Name: name, About: about, Address: address}, chip}
	}
	behind := one("tmp105", 0x4b, "cold room, behind the multiplexer", NewThermometer(TMP105, w.ColdRoom))
	behind.Behind = fmt.Sprintf("tca9548a channel %d", muxChannel)
	return []*part{
		one("ads1115", 0x49, "four voltages", NewADS1115(w.voltages)),
		one("aht20", 0x38, air, NewAHT20(w.Room)),
		one("bh1750", 0x23, "daylight", NewBH1750(w.daylight)),
		one("bme280", BME280Address, air, NewBME280(w.Room)),
		one("bme680", 0x77, air+", and its gases", NewBME680(w.Room, w.ohms)),
		one("bmp180", 0x77, air, NewBMP180(w.Room)),
		one("bmp280", 0x77, air, NewBMP280(w.Room)),
		one("ccs811", 0x5a, "gases of the room", NewCCS811(w.gas)),
		one("dps310", 0x77, air, NewDPS310(w.Room)),
		one("ds1338", 0x68, "clock", NewClock(DS1338, w.Room)),
		one("ds3231", 0x68, "clock, with its temperature", NewClock(DS3231, w.Room)),
		one("emc1413", 0x4c, "chip and two diodes", NewEMC1413(room, cold, room)),
		one("emc1414", 0x4c, "chip and three diodes", NewEMC1414(room, cold, room, cold)),
		one("hdc1080", 0x40, air, NewHDC1080(w.Room)),
		one("htu21", 0x40, air, NewHTU21(w.Room)),
		one("ina219", 0x41, "battery", NewPowerMonitor(INA219, w.battery)),
		one("ina226", 0x45, "battery", NewPowerMonitor(INA226, w.battery)),
		one("lm75", 0x4a, "cold room", NewThermometer(LM75, w.ColdRoom)),
		one("lsm303dlhc", 0x1e, "the Earth's field", NewLSM303DLHC(w.field)),
		one("mcp9808", 0x18, "room", NewMCP9808(w.Room)),
		one("mpu6050", 0x69, "a door that is moved", NewMPU6050(w.motion)),
		one("scd4x", 0x62, "carbon dioxide of the room", NewSCD4x(w.Room, co2)),
		one("sgp30", 0x58, "gases of the room", NewSGP30(co2, tvoc)),
		one("sht3x", 0x44, air, NewSHT3x(w.Room)),
		one("sht4x", 0x44, air, NewSHT4x(w.Room)),
		one("si7021", 0x40, air, NewSi7021(w.Room)),
		one("tca9548a", 0x70, "multiplexer", mux),
		one("tmp102", TMP102Address, "cold room", NewThermometer(TMP102, w.ColdRoom)),
		behind,
		one("veml7700", 0x10, "daylight", NewVEML7700(w.daylight)),
	}
}

// gas is what people in the room breathe out: 420 ppm of carbon dioxide at night, 1,100 in the afternoon.
func (w Weather) gas(at time.Time) Gas {
	day := (dayCurve(at) + 1) / 2
	return Gas{CO2: 420 + 680*day + 8*w.noise(at, 5), TVOC: 60 + 140*day + 4*w.noise(at, 6)}
}

// ohms is the resistance of a heated layer in that air: the more of it, the less.
func (w Weather) ohms(at time.Time) float64 { return 120e3 / (1 + w.gas(at).TVOC/200) }

// daylight is in lx: none at night, 8,000 behind a window in the afternoon.
func (w Weather) daylight(at time.Time) float64 {
	return max(0, 8000*dayCurve(at)+40*w.noise(at, 7))
}

// battery is a cell of lithium that feeds about an ampere, and is charged at night.
func (w Weather) battery(at time.Time) Load {
	return Load{Volts: 3.8 - 0.25*dayCurve(at), Amperes: 1 + 0.2*w.noise(at, 8)}
}

func (w Weather) voltages(at time.Time) [4]float64 {
	return [4]float64{0.5 + 0.1*w.noise(at, 9), 1.2, 1.65 + 0.3*math.Sin(turns(at, time.Minute)), 3.2}
}

// field is in T: that of Central Europe, and a compass that turns once in ten minutes.
func (w Weather) field(at time.Time) [3]float64 {
	angle := turns(at, 10*time.Minute)
	return [3]float64{20e-6 * math.Cos(angle), 20e-6 * math.Sin(angle), -44e-6}
}

// motion is that of a door, which swings every half minute.
func (w Weather) motion(at time.Time) Motion {
	return Motion{
		Acceleration: [3]float64{0.1 * w.noise(at, 10), 0.1 * w.noise(at, 11), 9.80665},
		Turning:      [3]float64{0, 0, 0.5 * math.Sin(turns(at, 30*time.Second))},
		Celsius:      w.Room(at).Celsius,
	}
}
