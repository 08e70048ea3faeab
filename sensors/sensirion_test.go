package sensors_test

import (
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"periph.io/x/conn/v3/i2c/i2ctest"

	"holdfast/sensors"
	"holdfast/sensors/simulated"
)

// What goes over the wire, and how each step can fail. The answers are those of the datasheets' examples, and of chips whose
// owners have published what they said.
func TestCommandChipsPlayback(t *testing.T) {
	t.Parallel()
	const addr = 0x40
	tx := func(w []byte, r ...byte) i2ctest.IO { return i2ctest.IO{Addr: addr, W: w, R: r} }
	send := func(w ...byte) i2ctest.IO { return i2ctest.IO{Addr: addr, W: w} }
	get := func(r ...byte) i2ctest.IO { return i2ctest.IO{Addr: addr, R: r} }
	word, otherWord := []byte{0xbe, 0xef, 0x92}, []byte{0xbe, 0xef, 0x93}
	serial2 := slices.Concat(word, word)
	serial3 := slices.Concat(word, word, word)

	sht3xReady := []i2ctest.IO{send(0x36, 0x82), get(serial2...), send(0x30, 0x66)}
	sht4xReady := []i2ctest.IO{send(0x89), get(serial2...)}
	htu21Ready := []i2ctest.IO{
		tx([]byte{0xfa, 0x0f}, 0xdc, 0x79, 0, 0, 0, 0, 0, 0), tx([]byte{0xfc, 0xc9}, 0x68, 0x3a, 0x7c, 0x48, 0x54, 0xff),
	}
	htu21Measured := []i2ctest.IO{tx([]byte{0xe7}, 0x02), send(0xf3), get(0x68, 0x3a, 0x7c), send(0xf5), get(0x4e, 0x85, 0x6b)}
	sgp30Is := []i2ctest.IO{send(0x36, 0x82), get(0, 0, 0x81, 0, 0xca, 0x1d, 0x42, 0x34, 0xd0), send(0x20, 0x2f), get(0, 0x22, 0x65)}
	hdc1080Ready := []i2ctest.IO{tx([]byte{0xff}, 0x10, 0x50), tx([]byte{0xfe}, 0x54, 0x49)}

	tests := []struct {
		name string
		chip string
		ops  [][]i2ctest.IO
		want map[string]float64 // nil for an error
	}{
		{"measured", "sht3x", [][]i2ctest.IO{sht3xReady, {send(0x24, 0), get(serial2...)}}, map[string]float64{"temperature_celsius": 85.52, "humidity_percent": 74.58}},
		{"a bit of the temperature is wrong", "sht3x", [][]i2ctest.IO{sht3xReady, {send(0x24, 0), get(slices.Concat(otherWord, word)...)}}, nil},
		{"a bit of the humidity is wrong", "sht3x", [][]i2ctest.IO{sht3xReady, {send(0x24, 0), get(slices.Concat(word, otherWord)...)}}, nil},
		{"another chip", "sht3x", [][]i2ctest.IO{{send(0x36, 0x82), get(0, 0, 0, 0, 0, 0)}}, nil},
		{"cut short", "sht3x", [][]i2ctest.IO{sht3xReady, {send(0x24, 0), get(0xbe, 0xef, 0x92, 0xff, 0xff, 0xff)}}, nil},
		{"measured", "sht4x", [][]i2ctest.IO{sht4xReady, {send(0xfd), get(serial2...)}}, map[string]float64{"temperature_celsius": 85.52, "humidity_percent": 87.23}},
		{"a bit is wrong", "sht4x", [][]i2ctest.IO{sht4xReady, {send(0xfd), get(slices.Concat(word, otherWord)...)}}, nil},
		{"another chip", "sht4x", [][]i2ctest.IO{{send(0x89), get(0xff, 0xff, 0xff, 0xff, 0xff, 0xff)}}, nil},
		{"the example", "aht20", [][]i2ctest.IO{{tx([]byte{0x71}, 0x18), send(0xac, 0x33, 0), get(0x18, 0x75, 0x52, 0x05, 0x8e, 0x40, 0x7f)}},
			map[string]float64{"temperature_celsius": 19.45, "humidity_percent": 45.83}},
		{"busy for longer", "aht20", [][]i2ctest.IO{{tx([]byte{0x71}, 0x18), send(0xac, 0x33, 0), get(0x98, 0, 0, 0, 0, 0, 0), get(0x18, 0x75, 0x52, 0x05, 0x8e, 0x40, 0x7f)}},
			map[string]float64{"temperature_celsius": 19.45, "humidity_percent": 45.83}},
		{"busy for ever", "aht20", [][]i2ctest.IO{{tx([]byte{0x71}, 0x18), send(0xac, 0x33, 0), get(0x98, 0, 0, 0, 0, 0, 0),
			get(0x98, 0, 0, 0, 0, 0, 0), get(0x98, 0, 0, 0, 0, 0, 0), get(0x98, 0, 0, 0, 0, 0, 0), get(0x98, 0, 0, 0, 0, 0, 0)}}, nil},
		{"a bit is wrong", "aht20", [][]i2ctest.IO{{tx([]byte{0x71}, 0x18), send(0xac, 0x33, 0), get(0x18, 0x75, 0x52, 0x05, 0x8e, 0x41, 0x7f)}}, nil},
		{"an AHT10, which has no checksum", "aht20", [][]i2ctest.IO{{tx([]byte{0x71}, 0x18), send(0xac, 0x33, 0), get(0x18, 0x75, 0x52, 0x05, 0x8e, 0x40, 0xff)}}, nil},
		{"the examples", "htu21", [][]i2ctest.IO{htu21Ready, htu21Measured}, map[string]float64{"temperature_celsius": 24.69, "humidity_percent": 32.34}},
		{"it is the other one", "si7021", [][]i2ctest.IO{htu21Ready}, nil},
		{"a bit is wrong", "htu21", [][]i2ctest.IO{htu21Ready, htu21Measured[:2], {get(0x68, 0x3e, 0x7c)}}, nil},
		{"zeros, whose checksum is right", "htu21", [][]i2ctest.IO{htu21Ready, htu21Measured[:4], {get(0, 0, 0)}}, nil},
		{"a user register that cannot be written", "htu21", [][]i2ctest.IO{htu21Ready, {tx([]byte{0xe7}, 0x83), send(0xe6, 0x02), tx([]byte{0xe7}, 0x83)}}, nil},
		{"measured", "hdc1080", [][]i2ctest.IO{hdc1080Ready, {tx([]byte{2}, 0x18, 0), send(0), get(0x66, 0x64, 0x80, 0)}}, map[string]float64{"temperature_celsius": 25.99, "humidity_percent": 50}},
		{"another chip", "hdc1080", [][]i2ctest.IO{{tx([]byte{0xff}, 0x22, 0x60)}}, nil},
		{"another maker", "hdc1080", [][]i2ctest.IO{{tx([]byte{0xff}, 0x10, 0x50), tx([]byte{0xfe}, 0x54, 0x48)}}, nil},
		{"more bits than it has", "hdc1080", [][]i2ctest.IO{hdc1080Ready, {tx([]byte{2}, 0x10, 0), send(0), get(0x66, 0x64, 0x80, 2)}}, nil},
		{"a configuration that cannot be written", "hdc1080", [][]i2ctest.IO{hdc1080Ready, {tx([]byte{2}, 0x30, 0), send(2, 0x10, 0), tx([]byte{2}, 0x30, 0)}}, nil},
		{"the example", "scd4x", [][]i2ctest.IO{{send(0x36, 0x82), get(serial3...), send(0x21, 0xb1), send(0xe4, 0xb8), get(0x80, 0x06, 0x04),
			send(0xec, 0x05), get(0x01, 0xf4, 0x33, 0x66, 0x67, 0xa2, 0x5e, 0xb9, 0x3c)}},
			map[string]float64{"co2_ppm": 500, "temperature_celsius": 25, "humidity_percent": 37}},
		{"a bit is wrong", "scd4x", [][]i2ctest.IO{{send(0x36, 0x82), get(serial3...), send(0x21, 0xb1), send(0xe4, 0xb8), get(0x80, 0x06, 0x04),
			send(0xec, 0x05), get(0x01, 0xf5, 0x33, 0x66, 0x67, 0xa2, 0x5e, 0xb9, 0x3c)}}, nil},
		{"another chip", "scd4x", [][]i2ctest.IO{{send(0x36, 0x82), get(0, 0, 0, 0, 0, 0, 0, 0, 0)}}, nil},
		{"another product", "sgp30", [][]i2ctest.IO{sgp30Is[:3], {get(0x10, 0x04, 0x76)}}, nil},
		{"a bit is wrong", "sgp30", [][]i2ctest.IO{sgp30Is, {send(0x20, 0x15), get(serial2...), send(0x20, 0x08), get(slices.Concat(word, otherWord)...)}}, nil},
	}
	for _, test := range tests {
		t.Run(test.chip+", "+test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				play := &i2ctest.Playback{DontPanic: true, Ops: slices.Concat(test.ops...)}
				got, err := read(t, openChip(t, test.chip, sensors.NewBus(1, play), addr))
				s := specimen{want: test.want}
				if test.want == nil {
					if err == nil || got != nil || errors.Is(err, sensors.ErrNotReady) {
						t.Errorf("%v, %v, want an error", got, err)
					}
				} else if err != nil || s.wrong(got) != "" {
					t.Errorf("%v, %s", err, s.wrong(got))
				}
				if err := play.Close(); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// What somebody else has left in a chip makes no value wrong.
func TestCommandChipsAreSetUp(t *testing.T) {
	t.Parallel()
	left := map[string][][]byte{
		"sht3x":   {{0x30, 0x6d}},
		"htu21":   {{0xe6, 0x87}},
		"si7021":  {{0xe6, 0xbf}},
		"hdc1080": {{0x02, 0x26, 0x00}, {0x01}},
		"sgp30":   {{0x20, 0x08}},
	}
	for _, s := range commandSpecimens {
		t.Run(s.chip, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				sensor, bus, addr := s.put(t)
				time.Sleep(time.Second)
				for _, w := range left[s.chip] {
					if err := bus.Tx(addr, w, nil); err != nil {
						t.Fatal(err)
					}
					time.Sleep(time.Second)
				}
				for range 2 {
					if values, err := s.settle(t, sensor); err != nil || s.wrong(values) != "" {
						t.Errorf("%v, %s", err, s.wrong(values))
					}
					if s.chip == "htu21" || s.chip == "hdc1080" { // and what is changed between two reads
						bus.Tx(addr, left[s.chip][0], nil)
					}
				}
			})
		})
	}
}

// A port expander can be where the AHT20 is, and puts what is written to it on its pins.
func TestAPortExpanderIsLeftAlone(t *testing.T) {
	t.Parallel()
	for _, port := range []byte{0x18, 0xff, 0} {
		chip := &expander{port: port}
		bus := simulated.NewBus(1)
		bus.Attach(0x38, chip)
		found := sensors.Scan(t.Context(), []*sensors.Bus{sensors.NewBus(1, bus)})
		if len(found) != 1 || found[0].Chip != "" || chip.port != port {
			t.Errorf("found %v; the pins are %02x, were %02x", found, chip.port, port)
		}
	}
}

// expander is a PCF8574A: a byte that is written and read.
type expander struct{ port byte }

func (e *expander) PowerUp(time.Time) {}

func (e *expander) Tx(_ time.Time, w, r []byte) error {
	for _, b := range w {
		e.port = b
	}
	for i := range r {
		r[i] = e.port
	}
	return nil
}

// An HTU21 takes 0xfe for a reset, and an SHT4x other numbers of registers for its heater.
func TestNothingIsResetByBeingLookedAt(t *testing.T) {
	t.Parallel()
	harmful := map[string]string{"htu21": "\xfe", "si7021": "\xfe", "sht4x": "\x94\x39\x32\x2f\x24\x1e\x15"}
	for _, s := range commandSpecimens {
		synctest.Test(t, func(t *testing.T) {
			_, bus, addr := s.put(t)
			bus.Record()
			time.Sleep(time.Second)
			found := sensors.Scan(t.Context(), []*sensors.Bus{sensors.NewBus(1, bus)})
			if len(found) != 1 || found[0].Chip != s.chip || found[0].Err != nil {
				t.Errorf("%s: found %v", s.chip, found)
			}
			for _, w := range bus.Written(addr) {
				if len(w) == 1 && slices.Contains([]byte(harmful[s.chip]), w[0]) {
					t.Errorf("%s: %x was written", s.chip, w)
				}
			}
		})
	}
}

// A chip of registers takes the commands for what they are to it, and what it answers has no checksum.
func TestOtherChipsAtTheirAddresses(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		bus, chips := simulated.NewBus(1), map[uint16]*foreign{}
		for _, addr := range []uint16{0x38, 0x40, 0x44, 0x46, 0x58, 0x62} {
			chips[addr] = &foreign{}
			bus.Attach(addr, chips[addr])
		}
		found := sensors.Scan(t.Context(), []*sensors.Bus{sensors.NewBus(1, bus)})
		if len(found) != len(chips) {
			t.Errorf("found %v", found)
		}
		for _, f := range found {
			if f.Chip != "" || f.Err != nil {
				t.Errorf("%v", f)
			}
			for _, w := range chips[f.Address].written {
				if len(w) > 0 && !commanded(f.Address, w) {
					t.Errorf("0x%02x: %x was written", f.Address, w)
				}
			}
		}
	})
}

func TestAnAHT20WithoutCalibration(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		bus := simulated.NewBus(1)
		bus.Attach(0x38, simulated.NewBlankAHT20(mild))
		time.Sleep(time.Second)
		if found := sensors.Scan(t.Context(), []*sensors.Bus{sensors.NewBus(1, bus)}); len(found) != 1 || found[0].Chip != "aht20" {
			t.Errorf("found %v", found)
		}
		sensor := openChip(t, "aht20", sensors.NewBus(1, bus), 0x38)
		for range 3 {
			values, err := read(t, sensor)
			if err != nil || values["temperature_celsius"] != 21.5 || values["humidity_percent"] != 45 {
				t.Errorf("%v, %v", values, err)
			}
			bus.Unplug(0x38)
			bus.Plug(0x38)
			time.Sleep(time.Second)
			if values, err := read(t, sensor); err == nil {
				t.Errorf("it forgot its calibration: %v", values)
			}
		}
	})
}
