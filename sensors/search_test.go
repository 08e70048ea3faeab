package sensors_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"holdfast"
	"holdfast/sensors"
	"holdfast/sensors/simulated"
)

func TestUnplugAndPlug(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		bus := thermometerBus()
		b := run(t, sensors.Options{}, bus)
		b.until(2500 * time.Millisecond)
		revision := b.Catalog().Revision
		bus.Unplug(0x48)
		b.until(60500 * time.Millisecond)
		bus.Plug(0x48)
		b.until(80500 * time.Millisecond)
		b.stop()
		expect(t, "changes", b.changed(), []string{
			"300ms tmp102-1-48 ok", "3s tmp102-1-48 degraded", "5s tmp102-1-48 lost", "1m5.3s tmp102-1-48 ok",
		})
		want := append(append([]time.Duration{300 * time.Millisecond}, seconds(1, 2, 1)...), 65300*time.Millisecond)
		expect(t, "times", b.times(thermometer), append(want, seconds(66, 80, 1)...))
		s := b.state(thermometer)
		if s.Errors != 3+11 || s.Samples != 3+16 || s.Samples+s.Skipped+s.Errors != 81 { // 3 until it is lost, then one every 5 s
			t.Errorf("state %+v", s)
		}
		if got := b.Catalog(); got.Revision != revision+3 || got.Sensors[0].State != holdfast.SensorOK || got.Validate() != nil {
			t.Errorf("catalog %+v after revision %d", got, revision)
		}
	})
}

func TestSensorIsPluggedInLater(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		bus := thermometerBus()
		b := run(t, sensors.Options{}, bus)
		b.until(14 * time.Second)
		bus.Attach(0x77, simulated.NewBME280(air(simulated.Air{Celsius: 20, Percent: 50, Pascals: 1e5})))
		b.until(24500 * time.Millisecond)
		bus.Unplug(0x77)
		b.until(33 * time.Second)
		bus.Attach(0x77, simulated.NewBMP280(air(simulated.Air{Celsius: 20, Pascals: 1e5})))
		b.until(45 * time.Second)
		b.stop()
		expect(t, "changes", b.changed(), []string{
			"300ms tmp102-1-48 ok", "15.0162s bme280-1-77 ok", "25s bme280-1-77 degraded", "27s bme280-1-77 lost", "35.0162s bmp280-1-77 ok",
		})
		var names []string
		for _, s := range b.Sensors() {
			names = append(names, fmt.Sprint(s.Name, " ", s.State))
		}
		expect(t, "sensors", names, []string{"bme280-1-77 lost", "bmp280-1-77 ok", "tmp102-1-48 ok"})
	})
}

func TestConfiguredSensors(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		bus := simulated.NewBus(1)
		bus.Attach(0x20, simulated.NewThermometer(simulated.LM75, air(simulated.Air{Celsius: 9})))
		bus.Attach(0x48, simulated.NewThermometer(simulated.TMP105, air(simulated.Air{Celsius: 9})))
		b := run(t, sensors.Options{Sensors: []sensors.Configured{
			{Name: "cellar", Chip: "lm75", Bus: 1, Address: 0x20, Interval: 5 * time.Second},
			{Chip: "bme280", Bus: 1, Address: 0x77},
			{Chip: "bme280", Bus: 9, Address: 0x76},
			{Chip: "bme999", Bus: 1, Address: 0x76},
		}}, bus)
		b.until(21 * time.Second)
		b.stop()
		expect(t, "cellar", b.times("cellar"), append([]time.Duration{300 * time.Millisecond}, seconds(5, 20, 5)...))
		if got := len(b.times("tmp105-1-48")); got != 22 {
			t.Errorf("%d samples of the one that was found, want 22", got)
		}
		var states []string
		for _, s := range b.Sensors() {
			states = append(states, fmt.Sprint(s.Name, " ", s.State))
		}
		expect(t, "states", states, []string{"bme280-1-77 absent", "bme280-9-76 absent", "cellar ok", "tmp105-1-48 ok"})
		if s := b.state("bme280-9-76"); s.Error != "there is no bus i2c-9" {
			t.Errorf("error %q", s.Error)
		}
		if n := len(b.changed()); n != 4 {
			t.Errorf("%d changes, want one for each sensor: %v", n, b.changed())
		}
	})
}
