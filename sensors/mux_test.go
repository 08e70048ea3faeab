package sensors_test

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"holdfast/sensors"
	"holdfast/sensors/simulated"
)

// muxed is a bus with a thermometer, and a multiplexer with thermometers of one address behind two channels of it.
func muxed() (*simulated.Bus, *simulated.Mux) {
	bus, mux := simulated.NewBus(1), simulated.NewMux()
	bus.Attach(0x48, simulated.NewThermometer(simulated.TMP102, air(simulated.Air{Celsius: 1})))
	bus.AttachMux(0x70, mux)
	mux.Channel(0).Attach(0x49, simulated.NewThermometer(simulated.TMP102, air(simulated.Air{Celsius: 10})))
	mux.Channel(3).Attach(0x49, simulated.NewThermometer(simulated.TMP102, air(simulated.Air{Celsius: 13})))
	mux.Channel(3).Attach(0x76, simulated.NewBME280(mild))
	return bus, mux
}

func TestScanLooksBehindMultiplexers(t *testing.T) {
	t.Parallel()
	bus, _ := muxed()
	for _, state := range []byte{0, 0xff} { // whatever somebody left open
		if err := bus.Tx(0x70, []byte{state}, nil); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, f := range sensors.Scan(t.Context(), []*sensors.Bus{sensors.NewBus(1, bus)}) {
			got = append(got, f.String())
		}
		want := []string{
			"i2c-1 0x48: tmp102 (likely), read as tmp102-1-48",
			"i2c-1 0x70: tca9548a (likely), a multiplexer",
			"i2c-1-mux70.0 0x49: tmp102 (likely), read as tmp102-1-mux70.0-49",
			"i2c-1-mux70.3 0x49: tmp102 (likely), read as tmp102-1-mux70.3-49",
			"i2c-1-mux70.3 0x76: bme280 (certain), read as bme280-1-mux70.3-76",
		}
		if !slices.Equal(got, want) {
			t.Errorf("found %q, want %q", got, want)
		}
	}
}

// Chips behind two channels of one multiplexer, and on the bus itself, are sampled side by side; one that is unplugged, and the
// multiplexer itself, come back.
func TestSamplingBehindMultiplexers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		bus, mux := muxed()
		b := run(t, sensors.Options{Interval: time.Second}, bus)
		names := map[string]float64{"tmp102-1-48": 1, "tmp102-1-mux70.0-49": 10, "tmp102-1-mux70.3-49": 13}
		check := func(when string) {
			t.Helper()
			for name, want := range names {
				if s := b.state(name); s.State != "ok" || s.Values["temperature_celsius"] != want {
					t.Errorf("%s: %s is %s, %v (%s), want %v °C", when, name, s.State, s.Values, s.Error, want)
				}
			}
		}
		b.until(20 * time.Second)
		check("found")
		mux.Channel(3).Unplug(0x49)
		b.until(30 * time.Second)
		if s := b.state("tmp102-1-mux70.3-49"); s.State != "lost" {
			t.Errorf("unplugged behind the multiplexer: %s", s.State)
		}
		mux.Channel(3).Plug(0x49)
		b.until(41 * time.Second)
		check("plugged in again")
		bus.Unplug(0x70)
		b.until(50 * time.Second)
		if s := b.state("tmp102-1-mux70.0-49"); s.State != "lost" {
			t.Errorf("without the multiplexer: %s", s.State)
		}
		if s := b.state("tmp102-1-48"); s.State != "ok" {
			t.Errorf("on the bus itself: %s", s.State)
		}
		bus.Plug(0x70)
		b.until(75 * time.Second)
		check("the multiplexer is back")
		bus.Unplug(0x70) // and back between two samples: its channels are closed
		bus.Plug(0x70)
		b.until(90 * time.Second)
		check("the multiplexer lost its supply for a moment")
	})
}

func TestConfiguredBehindAMultiplexer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		bus, _ := muxed()
		b := run(t, sensors.Options{NoSearch: true, Sensors: []sensors.Configured{{Name: "cellar", Chip: "tmp102", Bus: 1, Mux: "70.3", Address: 0x49}}}, bus)
		b.until(3 * time.Second)
		if s := b.state("cellar"); s.State != "ok" || s.Values["temperature_celsius"] != 13 {
			t.Errorf("%+v", s)
		}
	})
	for _, wrong := range []string{"70", "70.8", "48.1", "x.1", "70.-1", "70.1.2"} {
		if sensors.CheckMux(wrong) == nil {
			t.Errorf("%q is taken", wrong)
		}
	}
}
