package main

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"holdfast"
	"holdfast/internal/proof"
	"holdfast/internal/testenv"
)

// A stopwatch notes when a line was switched.
type stopwatch struct {
	mu       sync.Mutex
	switched time.Time
}

// timed is a line that the stopwatch watches.
type timed struct {
	line
	watch *stopwatch
}

func (l timed) Set(on bool) error {
	err := l.line.Set(on)
	l.watch.mu.Lock()
	l.watch.switched = time.Now()
	l.watch.mu.Unlock()
	return err
}

// From a reading that is handed to the loop until its rule has switched the line, 99 of 100 take at most 5 ms, and until the
// setting and the event of that are durable 20 ms; and ten times that under the race detector. Of three rounds the middle one
// counts, and what the machine and its disk were late themselves is known.
func TestOutputLatency(t *testing.T) {
	if testing.Short() {
		t.Skip("takes five seconds, and the machine for itself")
	}
	a := newActing(t, "outputs: [{name: fan, pin: 22}]", "  - {name: one, threshold: {sensor: hand, quantity: x, above: 1}, actions: [{output: {name: fan, state: on}}]}\n")
	watch := new(stopwatch)
	a.watch = watch
	a.start()
	defer a.stop()
	machine := lagging(t.Context(), t.TempDir())
	var lines, durables []time.Duration
	for round := range 3 {
		line, durable := a.switches(t, watch)
		t.Logf("round %d: reading to line: median %v, p99 %v; to the durable event: median %v, p99 %v", round, line[50], line[98], durable[50], durable[98])
		lines, durables = append(lines, line[98]), append(durables, durable[98])
	}
	slices.Sort(lines)
	slices.Sort(durables)
	figure(t, "reading to output switched, p99", 5, lines)
	figure(t, "reading to output switched and the event of it durable, p99", 20, durables)
	lag := machine()
	t.Logf("the machine's own lag: %v of a timer, %v of a write and fsync", lag.timer, lag.disk)
	const wakes, syncs = 3, 2 // of the loop, the lines, the settings; of a commit that was under way, and this one
	most, mostDurable := 5*time.Millisecond, 20*time.Millisecond
	if dayLength != 24 { // the race detector is on
		most, mostDurable = 10*most, 10*mostDurable
	}
	if allowed := most + wakes*lag.timer; lines[1] > allowed {
		t.Errorf("reading to line: p99 %v in the middle one of three rounds, want %v at most, and what the machine was late: %v", lines[1], most, allowed)
	}
	if allowed := mostDurable + wakes*lag.timer + syncs*lag.disk; durables[1] > allowed {
		t.Errorf("reading to durable event: p99 %v in the middle one of three rounds, want %v at most, and what the machine was late: %v", durables[1], mostDurable, allowed)
	}
}

// figure notes the middle one of sorted rounds for docs/benchmarks.md.
func figure(t *testing.T, name string, goal float64, rounds []time.Duration) {
	ms := func(i int) float64 { return float64(rounds[i].Microseconds()) / 1000 }
	proof.Measure(t, proof.Figure{
		Part: "Latency on loopback", Name: name, Unit: "ms", Value: ms(1), Low: ms(0), High: ms(2), Runs: 3,
		Goal: fmt.Sprintf("≤ %v", goal), Missed: ms(1) > goal, Note: "100 switchings of a simulated line by a rule a run, within one process",
	})
}

// switches has a rule switch an output a hundred times, and returns how long each took, sorted.
func (a *acting) switches(t *testing.T, watch *stopwatch) (line, durable []time.Duration) {
	t.Helper()
	for i := range 100 {
		testenv.Pause(t.Context(), 5*time.Millisecond)
		begin := time.Now()
		a.feel(float64(2 * (1 - i%2)))
		want := fmt.Sprint(i%2 == 0)
		for limit := begin.Add(10 * time.Second); ; testenv.Pause(t.Context(), 100*time.Microsecond) {
			if s, _ := a.g.control.Get(holdfast.OutputKey("fan")); string(s.Value) == want { // it is durable before anybody sees it
				break
			}
			if time.Now().After(limit) {
				t.Fatalf("the setting is not %s", want)
			}
		}
		durable = append(durable, time.Since(begin))
		watch.mu.Lock()
		line = append(line, watch.switched.Sub(begin))
		watch.mu.Unlock()
	}
	if slices.Min(line) < 0 {
		t.Error("a setting followed before its line was switched")
	}
	slices.Sort(line)
	slices.Sort(durable)
	return line, durable
}
