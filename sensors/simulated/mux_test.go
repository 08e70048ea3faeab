package simulated

import (
	"testing"
	"testing/synctest"
	"time"

	"periph.io/x/conn/v3/i2c/i2creg"
	"periph.io/x/conn/v3/physic"
	"periph.io/x/devices/v3/pca9548"
	"periph.io/x/devices/v3/tmp102"
)

// Somebody else's driver reaches chips at one address behind two channels.
func TestPeriphSwitchesTheMux(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bus, mux := NewBus(1), NewMux()
		bus.AttachMux(0x72, mux)
		for channel, celsius := range map[int]float64{0: 11.5, 7: 27.25} {
			mux.Channel(channel).Attach(0x48, NewThermometer(TMP102, still(Air{Celsius: celsius})))
		}
		dev, err := pca9548.New(bus, &pca9548.Opts{Addr: 0x72})
		if err != nil {
			t.Fatal(err)
		}
		names, err := dev.RegisterPorts("simulated")
		if err != nil || len(names) != 8 {
			t.Fatalf("%v, %v", names, err)
		}
		for _, want := range []struct {
			port    int
			celsius float64
		}{{0, 11.5}, {7, 27.25}, {0, 11.5}} {
			port, err := i2creg.Open(names[want.port])
			if err != nil {
				t.Fatal(err)
			}
			thermometer, err := tmp102.NewI2C(port, 0x48, nil)
			if err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
			var got physic.Env
			if err := thermometer.Sense(&got); err != nil || got.Temperature.Celsius() != want.celsius {
				t.Errorf("channel %d: %v, %v, want %v °C", want.port, got.Temperature.Celsius(), err, want.celsius)
			}
		}
		for _, name := range names {
			if err := i2creg.Unregister(name); err != nil {
				t.Error(err)
			}
		}
	})
}
