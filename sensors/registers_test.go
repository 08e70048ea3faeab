package sensors_test

import (
	"errors"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"holdfast/sensors"
	"holdfast/sensors/simulated"
)

// A chip that is exchanged for another kind is not read as what it was, whether it is noticed that it was without power or
// not.
func TestRegisterChipsKnowAnother(t *testing.T) {
	t.Parallel()
	for _, s := range registerSpecimens {
		synctest.Test(t, func(t *testing.T) {
			sensor, bus, addr := s.put(t)
			for _, others := range [][]specimen{boschSpecimens, thermometerSpecimens, registerSpecimens} {
				for _, other := range others {
					if other.chip == s.chip {
						continue
					}
					bus.Attach(addr, s.model())
					time.Sleep(time.Second)
					if _, err := s.settle(t, sensor); err != nil {
						t.Fatalf("%s: %v", s.chip, err)
					}
					bus.Attach(addr, other.model())
					time.Sleep(time.Second)
					for range 2 {
						if values, err := read(t, sensor); err == nil {
							t.Errorf("%s is read as %s: %v", other.chip, s.chip, values)
						}
					}
				}
			}
		})
	}
}

// forgetful is a chip that is without power for a moment, some time before one of its transactions.
type forgetful struct {
	simulated.Chip
	left int // transactions until then
	ago  time.Duration
}

func (f *forgetful) Tx(at time.Time, w, r []byte) error {
	if f.left--; f.left == 0 {
		f.PowerUp(at.Add(-f.ago))
	}
	return f.Chip.Tx(at, w, r)
}

// Before whichever transaction of a read the power goes away for a moment: there is an error or the right values.
func TestRegisterChipsForget(t *testing.T) {
	t.Parallel()
	for _, s := range registerSpecimens {
		synctest.Test(t, func(t *testing.T) {
			for i := range 32 {
				step := i/2 + 1
				chip := &forgetful{Chip: s.model(), ago: time.Duration(i%2) * 50 * time.Millisecond} // it starts, or has started
				sensor, _ := chipOn(t, s.chip, chip)
				time.Sleep(time.Second)
				if _, err := s.settle(t, sensor); err != nil {
					t.Fatalf("%s: %v", s.chip, err)
				}
				time.Sleep(time.Second)
				chip.left = step
				for range 2 {
					if values, err := read(t, sensor); err == nil && s.wrong(values) != "" {
						t.Errorf("%s, power lost before transaction %d: %s", s.chip, step, s.wrong(values))
					}
				}
				chip.left = 0
				time.Sleep(time.Second)
				if values, err := s.settle(t, sensor); err != nil || s.wrong(values) != "" {
					t.Errorf("%s, after transaction %d: %v, %v", s.chip, step, values, err)
				}
			}
		})
	}
}

// disguised is a chip that answers something else in one register.
type disguised struct {
	simulated.Chip
	register byte
	written  [][]byte
}

func (d *disguised) Tx(at time.Time, w, r []byte) error {
	if len(w) > 1 {
		d.written = append(d.written, slices.Clone(w))
	}
	err := d.Chip.Tx(at, w, r)
	if len(w) == 1 && w[0] == d.register && len(r) > 0 {
		r[0] ^= 0x2c
	}
	return err
}

// A chip that is all a chip has to be, but for its identity, is not found, not written to, and not read.
func TestRegisterChipsNeedTheirIdentity(t *testing.T) {
	t.Parallel()
	identity := map[string][]byte{
		"bmp180": {0xd0}, "bme680": {0xd0, 0xf0}, "dps310": {0x0d}, "mcp9808": {6, 7}, "emc1413": {0xfd, 0xfe},
		"emc1414": {0xfd, 0xfe}, "ccs811": {0x20, 0x21}, "lsm303dlhc": {0x0a}, "mpu6050": {0x75},
	}
	for _, s := range registerSpecimens {
		if len(identity[s.chip]) == 0 {
			t.Errorf("%s: which registers say what it is?", s.chip)
		}
		for _, register := range identity[s.chip] {
			synctest.Test(t, func(t *testing.T) {
				chip := &disguised{Chip: s.model(), register: register}
				sim, addr := simulated.NewBus(1), s.driver(t).Addresses[0]
				sim.Attach(addr, chip)
				bus := sensors.NewBus(1, sim)
				time.Sleep(time.Second)
				if found := sensors.Scan(t.Context(), []*sensors.Bus{bus}); len(found) != 1 || found[0].Chip != "" {
					t.Errorf("%s, register 0x%02x: found %v", s.chip, register, found)
				}
				values, err := read(t, openChip(t, s.chip, bus, addr))
				if err == nil || !strings.Contains(err.Error(), "another chip answers, or the connection is bad") {
					t.Errorf("%s, register 0x%02x: %v, %v, want an error", s.chip, register, values, err)
				}
				if len(chip.written) > 0 {
					t.Errorf("%s, register 0x%02x: %x was written", s.chip, register, chip.written)
				}
			})
		}
	}
}

// A chip that was without power may be another one: its calibration is read again.
func TestCalibrationIsReadAgain(t *testing.T) {
	t.Parallel()
	for _, s := range registerSpecimens {
		register, ok := map[string]byte{"bmp180": 0xaa, "bme680": 0x89, "dps310": 0x10}[s.chip]
		if !ok {
			continue
		}
		synctest.Test(t, func(t *testing.T) {
			sensor, bus, addr := s.put(t)
			bus.Record()
			for _, want := range []bool{true, false, true} {
				time.Sleep(time.Second)
				if _, err := read(t, sensor); err != nil {
					t.Fatal(err)
				}
				asked := func(w []byte) bool { return len(w) == 1 && w[0] == register }
				if got := slices.ContainsFunc(bus.Written(addr), asked); got != want {
					t.Errorf("%s: calibration read: %v, want %v", s.chip, got, want)
				}
				if !want {
					bus.Unplug(addr)
					bus.Plug(addr)
				}
			}
		})
	}
}

// A clock's memory can hold any byte at any place.
func TestMPU6050IsNoMemory(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sim := simulated.NewBus(1)
		sim.Attach(0x68, &memory{bits: 0x3f, fill: 0x68})
		for _, f := range sensors.Scan(t.Context(), []*sensors.Bus{sensors.NewBus(1, sim)}) {
			if f.Chip == "mpu6050" {
				t.Errorf("found %v", f)
			}
		}
	})
}

// memory answers with the same byte everywhere.
type memory struct{ bits, fill byte }

func (m *memory) PowerUp(time.Time) {}

func (m *memory) Tx(_ time.Time, _, r []byte) error {
	for i := range r {
		r[i] = m.fill
	}
	return nil
}

func TestRegisterChipsFollow(t *testing.T) {
	t.Parallel()
	for _, chip := range []string{"bmp180", "bme680", "dps310", "mcp9808"} {
		for _, want := range []simulated.Air{
			{Celsius: -39.5, Percent: 10, Pascals: 30500},
			{Celsius: -0.0625, Percent: 60, Pascals: 98000},
			{Celsius: 0, Percent: 99, Pascals: 101325},
			{Celsius: 84.5, Percent: 3, Pascals: 109500},
		} {
			synctest.Test(t, func(t *testing.T) {
				models := map[string]simulated.Chip{
					"bmp180": simulated.NewBMP180(air(want)), "bme680": simulated.NewBME680(air(want), always(52000.0)),
					"dps310": simulated.NewDPS310(air(want)), "mcp9808": simulated.NewMCP9808(air(want)),
				}
				within := map[string]float64{"bmp180": 0.101, "bme680": 0.02, "dps310": 0.01, "mcp9808": 0}[chip]
				sensor, _ := chipOn(t, chip, models[chip])
				time.Sleep(time.Second)
				got, err := read(t, sensor)
				if err != nil {
					t.Fatalf("%s, %+v: %v", chip, want, err)
				}
				if math.Abs(got["temperature_celsius"]-want.Celsius) > within {
					t.Errorf("%s: %v, want %+v", chip, got, want)
				}
				if p, ok := got["pressure_pascals"]; ok && math.Abs(p-want.Pascals) > 12 {
					t.Errorf("%s: %v, want %+v", chip, got, want)
				}
				if h, ok := got["humidity_percent"]; ok && math.Abs(h-want.Percent) > 0.1 {
					t.Errorf("%s: %v, want %+v", chip, got, want)
				}
			})
		}
	}
}

// The gas's resistance spans all ranges of the converter.
func TestBME680FollowsTheGas(t *testing.T) {
	t.Parallel()
	for _, ohms := range []float64{300, 1000, 12000, 50000, 300000, 2e6, 9e6} {
		synctest.Test(t, func(t *testing.T) {
			sensor, _ := chipOn(t, "bme680", simulated.NewBME680(mild, always(ohms)))
			time.Sleep(time.Second)
			for range 2 {
				if got, err := read(t, sensor); err != nil || math.Abs(got["gas_resistance_ohms"]-ohms) > ohms/500 {
					t.Errorf("%v, %v, want %v Ω", got, err, ohms)
				}
			}
		})
	}
}

// No value of a CCS811 gets out before its 20 minutes; they begin anew when its power was away, and only then.
func TestCCS811WarmsUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		model := simulated.NewCCS811(func(time.Time) simulated.Gas { return simulated.Gas{CO2: 950, TVOC: 83} })
		sensor, bus := chipOn(t, "ccs811", model)
		time.Sleep(time.Second)
		warm := func() time.Duration {
			t.Helper()
			for begin := time.Now(); ; time.Sleep(10 * time.Second) {
				values, err := read(t, sensor)
				if err == nil && values["co2_equivalent_ppm"] != 950 {
					t.Fatalf("%v, want 950 ppm", values)
				}
				if err == nil || time.Since(begin) > time.Hour {
					return time.Since(begin).Truncate(time.Minute)
				}
				if !errors.Is(err, sensors.ErrNotReady) {
					t.Fatal(err)
				}
			}
		}
		if got := warm(); got != 20*time.Minute {
			t.Errorf("the first value came after %v", got)
		}
		bus.NACK(0x76, 1)
		if _, err := read(t, sensor); err == nil {
			t.Error("a refused transaction is no error")
		}
		if got := warm(); got != 0 {
			t.Errorf("after a refused transaction the next value came after %v", got)
		}
		bus.Unplug(0x76)
		bus.Plug(0x76)
		time.Sleep(time.Second)
		if _, err := read(t, sensor); err == nil {
			t.Error("a chip that was without power has values")
		}
		if got := warm(); got < 19*time.Minute {
			t.Errorf("after a loss of power the next value came after %v", got)
		}
	})
}

// What an EMC1413 has no diode for, it has no value for.
func TestEMC1413WithoutDiode(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sensor, _ := chipOn(t, "emc1413", simulated.NewEMC1413(always(-5.0), nil, always(40.0)))
		time.Sleep(time.Second)
		got, err := read(t, sensor)
		if err != nil || !slices.Equal(slices.Sorted(maps.Keys(got)), []string{"temperature_celsius", "temperature_diode2_celsius"}) {
			t.Errorf("%v, %v", got, err)
		}
	})
}

// A chip whose limits somebody locked cannot be set up before it was without power, and says so.
func TestMCP9808Locked(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sensor, bus := chipOn(t, "mcp9808", simulated.NewMCP9808(mild))
		if err := bus.Tx(0x76, []byte{1, 0, 0x40}, nil); err != nil {
			t.Fatal(err)
		}
		if values, err := read(t, sensor); err == nil || !strings.Contains(err.Error(), "locked") {
			t.Errorf("%v, %v", values, err)
		}
		bus.Unplug(0x76)
		bus.Plug(0x76)
		if values, err := read(t, sensor); err != nil || values["temperature_celsius"] != 21.5 {
			t.Errorf("%v, %v", values, err)
		}
	})
}
