package bench

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"holdfast/internal/proof"
	"holdfast/internal/testenv"
)

const redisPart = "A Redis that hangs"

// loadSpacing is the time between two readings of the load: 2,000 a second.
const loadSpacing = 500 * time.Microsecond

// percentiles are those of each run, in ms.
type percentiles struct{ p50, p99 []float64 }

func (p *percentiles) add(took []time.Duration) {
	p.p50, p.p99 = append(p.p50, percentile(took, 50)), append(p.p99, percentile(took, 99))
}

// TestRedisHangs measures the durable path with a Redis to mirror to that is stopped (SIGSTOP) once the gateway has connected,
// and without one, in turns: how long an alert takes to the database, and then readings at 2,000 a second, all of which have
// to arrive.
func TestRedisHangs(t *testing.T) {
	benchmark(t)
	n, alerts := proof.Count(t, "HOLDFAST_REDIS", 10_000), 20
	rules := filepath.Join(t.TempDir(), "rules.yaml")
	text := "version: 1\nrules:\n  - name: warm\n    threshold: {quantity: temperature_celsius, above: 26, clear: 25}\n"
	if err := os.WriteFile(rules, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	bin := testenv.Programs(t)
	l := layout{replay: replayOf((alerts+1)*alternation) + load(alerts, n), rules: rules}
	var alert, reading [2]percentiles // without Redis, with one that hangs
	for range proof.Count(t, "HOLDFAST_RUNS", 5) {
		for hangs := range 2 {
			t.Run("", func(t *testing.T) {
				a, r := durable(t, bin, l, alerts, n, hangs == 1)
				alert[hangs].add(a)
				reading[hangs].add(r)
			})
			if t.Failed() {
				t.FailNow()
			}
		}
	}
	compare(t, "alert to database", fmt.Sprintf("%d alerts a run", alerts), alert)
	compare(t, "reading to database at 2,000 readings/s and a window of 1 s", fmt.Sprintf("%d readings a run, all of which arrived", n), reading)
}

func compare(t *testing.T, what, note string, of [2]percentiles) {
	t.Helper()
	for i, redis := range []string{"no Redis", "Redis hangs"} {
		measure(t, proof.Figure{Part: redisPart, Name: what + ", " + redis + ", p50", Unit: "ms", Note: note}, of[i].p50...)
		measure(t, proof.Figure{Part: redisPart, Name: what + ", " + redis + ", p99", Unit: "ms", Note: note}, of[i].p99...)
	}
	var ratios []float64
	for i := range of[0].p50 {
		ratios = append(ratios, of[1].p50[i]/of[0].p50[i])
	}
	atMost(t, 1.2, proof.Figure{Part: redisPart, Name: what + ", p50: Redis hangs to no Redis", Unit: "times", Note: "of runs one after the other"}, ratios...)
}

// load is n readings, beginning a second after the alerts.
func load(alerts, n int) string {
	var rows strings.Builder
	begin := warm + time.Duration((alerts+1)*alternation)*spacing + time.Second
	for i := range n {
		fmt.Fprintf(&rows, "%.4f,tmp102-1-72,20,,\n", (begin + time.Duration(i)*loadSpacing).Seconds())
	}
	return rows.String()
}

// durable returns how long each alert took to the database, and then each reading of the load.
func durable(t *testing.T, bin string, l layout, alerts, n int, hangs bool) (alert, reading []time.Duration) {
	t.Helper()
	var redis *testenv.Process
	if hangs {
		redis = redisServer(t)
		launch(t, redis)
		l.redis = redis.Address
	}
	p := newPlant(t, bin, l)
	launch(t, p.receiver)
	p.watch(t)
	launch(t, p.gateway)
	if hangs {
		testenv.Pause(t.Context(), warm/2)
		redis.Signal(syscall.SIGSTOP)
	}
	until(t, time.Millisecond, "the last alert", func() bool {
		alert = p.arrived(t, alert, "SELECT time_us FROM record WHERE lane = 'alert' ORDER BY seq LIMIT -1 OFFSET ?")
		return len(alert) >= alerts
	})
	query := fmt.Sprintf("SELECT time_us FROM sample WHERE seq > %d ORDER BY seq LIMIT -1 OFFSET ?", (alerts+1)*alternation)
	until(t, time.Millisecond, "the last reading", func() bool {
		reading = p.arrived(t, reading, query)
		return len(reading) >= n
	})
	p.gateway.Stop(t)
	p.receiver.Stop(t)
	return alert, reading
}

func redisServer(t *testing.T) *testenv.Process {
	t.Helper()
	dir, port := t.TempDir(), testenv.FreePort(t)
	return &testenv.Process{
		Name: "redis", Binary: testenv.NeedProgram(t, "redis-server"), Log: testenv.LogFile(t, dir, "redis"), Address: "127.0.0.1:" + port,
		Args: []string{"--port", port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", dir},
	}
}
