package bench

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"holdfast/internal/proof"
	"holdfast/internal/testenv"
)

// hundredRules are rules of all sorts over ten sensors, ten for each.
func hundredRules() string {
	kinds := []string{
		"threshold: {sensor: s%d, quantity: temperature_celsius, above: 26, clear: 25, for: 5s}",
		"threshold: {sensor: s%d, quantity: temperature_celsius, outside: [-10, 30]}",
		"aggregate: {sensor: s%d, window: 1m, functions: [mean, min, max, count]}",
		"aggregate: {sensor: s%d, window: 10m, every: 1m, functions: [mean]}",
		"aggregate: {sensor: s%d, sliding: 10m, every: 10s, functions: [mean, p95]}",
		"aggregate: {sensor: s%d, session: 1m, functions: [count]}",
		"aggregate: {sensor: s%d, count: 100, functions: [stddev]}",
		"deadband: {sensor: s%d, quantities: [humidity_percent], absolute: 0.001, heartbeat: 5m}",
		"rate: {sensor: s%d, quantity: temperature_celsius, above: 1e9, per: 1m, over: 1m}",
		"absence: {sensor: s%d, after: 5m}",
	}
	var b strings.Builder
	b.WriteString("version: 1\nrules:\n")
	for i := range 100 {
		fmt.Fprintf(&b, "  - {name: r%d, "+kinds[i%10]+"}\n", i, i/10)
	}
	return b.String()
}

// tenRules are what a room with two sensors may have.
const tenRules = `version: 1
rules:
  - {name: warm, threshold: {sensor: "s*", quantity: temperature_celsius, above: 26, clear: 25, for: 1m}}
  - {name: frost, threshold: {sensor: "s*", quantity: temperature_celsius, below: 2, clear: 3}}
  - {name: damp, threshold: {sensor: "s*", quantity: humidity_percent, above: 70, clear: 65, for: 10m}}
  - {name: minute, aggregate: {sensor: "s*", window: 1m, functions: [mean, min, max, count]}}
  - {name: quarter, aggregate: {sensor: "s*", window: 15m, functions: [mean, min, max, count]}}
  - {name: day, aggregate: {sensor: "s*", sliding: 24h, every: 1h, functions: [mean]}}
  - {name: fast, rate: {sensor: "s*", quantity: temperature_celsius, above: 5, per: 1m, over: 5m}}
  - {name: silent, absence: {sensor: "s*", after: 5m}}
  - {name: odd, anomaly: {sensor: "s*", quantity: temperature_celsius, window: 61, deviations: 8, floor: 1}}
  - {name: rising, trend: {sensor: "s*", quantity: humidity_percent, window: 30m, rise: 10, per: 1h}}
`

// withholding is a rule that keeps nine of ten readings back.
const withholding = `  - {name: calm, deadband: {sensor: "s*", quantities: [temperature_celsius], absolute: 0.9, heartbeat: 10m}}
`

// roomReplay is so many readings of so many sensors, one each time.
func roomReplay(n, sensors int, each time.Duration) string {
	var b strings.Builder
	b.WriteString("time,sensor,temperature_celsius,humidity_percent,pressure_pascal\n")
	random := newReadings().random
	for i := range n {
		fmt.Fprintf(&b, "%.4f,s%d,%.2f,%.2f,%.1f\n", (time.Duration(i) * each).Seconds(), i%sensors, 20+random.Float64(), 40+5*random.Float64(), 101325+100*random.Float64())
	}
	return b.String()
}

// ruled starts a gateway without a broker that takes a replay with a set of rules, on a folder. Its replay begins at once.
func ruled(t *testing.T, folder, replay, rules string) *testenv.Process {
	t.Helper()
	dir := t.TempDir()
	file, set := filepath.Join(dir, "replay.csv"), filepath.Join(dir, "rules.yaml")
	for name, text := range map[string]string{file: replay, set: rules} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	p := &testenv.Process{
		Name: "gateway", Binary: filepath.Join(testenv.Programs(t), "gateway"), Log: testenv.LogFile(t, dir, "gateway"),
		Args: []string{"run", "--replay", file}, Env: []string{"DATA_DIR=" + folder, "HTTP_LISTEN=off", "DEVICE_ID=" + deviceID, "RULES_FILE=" + set,
			"BUFFER_MAX_BYTES=4194304"}, // a file that has grown within seconds
	}
	start(t, p)
	return p
}

// TestRulesCost: how much of a processor a gateway takes at 1,000 readings a second, with a hundred rules and without. The two
// run at the same time, so that a busy machine slows both; the card costs nothing, since theirs is in memory.
func TestRulesCost(t *testing.T) {
	benchmark(t)
	const rate, warm = 1000, 5
	seconds := proof.Count(t, "HOLDFAST_RULES", 20)
	replay := roomReplay(rate*(warm+seconds+5), 10, time.Second/rate)
	var without, with, more []float64
	for range proof.Count(t, "HOLDFAST_RUNS", 3) {
		plain := ruled(t, memoryFolder(t), replay, "version: 1\nrules: []\n")
		full := ruled(t, memoryFolder(t), replay, hundredRules())
		testenv.Pause(t.Context(), warm*time.Second)
		begin, from, to := time.Now(), processor(t, plain.PID()), processor(t, full.PID())
		testenv.Pause(t.Context(), time.Duration(seconds)*time.Second)
		took := time.Since(begin).Seconds() / 100 // for percents
		without, with = append(without, (processor(t, plain.PID())-from)/took), append(with, (processor(t, full.PID())-to)/took)
		more = append(more, with[len(with)-1]-without[len(without)-1])
		plain.Stop(t)
		full.Stop(t)
	}
	note := fmt.Sprintf("10 sensors, %d s; every rule is at work, 10 for each reading", seconds)
	measure(t, proof.Figure{Part: rulesPart, Name: "processor at 1,000 readings/s, no rules", Unit: "% of a core"}, without...)
	measure(t, proof.Figure{Part: rulesPart, Name: "processor at 1,000 readings/s, 100 rules", Unit: "% of a core", Note: note}, with...)
	atMost(t, 2, proof.Figure{Part: rulesPart, Name: "what 100 rules and their checkpoints take", Unit: "% of a core", Note: "the difference"}, more...)
}

// memoryFolder is a folder where a flush costs nothing, if the machine has one.
func memoryFolder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "holdfast-bench-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// TestRulesBytes: what a gateway writes to its card in a day at 10 readings a second of two sensors: without rules, with ten
// that are typical, and with one that withholds most readings besides. Measured at a device of its own, over some minutes.
func TestRulesBytes(t *testing.T) {
	benchmark(t)
	const warm = 10
	seconds := proof.Count(t, "HOLDFAST_RULES_BYTES", 120)
	replay := roomReplay(10*(warm+seconds+10), 2, time.Second/10)
	var plain float64
	for i, c := range []struct{ name, rules string }{
		{"no rules", "version: 1\nrules: []\n"}, {"10 typical rules", tenRules}, {"one rule that withholds nine of ten", "version: 1\nrules:\n" + withholding},
		{"10 typical rules, and one that withholds nine of ten", tenRules + withholding},
	} {
		d := newDevice(t, 256)
		p := ruled(t, filepath.Join(d.dir, "gateway"), replay, c.rules)
		testenv.Pause(t.Context(), warm*time.Second)
		spent := d.spent(t, func() { testenv.Pause(t.Context(), time.Duration(seconds)*time.Second) })
		p.Stop(t)
		day := spent.bytes / float64(seconds) * 86400 / 1e6
		if i == 0 {
			plain = day
		}
		measure(t, proof.Figure{Part: rulesPart, Name: "written in a day at 10 readings/s, " + c.name, Unit: "MB", Note: fmt.Sprintf("%d s, journal included; %.2f times that without rules; %.1f flushes a minute", seconds, day/plain, 60*spent.flushes/float64(seconds))}, day)
	}
}
