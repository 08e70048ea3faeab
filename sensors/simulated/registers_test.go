package simulated

import (
	"math"
	"testing"
	"testing/synctest"
	"time"

	"periph.io/x/conn/v3/physic"
	"periph.io/x/devices/v3/bmxx80"
	"periph.io/x/devices/v3/ccs811"
	"periph.io/x/devices/v3/mcp9808"
)

// Somebody else's drivers read the models.

func TestPeriphReadsBMP180(t *testing.T) {
	t.Parallel()
	for _, air := range []Air{{Celsius: 21.5, Pascals: 101325}, {Celsius: -12, Pascals: 87000}, {Celsius: 60, Pascals: 40000}} {
		synctest.Test(t, func(t *testing.T) {
			bus := NewBus(1)
			bus.Attach(0x77, NewBMP180(still(air)))
			time.Sleep(time.Second)
			dev, err := bmxx80.NewI2C(bus, 0x77, &bmxx80.Opts{Temperature: bmxx80.O1x, Pressure: bmxx80.O8x})
			if err != nil {
				t.Fatal(err)
			}
			var env physic.Env
			if err := dev.Sense(&env); err != nil {
				t.Fatal(err)
			}
			if got := env.Temperature.Celsius(); math.Abs(got-air.Celsius) > 0.101 {
				t.Errorf("%+v: read %v °C", air, got)
			}
			if got := float64(env.Pressure) / float64(physic.Pascal); math.Abs(got-air.Pascals) > 12 {
				t.Errorf("%+v: read %v Pa", air, got)
			}
		})
	}
}

func TestPeriphReadsMCP9808(t *testing.T) {
	t.Parallel()
	for _, celsius := range []float64{0.0625, 21.5, 99.9375} {
		synctest.Test(t, func(t *testing.T) {
			bus := NewBus(1)
			bus.Attach(0x18, NewMCP9808(still(Air{Celsius: celsius})))
			dev, err := mcp9808.New(bus, &mcp9808.DefaultOpts)
			if err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
			if got, err := dev.SenseTemp(); err != nil || got.Celsius() != celsius {
				t.Errorf("%v, %v, want %v °C", got.Celsius(), err, celsius)
			}
		})
	}
}

func TestPeriphReadsCCS811(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		bus := NewBus(1)
		bus.Attach(0x5a, NewCCS811(func(time.Time) Gas { return Gas{CO2: 950, TVOC: 83} }))
		time.Sleep(time.Second)
		dev, err := ccs811.New(bus, &ccs811.DefaultOpts)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		var got ccs811.SensorValues
		if err := dev.Sense(&got); err != nil || got.ECO2 != 950 || got.VOC != 83 || got.Error != nil {
			t.Errorf("%+v, %v", got, err)
		}
	})
}

// Bosch's integers, with the calibration of a chip in the field; and of the BMP180 the worked example of its datasheet.
func TestFormulas(t *testing.T) {
	t.Parallel()
	fine := bme680Fine(501240)
	for _, v := range []struct {
		what      string
		got, want int64
	}{
		{"BME680 1/100 °C", (fine*5 + 128) >> 8, 2669},
		{"BME680 Pa", bme680Pascals(353485, fine), 98712},
		{"BME680 1/1000 %", bme680Millipercent(19019, fine), 42402},
		{"BME680 Ω", bme680Ohms(0, 0), 12946860},
		{"BMP180 1/10 °C", (bmpTemperature(27898) + 8) >> 4, 150},
		{"BMP180 Pa", bmpPressure(23843, bmpTemperature(27898), 0), 69964},
	} {
		if v.got != v.want {
			t.Errorf("%s: %d, want %d", v.what, v.got, v.want)
		}
	}
}
