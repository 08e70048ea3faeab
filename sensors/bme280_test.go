package sensors_test

import (
	"errors"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"periph.io/x/conn/v3/i2c/i2ctest"

	"holdfast/sensors"
	"holdfast/sensors/simulated"
)

func TestBME280ReadsTheAir(t *testing.T) {
	t.Parallel()
	for _, want := range []simulated.Air{
		{Celsius: 21.5, Percent: 45, Pascals: 101325},
		{Celsius: 0, Percent: 60, Pascals: 98000},
		{Celsius: -5.25, Percent: 95, Pascals: 101325},
		{Celsius: -39.5, Percent: 10, Pascals: 30500},
		{Celsius: 84.5, Percent: 20, Pascals: 109500},
	} {
		synctest.Test(t, func(t *testing.T) {
			for chip, model := range map[string]*simulated.BME280{
				"bme280": simulated.NewBME280(air(want)), "bmp280": simulated.NewBMP280(air(want)),
			} {
				sensor, _ := chipOn(t, chip, model)
				got, err := read(t, sensor)
				if err != nil {
					t.Fatalf("%s, %+v: %v", chip, want, err)
				}
				if math.Abs(got["temperature_celsius"]-want.Celsius) > 0.011 ||
					math.Abs(got["pressure_pascals"]-want.Pascals) > 2 {
					t.Errorf("%s: %v, want %+v", chip, got, want)
				}
				humidity, ok := got["humidity_percent"]
				if ok != (chip == "bme280") || ok && math.Abs(humidity-want.Percent) > 0.1 {
					t.Errorf("%s: %v, want %+v", chip, got, want)
				}
			}
		})
	}
}

func TestBME280WorkedExample(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		model := simulated.NewBME280(air(simulated.Air{}))
		model.Hold(519888, 415148, 30000)
		sensor, _ := chipOn(t, "bme280", model)
		got, err := read(t, sensor)
		if err != nil || got["temperature_celsius"] != 25.08 || got["pressure_pascals"] != 100653.3 {
			t.Errorf("%v, %v: want 25.08 °C, 100653.3 Pa", got, err)
		}
	})
}

// A chip that was without power between two reads is another chip until its calibration has been read again.
func TestBME280NoticesThatItWasUnplugged(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sensor, bus := chipOn(t, "bme280", simulated.NewBME280(air(simulated.Air{Celsius: 20, Percent: 50, Pascals: 1e5})))
		first, err := read(t, sensor)
		if err != nil {
			t.Fatal(err)
		}
		bus.Unplug(0x76)
		bus.Plug(0x76)
		second, err := read(t, sensor)
		if err != nil || second["humidity_percent"] != first["humidity_percent"] {
			t.Errorf("after a short loss of power: %v, %v, want %v", second, err, first)
		}

		bus.Unplug(0x76)
		if values, err := read(t, sensor); !errors.Is(err, sensors.ErrNoAnswer) || values != nil {
			t.Errorf("unplugged: %v, %v, want no answer", values, err)
		}
		bus.Attach(0x76, simulated.NewBMP280(air(simulated.Air{Celsius: 20, Pascals: 1e5})))
		if values, err := read(t, sensor); err == nil {
			t.Errorf("a BMP280 in its place: %v, want an error", values)
		}
		bus.Attach(0x76, simulated.NewBME280(air(simulated.Air{Celsius: 30, Percent: 50, Pascals: 1e5})))
		if values, err := read(t, sensor); err != nil || math.Abs(values["temperature_celsius"]-30) > 0.011 {
			t.Errorf("another BME280 in its place: %v, %v", values, err)
		}
	})
}

func TestBME280NeverReturnsGarbage(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		model := simulated.NewBME280(air(simulated.Air{Celsius: 20, Percent: 50, Pascals: 1e5}))
		sensor, bus := chipOn(t, "bme280", model)
		if _, err := read(t, sensor); err != nil {
			t.Fatal(err)
		}
		bus.Garbage(0x76, true)
		if values, err := read(t, sensor); err == nil {
			t.Errorf("the line reads ones: %v, want an error", values)
		}
		bus.Garbage(0x76, false)
		for _, raw := range [][3]uint32{{0, 0, 0}, {0xfffff, 0xfffff, 0xffff}, {0x80000, 0x80000, 0x8000}, {519888, 0, 30000}, {0, 415148, 30000}} {
			model.Hold(raw[0], raw[1], raw[2])
			if values, err := read(t, sensor); err == nil || values != nil {
				t.Errorf("the converters read %v: %v, want an error and no values", raw, values)
			}
		}
		// What stands in one register from power-up is a measurement when it stands there alone.
		for _, raw := range [][3]uint32{{519888, 415148, 30000}, {0x80000, 415148, 30000}, {519888, 415148, 0x8000}} {
			model.Hold(raw[0], raw[1], raw[2])
			if values, err := read(t, sensor); err != nil {
				t.Errorf("the converters read %v: %v, %v", raw, values, err)
			}
		}
	})
}

// What goes over the wire while a chip is set up and read, and how each step can fail. No byte is written but register
// numbers before the identity is read.
func TestBME280Playback(t *testing.T) {
	t.Parallel()
	trim := []byte{
		0x70, 0x6b, 0x43, 0x67, 0x18, 0xfc, 0x7d, 0x8e, 0x43, 0xd6, 0xd0, 0x0b, 0x27, 0x0b, 0x8c, 0x00, 0xf9, 0xff,
		0x8c, 0x3c, 0xf8, 0xc6, 0x70, 0x17, 0x00, 0x4b,
	}
	id := func(b byte) i2ctest.IO { return i2ctest.IO{Addr: 0x76, W: []byte{0xd0}, R: []byte{b}} }
	status := func(b byte) i2ctest.IO { return i2ctest.IO{Addr: 0x76, W: []byte{0xf3}, R: []byte{b}} }
	calibration := i2ctest.IO{Addr: 0x76, W: []byte{0x88}, R: trim}
	humidity := i2ctest.IO{Addr: 0x76, W: []byte{0xe1}, R: []byte{0x6a, 0x01, 0x00, 0x13, 0x2e, 0x03, 0x1e}}
	settings := i2ctest.IO{Addr: 0x76, W: []byte{0xf4, 0x2c, 0xf5, 0, 0xf2, 1, 0xf4, 0x2c}}
	forced := i2ctest.IO{Addr: 0x76, W: []byte{0xf4, 0x2d}}
	data := i2ctest.IO{Addr: 0x76, W: []byte{0xf7}, R: []byte{0x65, 0x5a, 0xc0, 0x7e, 0xed, 0x00, 0x75, 0x30}}
	held := func(b ...byte) i2ctest.IO { return i2ctest.IO{Addr: 0x76, W: []byte{0xf2}, R: b} }
	setUp := []i2ctest.IO{id(0x60), status(0), calibration, humidity, settings}
	kept := i2ctest.IO{Addr: 0x76, W: []byte{0xf2}, R: []byte{1}}
	measured := []i2ctest.IO{forced, status(0), data, kept}

	tests := []struct {
		name  string
		ops   [][]i2ctest.IO
		reads []bool // whether each Read succeeds
	}{
		{"set up once", [][]i2ctest.IO{setUp, measured, {held(1, 0, 0x2c, 0)}, measured}, []bool{true, true}},
		{"the settings are gone", [][]i2ctest.IO{setUp, measured, {held(0, 0, 0, 0)}, setUp, measured}, []bool{true, true}},
		{"somebody switched to normal mode", [][]i2ctest.IO{setUp, measured, {held(1, 0, 0x2f, 0)}, setUp, measured}, []bool{true, true}},
		{"another chip", [][]i2ctest.IO{{id(0x58)}}, []bool{false}},
		{"starting up", [][]i2ctest.IO{{id(0x60), status(1), status(1), status(0), calibration, humidity, settings}, measured}, []bool{true}},
		{"blank calibration", [][]i2ctest.IO{{id(0x60), status(0), {Addr: 0x76, W: []byte{0x88}, R: make([]byte, 26)}, humidity}}, []bool{false}},
		{"still measuring", [][]i2ctest.IO{setUp, {forced, status(8), status(8), status(0), data, kept}}, []bool{true}},
		{"measuring forever", [][]i2ctest.IO{setUp, {forced, status(8), status(8), status(8), status(8), status(8),
			status(8), status(8), status(8), status(8), status(8)}, setUp, measured}, []bool{false, true}},
		{"humidity is gone before it measures", [][]i2ctest.IO{setUp, {forced, status(0), data, {Addr: 0x76, W: []byte{0xf2}, R: []byte{0}}}}, []bool{false}},
		{"cut off after the set-up", [][]i2ctest.IO{setUp}, []bool{false}},
		{"cut off while it measures", [][]i2ctest.IO{setUp, {forced, status(0)}}, []bool{false}},
		{"cut off in the calibration", [][]i2ctest.IO{{id(0x60), status(0), calibration}}, []bool{false}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				play := &i2ctest.Playback{DontPanic: true}
				for _, ops := range test.ops {
					play.Ops = append(play.Ops, ops...)
				}
				sensor := openChip(t, "bme280", sensors.NewBus(1, play), 0x76)
				for i, want := range test.reads {
					values, err := read(t, sensor)
					if (err == nil) != want {
						t.Errorf("read %d: %v, %v", i+1, values, err)
					}
					if err == nil && values["temperature_celsius"] != 25.08 {
						t.Errorf("read %d: %v, want 25.08 °C", i+1, values)
					}
				}
				if err := play.Close(); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

func TestBME280StopsWithItsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sensor, bus := chipOn(t, "bme280", simulated.NewBME280(air(simulated.Air{Celsius: 20, Percent: 50, Pascals: 1e5})))
		bus.Slow(0x76, time.Hour)
		start := time.Now()
		if values, err := read(t, sensor); !errors.Is(err, sensors.ErrBusStuck) || time.Since(start) != 2*time.Second {
			t.Errorf("%v, %v after %v: want a stuck bus after 2s", values, err, time.Since(start))
		}
		bus.Slow(0x76, 0)
		time.Sleep(time.Hour)
		if _, err := read(t, sensor); err != nil {
			t.Errorf("afterwards: %v", err)
		}
	})
}
