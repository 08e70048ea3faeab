package simulated

import (
	"bytes"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"periph.io/x/conn/v3/physic"
	"periph.io/x/devices/v3/ads1x15"
	"periph.io/x/devices/v3/bh1750"
	"periph.io/x/devices/v3/ina219"
)

func TestPeriphReadsTheADS1115(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		inputs := [4]float64{0, 1.25, 3.3, -0.5}
		bus := NewBus(1)
		bus.Attach(0x48, NewADS1115(func(time.Time) [4]float64 { return inputs }))
		dev, err := ads1x15.NewADS1115(bus, &ads1x15.DefaultOpts)
		if err != nil {
			t.Fatal(err)
		}
		for channel, want := range map[ads1x15.Channel]float64{
			ads1x15.Channel0: 0, ads1x15.Channel1: 1.25, ads1x15.Channel2: 3.3, ads1x15.Channel3: -0.5,
			ads1x15.Channel0Minus1: -1.25, ads1x15.Channel2Minus3: 3.8,
		} {
			pin, err := dev.PinForChannel(channel, 4*physic.Volt, physic.Hertz, ads1x15.SaveEnergy)
			if err != nil {
				t.Fatal(err)
			}
			got, err := pin.Read()
			if volts := float64(got.V) / float64(physic.Volt); err != nil || math.Abs(volts-want) > 0.000126 {
				t.Errorf("%v: %v V, %v, want %v", channel, volts, err, want)
			}
		}
	})
}

func TestPeriphReadsTheINA219(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		bus := NewBus(1)
		bus.Attach(0x40, NewPowerMonitor(INA219, func(time.Time) Load { return Load{Volts: 12.4, Amperes: 1.5} }))
		dev, err := ina219.New(bus, &ina219.Opts{Address: 0x40, SenseResistor: 100 * physic.MilliOhm, MaxCurrent: 3200 * physic.MilliAmpere})
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(200 * time.Millisecond) // it asks for averages of 128
		got, err := dev.Sense()
		if err != nil || got.Shunt != 150*physic.MilliVolt || got.Voltage != 12400*physic.MilliVolt {
			t.Errorf("%v, %v, want 150 mV and 12.4 V", got, err)
		}
		if a := float64(got.Current) / float64(physic.Ampere); math.Abs(a-1.5) > 0.001 {
			t.Errorf("%v A, want 1.5", a)
		}
		if w := float64(got.Power) / float64(physic.Watt); math.Abs(w-18.6) > 0.02 {
			t.Errorf("%v W, want 18.6", w)
		}
	})
}

func TestPeriphReadsTheBH1750(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		bus := NewBus(1)
		bus.Attach(0x23, NewBH1750(func(time.Time) float64 { return 412 }))
		dev, err := bh1750.NewI2C(bus, bh1750.I2CAddr)
		if err != nil {
			t.Fatal(err)
		}
		got, err := dev.Sense()
		if lux := float64(got) / float64(physic.Lumen); err != nil || lux != 411 { // it cuts off what is behind the point
			t.Errorf("%v lx, %v, want 411", lux, err)
		}
	})
}

// What the datasheets say of the registers, step by step, each so long after power-up.
func TestElectricalRegisters(t *testing.T) {
	t.Parallel()
	type step struct {
		at   time.Duration
		w    []byte
		want []byte
	}
	const ms = time.Millisecond
	load := func(time.Time) Load { return Load{Volts: 12, Amperes: 0.2} }
	tests := map[string]struct {
		chip  Chip
		steps []step
	}{
		"INA219": {NewPowerMonitor(INA219, load), []step{
			{0, []byte{0}, []byte{0x39, 0x9f}},
			{1 * ms, []byte{2}, []byte{0, 0}}, // the first conversions take 1.064 ms
			{2 * ms, []byte{2}, []byte{0x5d, 0xc2}},
			{2 * ms, []byte{1}, []byte{0x07, 0xd0}},
			{2 * ms, []byte{5, 0x10, 0x01}, nil},
			{2 * ms, []byte{5}, []byte{0x10, 0x00}}, // the last bit is void
			{2 * ms, []byte{4}, []byte{0x07, 0xd0}},
			{2 * ms, []byte{3}, []byte{0x04, 0xb0}}, // 2.4 W in 2 mW, which also clears the flag
			{2 * ms, []byte{2}, []byte{0x5d, 0xc0}},
			{2 * ms, []byte{0, 0x39, 0x9b}, nil},
			{3 * ms, []byte{2}, []byte{0x5d, 0xc0}},
			{4 * ms, []byte{2}, []byte{0x5d, 0xc2}},
			{5 * ms, []byte{0, 0x80, 0}, nil},
			{5 * ms, []byte{0}, []byte{0x39, 0x9f}},
			{5 * ms, []byte{5}, []byte{0, 0}},
		}},
		"INA226": {NewPowerMonitor(INA226, load), []step{
			{0, []byte{0xfe}, []byte{0x54, 0x49}},
			{0, []byte{0xff}, []byte{0x22, 0x60}},
			{0, []byte{0}, []byte{0x41, 0x27}},
			{2 * ms, []byte{6}, []byte{0, 0}},
			{3 * ms, []byte{6}, []byte{0, 8}},
			{3 * ms, []byte{6}, []byte{0, 0}}, // reading clears it
			{3 * ms, []byte{2}, []byte{0x25, 0x80}},
			{3 * ms, []byte{1}, []byte{0x1f, 0x40}},
			{3 * ms, []byte{0, 0x03, 0x23}, nil},
			{3 * ms, []byte{0}, []byte{0x43, 0x23}},
			{11 * ms, []byte{6}, []byte{0, 0}},
			{13 * ms, []byte{6}, []byte{0, 8}},
		}},
		"ADS1115": {NewADS1115(func(time.Time) [4]float64 { return [4]float64{0, 2} }), []step{
			{0, []byte{1}, []byte{0x85, 0x83}},
			{0, []byte{2}, []byte{0x80, 0x00}},
			{0, []byte{3}, []byte{0x7f, 0xff}},
			{0, []byte{0}, []byte{0, 0}},
			{0, []byte{1, 0xd3, 0x83}, nil},
			{7 * ms, []byte{1}, []byte{0x53, 0x83}}, // busy
			{7 * ms, []byte{0}, []byte{0, 0}},
			{8 * ms, []byte{1}, []byte{0xd3, 0x83}},
			{8 * ms, []byte{0}, []byte{0x3e, 0x80}},
		}},
		"VEML7700": {NewVEML7700(func(time.Time) float64 { return 134.4 }), []step{
			{0, []byte{0}, []byte{1, 0}},
			{0, []byte{7}, []byte{0x81, 0xc4}},
			{200 * ms, []byte{4}, []byte{0, 0}}, // asleep from power-up
			{200 * ms, []byte{0, 0, 0x08}, nil},
			{300 * ms, []byte{4}, []byte{0, 0}},
			{303 * ms, []byte{4}, []byte{0xa0, 0x0f}},
			{303 * ms, []byte{0, 1, 0x08}, nil},
			{900 * ms, []byte{4}, []byte{0xa0, 0x0f}}, // asleep it keeps what it saw
		}},
		"BH1750": {NewBH1750(func(time.Time) float64 { return 1000 }), []step{
			{0, nil, []byte{0, 0}},
			{0, []byte{0x20}, nil},
			{119 * ms, nil, []byte{0, 0}},
			{120 * ms, nil, []byte{0x04, 0xb0}},
			{120 * ms, []byte{0x07}, nil}, // not taken: it has gone to sleep
			{120 * ms, nil, []byte{0x04, 0xb0}},
			{120 * ms, []byte{0x01}, nil},
			{120 * ms, []byte{0x07}, nil},
			{120 * ms, nil, []byte{0, 0}},
			{120 * ms, []byte{0x44}, nil}, // 138: twice as long, twice as much
			{120 * ms, []byte{0x6a}, nil},
			{120 * ms, []byte{0x20}, nil},
			{359 * ms, nil, []byte{0, 0}},
			{360 * ms, nil, []byte{0x09, 0x60}},
		}},
		"DS3231": {NewClock(DS3231, still(Air{Celsius: 25.25})), []step{
			{0, []byte{0x0e}, []byte{0x1c, 0x8c, 0, 0, 0, 0, 0}}, // it measures from power-up, and begins anew behind the last
			{200 * ms, []byte{0x0e}, []byte{0x1c, 0x88, 0, 0x19, 0x40}},
			{90 * time.Second, []byte{0}, []byte{0x30, 0x01, 0x00, 7, 0x01, 0x01, 0x00}},
			{90 * time.Second, []byte{0x0e, 0x3c}, nil},
			{90 * time.Second, []byte{0x0e}, []byte{0x3c, 0x8c}},
			{91 * time.Second, []byte{0x0e}, []byte{0x1c, 0x88}},
		}},
		"DS1338": {NewClock(DS1338, still(Air{})), []step{
			{65 * time.Second, []byte{0x00}, []byte{0x05, 0x01, 0x00, 7, 0x01, 0x01, 0x00, 0xb3, 0}},
			{65 * time.Second, []byte{0x3f}, []byte{0xf3, 0x05, 0x01}},
		}},
	}
	for name, test := range tests {
		start := time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC)
		test.chip.PowerUp(start)
		for i, s := range test.steps {
			r := make([]byte, len(s.want))
			if err := test.chip.Tx(start.Add(s.at), s.w, r); err != nil || !bytes.Equal(r, s.want) {
				t.Errorf("%s, step %d, % x at %v: % x, %v, want % x", name, i+1, s.w, s.at, r, err, s.want)
			}
		}
	}
}
