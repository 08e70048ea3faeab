package sensors_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"holdfast"
	"holdfast/sensors"
	"holdfast/sensors/simulated"
)

// bench is a sampler in a bubble, with what came out of it.
type bench struct {
	*sensors.Sampler
	t     *testing.T
	start time.Time
	stop  func()

	mu       sync.Mutex
	readings []*holdfast.Reading
	changes  []string
}

// run starts a sampler on the buses, whose readings are taken at once.
func run(t *testing.T, o sensors.Options, buses ...*simulated.Bus) *bench {
	return runInto(t, o, make(chan *holdfast.Reading), true, buses...)
}

func runInto(t *testing.T, o sensors.Options, out chan *holdfast.Reading, take bool, buses ...*simulated.Bus) *bench {
	b := &bench{t: t, start: time.Now()}
	for i, bus := range buses {
		o.Buses = append(o.Buses, sensors.NewBus(i+1, bus))
	}
	o.Now = b.now
	o.Changed = func(c holdfast.SensorChange) {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.changes = append(b.changes, fmt.Sprintf("%v %s %s", time.Since(b.start), c.Sensor, c.State))
	}
	b.Sampler = sensors.New(o)
	ctx, cancel := context.WithCancel(t.Context())
	var work sync.WaitGroup
	work.Go(func() {
		if err := b.Run(ctx, out); err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	if take {
		work.Go(func() {
			for {
				select {
				case r := <-out:
					b.mu.Lock()
					b.readings = append(b.readings, r)
					b.mu.Unlock()
				case <-ctx.Done():
					return
				}
			}
		})
	}
	b.stop = func() { cancel(); work.Wait() }
	return b
}

func (b *bench) now() holdfast.Instant {
	return holdfast.Instant{Time: time.Now().UTC(), Boot: "boot", Mono: time.Since(b.start).Microseconds(), Synchronized: true}
}

// until lets time pass up to d after the start, and whatever is due at that moment happen.
func (b *bench) until(d time.Duration) {
	time.Sleep(time.Until(b.start.Add(d)))
	synctest.Wait()
}

// times returns when the sensor's readings were taken.
func (b *bench) times(sensor string) (times []time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, r := range b.readings {
		if r.Sensor == sensor {
			times = append(times, r.Time.Sub(b.start))
		}
	}
	return times
}

func (b *bench) state(sensor string) sensors.State {
	for _, s := range b.Sensors() {
		if s.Name == sensor {
			return s
		}
	}
	b.t.Fatalf("no sensor %s", sensor)
	return sensors.State{}
}

func (b *bench) changed() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.changes)
}

func seconds(from, to, step float64) (times []time.Duration) {
	for s := from; s <= to; s += step {
		times = append(times, time.Duration(s*float64(time.Second)))
	}
	return times
}

func expect[T any](t *testing.T, what string, got, want []T) {
	t.Helper()
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

// thermometerBus has a TMP102 at 0x48. Reading it takes no time at all, once it has waited 0.3 s for the first conversion.
func thermometerBus() *simulated.Bus {
	bus := simulated.NewBus(1)
	bus.Attach(0x48, simulated.NewThermometer(simulated.TMP102, air(simulated.Air{Celsius: 4})))
	return bus
}

const thermometer = "tmp102-1-48"

// openChip returns the chip at addr of bus, read by the driver of that name.
func openChip(t *testing.T, chip string, bus *sensors.Bus, addr uint16) sensors.Sensor {
	t.Helper()
	for _, d := range sensors.Drivers() {
		if d.Chip == chip {
			return d.Open(sensors.Device{Bus: bus, Addr: addr})
		}
	}
	t.Fatalf("no driver for %s", chip)
	return nil
}

// chipOn puts a model on a bus of its own and opens it.
func chipOn(t *testing.T, chip string, model simulated.Chip) (sensors.Sensor, *simulated.Bus) {
	t.Helper()
	bus := simulated.NewBus(1)
	bus.Attach(0x76, model)
	return openChip(t, chip, sensors.NewBus(1, bus), 0x76), bus
}

func read(t *testing.T, s sensors.Sensor) (map[string]float64, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	return s.Read(ctx)
}

func air(a simulated.Air) func(time.Time) simulated.Air {
	return func(time.Time) simulated.Air { return a }
}
