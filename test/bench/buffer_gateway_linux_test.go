package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"holdfast/internal/testenv"
)

// A pair is a gateway and a receiver with a broker in it, real processes on one machine.
type pair struct {
	dir               string
	broker            string // its address
	gateway, receiver *testenv.Process
}

// newPair makes the two without starting them. args are the gateway's after `run`.
func newPair(t *testing.T, args ...string) *pair {
	t.Helper()
	dir, bin := t.TempDir(), testenv.Programs(t)
	mqtt, api, page := testenv.FreePort(t), testenv.FreePort(t), testenv.FreePort(t)
	p := &pair{dir: dir, broker: "127.0.0.1:" + mqtt}
	p.gateway = &testenv.Process{
		Name: "gateway", Binary: filepath.Join(bin, "gateway"), Log: testenv.LogFile(t, dir, "gateway"), Address: "127.0.0.1:" + page,
		Args: append([]string{"run"}, args...),
		Env:  []string{"DATA_DIR=" + filepath.Join(dir, "gateway"), "HTTP_LISTEN=127.0.0.1:" + page},
	}
	p.receiver = &testenv.Process{
		Name: "receiver", Binary: filepath.Join(bin, "receiver"), Log: testenv.LogFile(t, dir, "receiver"), Address: "127.0.0.1:" + api,
		Args: []string{"serve"},
		Env: []string{"RECEIVER_DATA=" + filepath.Join(dir, "receiver"), "RECEIVER_LISTEN=127.0.0.1:" + api,
			"RECEIVER_INSTANCE=bench", "RECEIVER_MQTT_LISTEN=127.0.0.1:" + mqtt},
	}
	p.gateway.Env = append(p.gateway.Env, testenv.Join(t, p.receiver.Binary, "bench", p.receiver.Env...))
	return p
}

// start starts one of the two until the test ends.
func start(t *testing.T, p *testenv.Process) {
	t.Helper()
	p.Start(t)
	t.Cleanup(p.Kill)
}

// buffer is the path of the gateway's buffer.
func (p *pair) buffer() string { return filepath.Join(p.dir, "gateway", "buffer.db") }

// waiting is how many records no receipt has come for, as the gateway says; -1 while it does not answer.
func (p *pair) waiting(ctx context.Context) int {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+p.gateway.Address+"/api/v1/status", nil)
	if err != nil {
		return -1
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return -1
	}
	defer answer.Body.Close()
	var view struct{ Records struct{ Waiting int } }
	if err := json.NewDecoder(answer.Body).Decode(&view); err != nil {
		return -1
	}
	return view.Records.Waiting
}

// writeReplay writes a replay of n readings of a BME280, so many a second, and returns its path.
func writeReplay(t *testing.T, n int, each time.Duration) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "replay.csv")
	var b strings.Builder
	b.WriteString("time,sensor,temperature_celsius,humidity_percent,pressure_pascal\n")
	random := newReadings().random
	for i := range n {
		fmt.Fprintf(&b, "%.3f,bme280-1-%02x,%.2f,%.2f,%.1f\n", (time.Duration(i) * each).Seconds(), 0x76+i%2,
			20+random.Float64(), 40+5*random.Float64(), 101325+100*random.Float64())
	}
	if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// fill returns the file of a buffer with n records that are pending, as ten readings a second leave them. It is made in
// memory, where fsync costs nothing.
func fill(t *testing.T, n int) []byte {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "holdfast")
	if err != nil {
		dir = t.TempDir()
	}
	defer os.RemoveAll(dir)
	s := open(t, filepath.Join(dir, "buffer.db"), newReadings(), nil)
	for range n / 10 {
		s.commit(t, 10)
	}
	s.stop()
	data, err := os.ReadFile(filepath.Join(dir, "buffer.db"))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// place gives the gateway, before its start, a buffer that a power cut closed.
func (p *pair) place(t *testing.T, file []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(p.buffer()), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(p.buffer(), file, 0o600); err != nil {
		t.Fatal(err)
	}
}

// memory returns a field of /proc/PID/status in MB of a million bytes: RssAnon, VmRSS.
func memory(t *testing.T, pid int, field string) float64 {
	t.Helper()
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(data)) {
		rest, ok := strings.CutPrefix(line, field+":")
		if !ok {
			continue
		}
		kb, err := strconv.Atoi(strings.Fields(rest)[0])
		if err != nil {
			t.Fatal(err)
		}
		return float64(kb) * 1024 / 1e6
	}
	t.Fatalf("no %s in /proc/%d/status", field, pid)
	return 0
}

// processor returns the seconds that a process computed so far, in user and kernel mode.
func processor(t *testing.T, pid int) float64 {
	t.Helper()
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(data), ") ")
	fields := strings.Fields(rest)
	var ticks float64
	for _, field := range fields[11:13] { // utime, stime
		n, err := strconv.Atoi(field)
		if err != nil {
			t.Fatal(err)
		}
		ticks += float64(n)
	}
	const ticksPerSecond = 100 // of this file, on every Linux
	return ticks / ticksPerSecond
}
