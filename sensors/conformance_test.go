package sensors_test

import (
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"holdfast/sensors"
	"holdfast/sensors/simulated"
)

// A specimen is a chip of the driver table as a model, in surroundings that do not change, and what is to be read there.
type specimen struct {
	chip   string
	model  func() simulated.Chip
	want   map[string]float64
	within map[string]float64 // how far a value may be off: the resolution of the chip

	warmUp time.Duration // for which reads may fail after power-up
	period time.Duration // between two measurements of a chip that measures by itself, more slowly than once a second
}

// specimens has one of each chip at least, by families.
func specimens() []specimen {
	return slices.Concat(boschSpecimens, thermometerSpecimens, muxSpecimens, registerSpecimens, commandSpecimens, electricalSpecimens)
}

func always[T any](v T) func(time.Time) T { return func(time.Time) T { return v } }

var mild = air(simulated.Air{Celsius: 21.5, Percent: 45, Pascals: 101325})

var boschSpecimens = []specimen{
	{chip: "bme280", model: func() simulated.Chip { return simulated.NewBME280(mild) },
		want:   map[string]float64{"temperature_celsius": 21.5, "humidity_percent": 45, "pressure_pascals": 101325},
		within: map[string]float64{"temperature_celsius": 0.02, "humidity_percent": 0.1, "pressure_pascals": 2}},
	{chip: "bmp280", model: func() simulated.Chip { return simulated.NewBMP280(mild) },
		want:   map[string]float64{"temperature_celsius": 21.5, "pressure_pascals": 101325},
		within: map[string]float64{"temperature_celsius": 0.02, "pressure_pascals": 2}},
}

var muxSpecimens = []specimen{{chip: "tca9548a", model: func() simulated.Chip { return simulated.NewMux() }}}

var thermometerSpecimens = []specimen{
	{chip: "tmp102", model: func() simulated.Chip { return simulated.NewThermometer(simulated.TMP102, mild) },
		want: map[string]float64{"temperature_celsius": 21.5}},
	{chip: "tmp105", model: func() simulated.Chip { return simulated.NewThermometer(simulated.TMP105, mild) },
		want: map[string]float64{"temperature_celsius": 21.5}},
	{chip: "lm75", model: func() simulated.Chip { return simulated.NewThermometer(simulated.LM75, mild) },
		want: map[string]float64{"temperature_celsius": 21.5}},
}

// driver returns the line of the table.
func (s specimen) driver(t testing.TB) sensors.Driver {
	t.Helper()
	all := sensors.Drivers()
	i := slices.IndexFunc(all, func(d sensors.Driver) bool { return d.Chip == s.chip })
	if i < 0 {
		t.Fatalf("no driver for %s", s.chip)
	}
	return all[i]
}

// wrong says in what the values are not those that are to be read; empty where they are.
func (s specimen) wrong(values map[string]float64) string {
	if !slices.Equal(slices.Sorted(maps.Keys(values)), slices.Sorted(maps.Keys(s.want))) {
		return fmt.Sprintf("%v, want %v", values, s.want)
	}
	for name, want := range s.want {
		if got := values[name]; math.Abs(got-want) > s.within[name]+1e-9 {
			return fmt.Sprintf("%s is %v, want %v ± %v", name, got, want, s.within[name])
		}
	}
	return ""
}

// put puts a new model on a bus of its own and opens it.
func (s specimen) put(t testing.TB) (sensors.Sensor, *simulated.Bus, uint16) {
	t.Helper()
	bus, addr := simulated.NewBus(1), s.driver(t).Addresses[0]
	bus.Attach(addr, s.model())
	return s.driver(t).Open(sensors.Device{Bus: sensors.NewBus(1, bus), Addr: addr}), bus, addr
}

// settle reads until the chip is warm, and returns what the first read after that gave.
func (s specimen) settle(t *testing.T, sensor sensors.Sensor) (map[string]float64, error) {
	t.Helper()
	warm := time.Now().Add(s.warmUp)
	for {
		values, err := read(t, sensor)
		if err == nil || time.Now().After(warm) {
			return values, err
		}
		time.Sleep(max(time.Second, s.warmUp/60))
	}
}

// every runs the test in a bubble for each specimen that measures.
func every(t *testing.T, test func(t *testing.T, s specimen)) {
	for _, s := range specimens() {
		if len(s.want) == 0 {
			continue
		}
		t.Run(s.chip, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { test(t, s) })
		})
	}
}

func TestEveryDriverHasASpecimen(t *testing.T) {
	t.Parallel()
	all := specimens()
	for _, d := range sensors.Drivers() {
		i := slices.IndexFunc(all, func(s specimen) bool { return s.chip == d.Chip })
		if i < 0 {
			t.Errorf("%s has no model", d.Chip)
			continue
		}
		for _, q := range d.Quantities {
			if _, ok := all[i].want[q.Name]; !ok {
				t.Errorf("%s: nothing checks %s", d.Chip, q.Name)
			}
		}
	}
}

func TestEveryDriverReadsItsModel(t *testing.T) {
	t.Parallel()
	every(t, func(t *testing.T, s specimen) {
		sensor, _, _ := s.put(t)
		values, err := s.settle(t, sensor)
		for range 5 {
			if err != nil {
				t.Fatal(err)
			}
			if wrong := s.wrong(values); wrong != "" {
				t.Error(wrong)
			}
			time.Sleep(max(s.period, time.Second))
			values, err = read(t, sensor)
		}
	})
}

// Whichever transaction of a read is refused: there is an error or the right values, and the next reads are right again.
func TestEveryDriverSurvivesRefusals(t *testing.T) {
	t.Parallel()
	every(t, func(t *testing.T, s specimen) {
		for skip := range 40 {
			sensor, bus, addr := s.put(t)
			if skip%2 == 1 { // every other time in the middle of its life
				if _, err := s.settle(t, sensor); err != nil {
					t.Fatal(err)
				}
			}
			bus.Refuse(addr, skip/2)
			refused, err := read(t, sensor)
			if wrong := s.wrong(refused); err == nil && wrong != "" {
				t.Errorf("transaction %d refused: %s", skip/2+1, wrong)
			}
			if err != nil && refused != nil {
				t.Errorf("transaction %d refused: %v beside %v", skip/2+1, refused, err)
			}
			bus.Refuse(addr, -1)
			time.Sleep(time.Second)
			if values, err := s.settle(t, sensor); err != nil || s.wrong(values) != "" {
				t.Errorf("after transaction %d was refused: %v, %s", skip/2+1, err, s.wrong(values))
			}
		}
	})
}

// A line that nobody pulls down reads ones. No chip measures ones.
func TestEveryDriverKnowsOnes(t *testing.T) {
	t.Parallel()
	every(t, func(t *testing.T, s specimen) {
		for _, before := range []bool{false, true} {
			sensor, bus, addr := s.put(t)
			if before {
				if _, err := s.settle(t, sensor); err != nil {
					t.Fatal(err)
				}
			}
			bus.Garbage(addr, true)
			if values, err := read(t, sensor); err == nil {
				t.Errorf("ones are read as %v", values)
			}
			bus.Garbage(addr, false)
			if values, err := s.settle(t, sensor); err != nil || s.wrong(values) != "" {
				t.Errorf("afterwards: %v, %s", err, s.wrong(values))
			}
		}
	})
}

// A supply that breaks down between two reads, or within one, takes the chip's settings: no value is wrong for that, and the
// chip is set up again.
func TestEveryDriverSurvivesBrownOuts(t *testing.T) {
	t.Parallel()
	every(t, func(t *testing.T, s specimen) {
		sensor, bus, addr := s.put(t)
		if _, err := s.settle(t, sensor); err != nil {
			t.Fatal(err)
		}
		random := rand.New(rand.NewPCG(1, 2))
		for range 200 {
			after := time.Duration(random.Int64N(int64(40 * time.Millisecond)))
			cut := time.AfterFunc(after, func() { bus.Unplug(addr); bus.Plug(addr) })
			values, err := read(t, sensor)
			cut.Stop()
			if wrong := s.wrong(values); err == nil && wrong != "" {
				t.Errorf("power lost after %v: %s", after, wrong)
			}
			if random.IntN(2) == 0 {
				time.Sleep(time.Second)
			}
		}
		time.Sleep(time.Second)
		if values, err := s.settle(t, sensor); err != nil || s.wrong(values) != "" {
			t.Errorf("afterwards: %v, %s", err, s.wrong(values))
		}
	})
}

// Any mix of chips on free addresses is found for what it is, and before that nothing was written to any of them but numbers
// of registers and the commands of drivers that can be at the address.
func TestAnyMixIsFound(t *testing.T) {
	t.Parallel()
	all := specimens()
	rapid.Check(t, func(rt *rapid.T) {
		mix := map[uint16]specimen{}
		for range rapid.IntRange(1, 10).Draw(rt, "chips") {
			s := rapid.SampledFrom(all).Draw(rt, "chip")
			addr := rapid.SampledFrom(s.driver(t).Addresses).Draw(rt, "address")
			if mix[addr].model == nil {
				mix[addr] = s
			}
		}
		behind := rapid.Bool().Draw(rt, "behind a multiplexer")
		if behind { // whose own address, and those of others, are not to be had there
			maps.DeleteFunc(mix, func(addr uint16, s specimen) bool { return addr == 0x70 || s.chip == "tca9548a" })
		}
		synctest.Test(t, func(t *testing.T) { isFound(t, rt, mix, behind) })
	})
}

func isFound(t *testing.T, rt *rapid.T, mix map[uint16]specimen, behind bool) {
	bus, got, channel := simulated.NewBus(1), map[uint16]string{}, ""
	root := bus
	if behind {
		mux := simulated.NewMux()
		root.AttachMux(0x70, mux)
		bus, channel = mux.Channel(5), "mux70.5"
	}
	bus.Record()
	for addr, s := range mix {
		bus.Attach(addr, s.model())
	}
	time.Sleep(time.Second) // some chips take a while to wake up
	for _, f := range sensors.Scan(t.Context(), []*sensors.Bus{sensors.NewBus(1, root)}) {
		if f.Channel == channel {
			got[f.Address] = f.Chip
		}
	}
	if len(got) != len(mix) {
		rt.Errorf("found %v, want as many as there are: %d", got, len(mix))
	}
	for addr, s := range mix {
		if got[addr] != s.chip {
			rt.Errorf("0x%02x: found %q, want %q", addr, got[addr], s.chip)
		}
		for _, w := range bus.Written(addr) {
			if len(w) > 1 && !commanded(addr, w) {
				rt.Errorf("0x%02x: %x was written to a chip that nobody knew yet", addr, w)
			}
		}
	}
}

// commanded reports whether w is a command by which a driver asks what stands at addr.
func commanded(addr uint16, w []byte) bool {
	return slices.ContainsFunc(sensors.Drivers(), func(d sensors.Driver) bool {
		return slices.Contains(d.Addresses, addr) && slices.ContainsFunc(d.Commands, func(c []byte) bool { return slices.Equal(c, w) })
	})
}
