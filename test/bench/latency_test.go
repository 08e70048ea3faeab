package bench

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"holdfast/internal/proof"
	"holdfast/internal/testenv"
)

const (
	latencyPart = "Latency on loopback"

	// spacing is the time between two readings: no divisor of the window, so that they meet it at every phase.
	spacing = 37 * time.Millisecond

	// warm is how long the programs run before the first reading, so that everybody is connected.
	warm = 2 * time.Second

	alternation = 10 // readings between two alerts
)

// TestReadingLatency times readings from the measurement until another process finds them in the database: gateway, receiver
// and the broker inside it on one machine, with the default window of 1 s.
func TestReadingLatency(t *testing.T) {
	benchmark(t)
	n := proof.Count(t, "HOLDFAST_LATENCY", 540) // 20 s
	p50, p99 := latencies(t, layout{replay: replayOf(n)}, n,
		"SELECT time_us FROM sample WHERE series = (SELECT id FROM series WHERE quantity = 'humidity_percent') ORDER BY time_us LIMIT -1 OFFSET ?")
	note := fmt.Sprintf("%d readings a run, from the measurement to the row", n)
	measure(t, proof.Figure{Part: latencyPart, Name: "reading to database at a window of 1 s, p50", Unit: "ms", Note: note}, p50...)
	measure(t, proof.Figure{Part: latencyPart, Name: "reading to database at a window of 1 s, p99", Unit: "ms", Note: note}, p99...)
}

// TestAlertLatency is the same for alerts, which do not wait for the window.
func TestAlertLatency(t *testing.T) {
	benchmark(t)
	rules := filepath.Join(t.TempDir(), "rules.yaml")
	text := "version: 1\nrules:\n  - name: warm\n    threshold: {quantity: temperature_celsius, above: 26, clear: 25}\n"
	if err := os.WriteFile(rules, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	n := proof.Count(t, "HOLDFAST_LATENCY", 540) / 5
	p50, p99 := latencies(t, layout{replay: replayOf((n + 1) * alternation), rules: rules}, n,
		"SELECT time_us FROM record WHERE lane = 'alert' ORDER BY seq LIMIT -1 OFFSET ?")
	note := fmt.Sprintf("%d alerts a run, from the reading that is beyond the limit to the row", n)
	measure(t, proof.Figure{Part: latencyPart, Name: "alert to database, p50", Unit: "ms", Note: note}, p50...)
	atMost(t, 100, proof.Figure{Part: latencyPart, Name: "alert to database, p99", Unit: "ms", Note: note}, p99...)
}

// replayOf is n readings whose temperature passes the limit of the alert up or down again and again.
func replayOf(n int) string {
	var rows strings.Builder
	rows.WriteString("time,sensor,temperature_celsius,humidity_percent,pressure_pascal\n")
	for i := range n {
		fmt.Fprintf(&rows, "%.3f,bme280-1-76,%d,45.2,101325.4\n", (warm + time.Duration(i)*spacing).Seconds(), 20+i/alternation%2*10)
	}
	return rows.String()
}

// latencies returns median and 99th percentile of each run in ms. The query skips as many rows as it is told, and returns of
// the others when each was measured.
func latencies(t *testing.T, l layout, n int, query string) (p50, p99 []float64) {
	t.Helper()
	bin := testenv.Programs(t)
	for range proof.Count(t, "HOLDFAST_RUNS", 5) {
		t.Run("", func(t *testing.T) {
			p := newPlant(t, bin, l)
			launch(t, p.receiver)
			p.watch(t)
			launch(t, p.gateway)
			var all []time.Duration
			until(t, time.Millisecond, "the last row", func() bool {
				all = p.arrived(t, all, query)
				return len(all) >= n
			})
			p.gateway.Stop(t)
			p.receiver.Stop(t)
			p50, p99 = append(p50, percentile(all, 50)), append(p99, percentile(all, 99))
		})
	}
	if t.Failed() {
		t.FailNow()
	}
	return p50, p99
}

// arrived appends the latencies of those rows that are there now and were not before.
func (p *plant) arrived(t *testing.T, before []time.Duration, query string) []time.Duration {
	t.Helper()
	rows, err := p.db.QueryContext(t.Context(), query, len(before))
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var us int64
		if err := rows.Scan(&us); err != nil {
			t.Fatal(err)
		}
		before = append(before, time.Since(time.UnixMicro(us)))
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return before
}

// percentile returns what that many percent of the latencies do not exceed, in ms.
func percentile(latencies []time.Duration, percent int) float64 {
	sorted := slices.Sorted(slices.Values(latencies))
	return float64(sorted[(len(sorted)*percent+99)/100-1].Microseconds()) / 1000
}
