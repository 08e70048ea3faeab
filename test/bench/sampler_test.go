package bench

import (
	"context"
	"fmt"
	"syscall"
	"testing"
	"time"

	"holdfast"
	"holdfast/internal/clock"
	"holdfast/internal/proof"
	"holdfast/sensors"
	"holdfast/sensors/simulated"
)

const (
	samplingPart  = "Sampling"
	samplingChips = 16
	samplingEvery = 100 * time.Millisecond
)

// TestSampling runs the sampler on a bus that takes no time, with models of thermometers on it, of two transactions a sample:
// how long the sampler takes to a sample that is asked for, one after the other; and on a schedule of 100 ms, with sixteen of
// them, how far from its place each sample is, and how much processor time it takes with the wake that it needs.
func TestSampling(t *testing.T) {
	benchmark(t)
	var asked, cost, middle, late []float64
	lasts := time.Duration(proof.Count(t, "HOLDFAST_SAMPLING", 20)) * time.Second
	for range proof.Count(t, "HOLDFAST_RUNS", 5) {
		asked = append(asked, float64(ask(t, 20_000).Nanoseconds())/1000)
		begin := processorTime(t)
		off := sample(t, lasts)
		cost = append(cost, float64((processorTime(t)-begin).Nanoseconds())/1000/float64(len(off)))
		middle, late = append(middle, percentile(off, 50)), append(late, percentile(off, 99))
	}
	note := fmt.Sprintf("%d chips every %v for %v", samplingChips, samplingEvery, lasts)
	atMost(t, 20, proof.Figure{Part: samplingPart, Name: "a sample that is asked for, on a bus that takes no time", Unit: "µs", Note: "mean of 20,000"}, asked...)
	measure(t, proof.Figure{Part: samplingPart, Name: "processor time of a sample on schedule, its wake included", Unit: "µs", Note: note}, cost...)
	measure(t, proof.Figure{Part: samplingPart, Name: "off a schedule of 100 ms, p50", Unit: "ms", Note: note}, middle...)
	atMost(t, 5, proof.Figure{Part: samplingPart, Name: "off a schedule of 100 ms, p99", Unit: "ms", Note: note}, late...)
}

func mild(time.Time) simulated.Air { return simulated.Air{Celsius: 21.5, Percent: 45, Pascals: 101325} }

// thermometers is a sampler of so many chips on a bus that takes no time, which runs until ctx ends.
func thermometers(ctx context.Context, n int, every time.Duration) (*sensors.Sampler, <-chan *holdfast.Reading, <-chan error) {
	bus := simulated.NewBus(1)
	var list []sensors.Configured
	for i := range n {
		addr := uint16(0x20 + i)
		bus.Attach(addr, simulated.NewThermometer(simulated.TMP102, mild))
		list = append(list, sensors.Configured{Name: fmt.Sprint("chip", i), Chip: "tmp102", Bus: 1, Address: addr})
	}
	s := sensors.New(sensors.Options{
		Buses: []*sensors.Bus{sensors.NewBus(1, bus)}, Sensors: list, NoSearch: true, Interval: every, Now: clock.New().Now,
		Changed: func(holdfast.SensorChange) {},
	})
	s.SetMeasuring(true)
	out, ended := make(chan *holdfast.Reading, n), make(chan error, 1)
	go func() { ended <- s.Run(ctx, out) }()
	return s, out, ended
}

// ask returns how long one of n samples took that were asked for, in the mean.
func ask(t *testing.T, n int) time.Duration {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	s, out, ended := thermometers(ctx, 1, time.Hour)
	go func() {
		for range out { // until the test ends
		}
	}()
	var begin time.Time
	for i := range n + 1 {
		if i == 1 {
			begin = time.Now() // the first one sets the chip up
		}
		if got, err := s.Sample(ctx, "chip0"); err != nil || got[0].Error != "" {
			t.Fatalf("%+v, %v", got, err)
		}
	}
	took := time.Since(begin)
	cancel()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	return took / time.Duration(n)
}

// sample returns how far each sample was from its place in its sensor's schedule, which its first sample gives.
func sample(t *testing.T, lasts time.Duration) (off []time.Duration) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), lasts+time.Second)
	defer cancel()
	_, out, ended := thermometers(ctx, samplingChips, samplingEvery)
	first := make(map[string]int64)
	for {
		select {
		case r := <-out:
			if _, known := first[r.Sensor]; !known {
				first[r.Sensor] = r.Mono
				continue
			}
			since := time.Duration(r.Mono-first[r.Sensor]) * time.Microsecond
			near := since.Round(samplingEvery)
			off = append(off, (since - near).Abs())
		case err := <-ended:
			if want := int(lasts/samplingEvery) * samplingChips; err != nil || len(off) < want*95/100 {
				t.Fatalf("%d samples, want %d; %v", len(off), want, err)
			}
			return off
		}
	}
}

// processorTime is what this process has taken of user and system time.
func processorTime(t *testing.T) time.Duration {
	t.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		t.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
