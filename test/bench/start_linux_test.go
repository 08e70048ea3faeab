package bench

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"holdfast/internal/proof"
	"holdfast/internal/testenv"
)

// TestStart: from the start of the process until the first reading is taken, and until a record is durable under its number,
// with no broker there and 300,000 records pending in a buffer that was closed well; and in one that a power cut closed,
// which a child process examines first.
func TestStart(t *testing.T) {
	benchmark(t)
	file := fill(t, 300_000)
	for _, c := range []struct {
		name  string
		goal  float64
		clean bool // the buffer was closed as the daemon closes it
	}{{"after a clean stop", 100, true}, {"after a power cut", 100, false}} {
		var sampled, held []float64
		for range processRuns + 2 {
			p := newPair(t, "--replay", writeReplay(t, 1000, 100*time.Millisecond))
			truth := filepath.Join(p.dir, "truth")
			p.gateway.Args = append(p.gateway.Args, "--replay-log", truth)
			p.place(t, file)
			if c.clean {
				open(t, p.buffer(), nil, nil).stop()
			}
			began := time.Now()
			start(t, p.gateway)
			sampled = append(sampled, milliseconds(t, began, func() bool { return size(truth) > 0 }))
			held = append(held, milliseconds(t, began, func() bool { return p.waiting(t.Context()) > 300_000 }))
			p.gateway.Stop(t)
		}
		note := "No broker, 300,000 records pending."
		atMost(t, c.goal, proof.Figure{Part: gatewayPart, Name: "start to first sample, " + c.name, Unit: "ms", Note: note}, sampled...)
		measure(t, proof.Figure{Part: gatewayPart, Name: "start to first durable record, " + c.name, Unit: "ms", Note: note}, held...)
	}
}

func milliseconds(t *testing.T, began time.Time, done func() bool) float64 {
	t.Helper()
	for !done() {
		if time.Since(began) > 30*time.Second {
			t.Fatal("it does not start")
		}
		testenv.Pause(t.Context(), time.Millisecond)
	}
	return float64(time.Since(began).Microseconds()) / 1000
}

func size(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return info.Size()
}
