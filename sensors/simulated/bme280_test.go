package simulated

import (
	"math"
	"testing"
	"testing/synctest"
	"time"

	"periph.io/x/conn/v3/physic"
	"periph.io/x/devices/v3/bmxx80"
)

func still(air Air) func(time.Time) Air { return func(time.Time) Air { return air } }

// Somebody else's driver reads the worked example of the datasheet from the model.
func TestPeriphReadsTheWorkedExample(t *testing.T) {
	t.Parallel()
	for name, chip := range map[string]*BME280{"BME280": NewBME280(still(Air{})), "BMP280": NewBMP280(still(Air{}))} {
		synctest.Test(t, func(t *testing.T) {
			chip.Hold(519888, 415148, 30000)
			bus := NewBus(1)
			bus.Attach(0x76, chip)
			dev, err := bmxx80.NewI2C(bus, 0x76, &bmxx80.DefaultOpts)
			if err != nil {
				t.Fatal(err)
			}
			var env physic.Env
			if err := dev.Sense(&env); err != nil {
				t.Fatal(err)
			}
			if got := env.Temperature.Celsius(); math.Abs(got-25.08) > 1e-9 {
				t.Errorf("%s: %v °C, want 25.08", name, got)
			}
			if got := float64(env.Pressure) / float64(physic.Pascal); math.Abs(got-100653.27) > 0.02 {
				t.Errorf("%s: %v Pa, want 100653.27", name, got)
			}
			if got := float64(env.Humidity) / float64(physic.PercentRH); (got > 0) != (name == "BME280") {
				t.Errorf("%s: humidity %v %%", name, got)
			}
		})
	}
}

// What the weather says is what periph's driver reads, to the resolution of the chip.
func TestPeriphReadsTheAir(t *testing.T) {
	t.Parallel()
	for _, air := range []Air{
		{Celsius: 21.5, Percent: 45, Pascals: 101325},
		{Celsius: 0, Percent: 60, Pascals: 98000},
		{Celsius: -39.9, Percent: 10, Pascals: 30100},
		{Celsius: -5.25, Percent: 95, Pascals: 101325},
		{Celsius: 84.9, Percent: 20, Pascals: 109900},
	} {
		synctest.Test(t, func(t *testing.T) {
			bus := NewBus(1)
			bus.Attach(0x77, NewBME280(still(air)))
			dev, err := bmxx80.NewI2C(bus, 0x77, &bmxx80.Opts{Temperature: bmxx80.O16x, Pressure: bmxx80.O16x, Humidity: bmxx80.O1x})
			if err != nil {
				t.Fatal(err)
			}
			var env physic.Env
			if err := dev.Sense(&env); err != nil {
				t.Fatal(err)
			}
			if got := env.Temperature.Celsius(); math.Abs(got-air.Celsius) > 0.011 {
				t.Errorf("%+v: read %v °C", air, got)
			}
			if got := float64(env.Pressure) / float64(physic.Pascal); math.Abs(got-air.Pascals) > 0.5 {
				t.Errorf("%+v: read %v Pa", air, got)
			}
			if got := float64(env.Humidity) / float64(physic.PercentRH); math.Abs(got-air.Percent) > 0.05 {
				t.Errorf("%+v: read %v %%", air, got)
			}
		})
	}
}

// The registers change when the datasheet says, one step after the other.
func TestBME280Registers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		celsius := 20.0
		chip := NewBME280(func(time.Time) Air { return Air{celsius, 50, 100000} })
		chip.PowerUp(time.Now())
		read := func(reg byte, n int) []byte {
			r := make([]byte, n)
			chip.Tx(time.Now(), []byte{reg}, r)
			return r
		}
		write := func(w ...byte) { chip.Tx(time.Now(), w, nil) }
		humidity := func() [2]byte { return [2]byte(read(regData, 8)[6:]) }
		temperature := func() int { b := read(regData+3, 3); return int(b[0])<<12 | int(b[1])<<4 | int(b[2])>>4 }
		check := func(what string, got, want any) {
			t.Helper()
			if got != want {
				t.Errorf("%s: %v, want %v", what, got, want)
			}
		}

		check("id", read(regID, 1)[0], byte(0x60))
		check("im_update after power-up", read(regStatus, 1)[0], byte(1))
		time.Sleep(startUp)
		check("status after start-up", read(regStatus, 1)[0], byte(0))
		check("temperature before any measurement", temperature(), 0x80000)

		write(regCtrlMeas, 1<<5|1<<2|1) // forced; humidity is off
		check("status while measuring", read(regStatus, 1)[0], byte(8))
		time.Sleep(5500*time.Microsecond - time.Nanosecond)
		check("status at the end", read(regStatus, 1)[0], byte(8))
		time.Sleep(time.Nanosecond)
		check("status afterwards", read(regStatus, 1)[0], byte(0))
		check("mode afterwards", read(regCtrlMeas, 1)[0], byte(1<<5|1<<2))
		check("skipped humidity", humidity(), [2]byte{0x80, 0})
		check("temperature of 16 bits", temperature()%16, 0)
		first := temperature()

		write(regCtrlHum, 1)
		write(regConfig, 5<<5)
		celsius = 30
		time.Sleep(time.Hour)
		check("temperature while asleep", temperature(), first)
		write(regCtrlMeas, 1<<5|1<<2|1)
		time.Sleep(8 * time.Millisecond)
		if humidity() == [2]byte{0x80, 0} {
			t.Error("ctrl_hum takes no effect")
		}
		if temperature() <= first {
			t.Error("a warmer room does not show")
		}

		celsius = 25
		write(regCtrlHum, 0) // no write of ctrl_meas behind it: humidity stays on
		write(regCtrlMeas, 1<<5|1<<2|3)
		write(regConfig, 0) // ignored in normal mode
		check("config in normal mode", read(regConfig, 1)[0], byte(5<<5))
		check("humidity switched off by ctrl_meas", func() [2]byte { time.Sleep(time.Second); return humidity() }(), [2]byte{0x80, 0})
		warm := temperature()
		celsius = 20
		time.Sleep(1006 * time.Millisecond)
		if temperature() >= warm {
			t.Error("normal mode does not measure by itself")
		}
		check("mode in normal mode", read(regCtrlMeas, 1)[0]&3, byte(3))

		write(regReset, 0xb6)
		check("ctrl_meas after reset", read(regCtrlMeas, 1)[0], byte(0))
		check("temperature after reset", temperature(), 0x80000)
	})
}

func TestInverseIsTight(t *testing.T) {
	t.Parallel()
	for celsius := -39.0; celsius < 85; celsius += 7.3 {
		raw := rawTemperature(celsius)
		fine := fineTemperature(raw)
		if fine < int32(celsius*5120) || fineTemperature(raw-16) >= int32(celsius*5120) {
			t.Errorf("%v °C: raw %d is not the first to reach it", celsius, raw)
		}
		for pascals := 31000.0; pascals < 110000; pascals += 9999 {
			p := rawPressure(pascals, fine)
			if got := float64(pressure256(p, fine)) / 256; math.Abs(got-pascals) > 0.3 {
				t.Errorf("%v Pa at %v °C: raw %d is %v Pa", pascals, celsius, p, got)
			}
		}
		for percent := 5.0; percent < 95; percent += 17 {
			h := rawHumidity(percent, fine)
			if got := float64(humidity1024(h, fine)) / 1024; math.Abs(got-percent) > 0.03 {
				t.Errorf("%v %% at %v °C: raw %d is %v %%", percent, celsius, h, got)
			}
		}
	}
}
