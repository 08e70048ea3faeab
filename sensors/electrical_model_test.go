package sensors_test

import (
	"bytes"
	"testing"
	"testing/synctest"
	"time"

	"holdfast/sensors"
	"holdfast/sensors/simulated"
)

// Light goes from night to noon and back: gain follows within the read.
func TestVEML7700FollowsTheLight(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		light := 0.0
		sensor, _ := chipOn(t, "veml7700", simulated.NewVEML7700(func(time.Time) float64 { return light }))
		for _, light = range []float64{0, 0.5, 999, 1200, 120000, 30000, 1100, 800, 0, 90000, 3} {
			got, err := read(t, sensor)
			if lux := got["illuminance_lux"]; err != nil || lux < light*0.999-0.04 || lux > light*1.001+0.04 {
				t.Errorf("at %v lx: %v, %v", light, got, err)
			}
		}
	})
}

// A setting that was changed behind our back does not change a value, and nothing is written that is no opcode.
func TestBH1750KeepsItsTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		chip := simulated.NewBH1750(always(600.0))
		sensor, bus := chipOn(t, "bh1750", chip)
		for _, opcode := range []byte{0x47, 0x7e, 0x10} {
			if err := bus.Tx(0x76, []byte{opcode}, nil); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := read(t, sensor); err != nil || got["illuminance_lux"] != 600 {
			t.Errorf("%v, %v, want 600 lx", got, err)
		}
		if left := make([]byte, 2); bus.Tx(0x76, nil, left) != nil || !bytes.Equal(left, []byte{0, 0}) {
			t.Errorf("it was left with % x, by which it would not be known", left)
		}
		if len(chip.Strange()) > 0 {
			t.Errorf("% x was written", chip.Strange())
		}
	})
}

// A chip is known for what it is also after it was read, whatever light or voltage it was left with.
func TestElectricalChipsAreKnownAgain(t *testing.T) {
	t.Parallel()
	for _, s := range electricalSpecimens {
		synctest.Test(t, func(t *testing.T) {
			sensor, bus, addr := s.put(t)
			for range 3 {
				read(t, sensor)
				found := sensors.Scan(t.Context(), []*sensors.Bus{sensors.NewBus(1, bus)})
				if len(found) != 1 || found[0].Chip != s.chip || found[0].Address != addr {
					t.Errorf("%s: found %v", s.chip, found)
				}
				time.Sleep(100 * time.Millisecond)
			}
		})
	}
}

// The pins of a port expander are what is written to it. None of it is when it shows by its pins that it is one.
func TestNothingIsWrittenToAPortExpander(t *testing.T) {
	t.Parallel()
	bus := simulated.NewBus(1)
	bus.Attach(0x23, pins(0xf0))
	bus.Record()
	found := sensors.Scan(t.Context(), []*sensors.Bus{sensors.NewBus(1, bus)})
	if len(found) != 1 || found[0].Chip != "" || len(bus.Written(0x23)) > 0 {
		t.Errorf("found %v, and wrote to it", found)
	}
}

// pins is a PCF8574, which sends its pins again and again.
type pins byte

func (pins) PowerUp(time.Time) {}

func (p pins) Tx(_ time.Time, _, r []byte) error {
	for i := range r {
		r[i] = byte(p)
	}
	return nil
}

// A clock that measures nothing is found, said to measure nothing, and never sampled.
func TestAClockIsLeftAlone(t *testing.T) {
	t.Parallel()
	bus := simulated.NewBus(1)
	bus.Attach(0x68, simulated.NewClock(simulated.DS1338, mild))
	found := sensors.Scan(t.Context(), []*sensors.Bus{sensors.NewBus(1, bus)})
	if len(found) != 1 || found[0].String() != "i2c-1 0x68: ds1338 (likely), which measures nothing; left alone" {
		t.Errorf("found %v", found)
	}
}

// cutOff is a chip that is without power for an instant before one of its transactions.
type cutOff struct {
	simulated.Chip
	before int // transactions until then
}

func (c *cutOff) Tx(at time.Time, w, r []byte) error {
	if c.before == 0 {
		c.PowerUp(at)
	}
	c.before--
	return c.Chip.Tx(at, w, r)
}

// Between any two transactions of a read the power may be gone for an instant: there is an error or the right values.
func TestElectricalChipsLosePowerBetweenTransactions(t *testing.T) {
	t.Parallel()
	for _, s := range electricalSpecimens {
		if len(s.want) == 0 {
			continue
		}
		synctest.Test(t, func(t *testing.T) {
			for before := range 25 {
				chip := &cutOff{s.model(), before}
				bus := simulated.NewBus(1)
				bus.Attach(0x10, chip)
				time.Sleep(time.Second)
				values, err := read(t, s.driver(t).Open(sensors.Device{Bus: sensors.NewBus(1, bus), Addr: 0x10}))
				if wrong := s.wrong(values); err == nil && wrong != "" {
					t.Errorf("%s, power lost before transaction %d: %s", s.chip, before+1, wrong)
				}
			}
		})
	}
}

// Where another chip answers meanwhile it is an error, and nothing but numbers of registers is written to it. A BH1750 has
// nothing else.
func TestElectricalDriversWriteToNoOther(t *testing.T) {
	t.Parallel()
	for _, s := range electricalSpecimens {
		if len(s.want) == 0 || s.chip == "bh1750" {
			continue
		}
		for _, other := range []simulated.Chip{pins(0), pins(0x55), simulated.NewThermometer(simulated.LM75, mild)} {
			synctest.Test(t, func(t *testing.T) {
				sensor, bus := chipOn(t, s.chip, other)
				bus.Record()
				if values, err := read(t, sensor); err == nil {
					t.Errorf("%s reads %v of another chip", s.chip, values)
				}
				for _, w := range bus.Written(0x76) {
					if len(w) > 1 {
						t.Errorf("%s wrote % x to another chip", s.chip, w)
					}
				}
			})
		}
	}
}
