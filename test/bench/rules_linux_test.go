package bench

import (
	"bufio"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"holdfast"
	"holdfast/internal/proof"
	"holdfast/internal/testenv"
	"holdfast/rules"
)

const rulesPart = "Rules"

// TestRehearsal times the rehearsal of a recording of a million rows by the program that is shipped, with ten rules of nearly
// every kind.
func TestRehearsal(t *testing.T) {
	benchmark(t)
	rows := proof.Count(t, "HOLDFAST_ROWS", 1_000_000)
	gateway := filepath.Join(testenv.Programs(t), "gateway")
	recording := writeRecording(t, rows)
	var took, processor, memory []float64
	for range proof.Count(t, "HOLDFAST_RUNS", 3) {
		c := exec.Command(gateway, "rules", "rehearse", "../../cmd/gateway/testdata/ten_rules.yaml", "--csv", recording)
		began := time.Now()
		if out, err := c.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		took = append(took, time.Since(began).Seconds())
		processor = append(processor, (c.ProcessState.UserTime() + c.ProcessState.SystemTime()).Seconds())
		memory = append(memory, float64(c.ProcessState.SysUsage().(*syscall.Rusage).Maxrss)/1024)
	}
	name := fmt.Sprintf("rehearsal of %d rows with ten rules", rows)
	atMost(t, 10*float64(rows)/1e6, proof.Figure{Part: rulesPart, Name: name, Unit: "s", Note: "Four sensors, two quantities each, a CSV file; the program from start to end."}, took...)
	measure(t, proof.Figure{Part: rulesPart, Name: name + ": processor time", Unit: "s"}, processor...)
	measure(t, proof.Figure{Part: rulesPart, Name: name + ": the largest it was in memory", Unit: "MB", Note: "It does not grow with the rows."}, memory...)
}

// writeRecording writes a file of readings of four sensors, one a second each.
func writeRecording(t *testing.T, rows int) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "recording.csv")
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	out := bufio.NewWriter(f)
	fmt.Fprintln(out, "time,sensor,temperature_celsius,humidity_percent")
	for i := range rows {
		fmt.Fprintf(out, "%d,s%d,%.2f,%.1f\n", i/4, i%4, 22+6*math.Sin(float64(i)/36000)+float64(i*7919%100)/200, 50+float64(i*104729%100)/25)
	}
	if err := out.Flush(); err != nil {
		t.Fatal(err)
	}
	return file
}

// TestSlidingMemory measures what a thousand rules with sliding windows of a day keep of a sensor that is read each second,
// once a day has been read.
func TestSlidingMemory(t *testing.T) {
	benchmark(t)
	seconds := proof.Count(t, "HOLDFAST_SECONDS", 24*3600)
	for _, functions := range []string{"mean", "mean, p50"} {
		var text strings.Builder
		text.WriteString("version: 1\nrules:\n")
		for i := range 1000 {
			fmt.Fprintf(&text, "  - {name: r%d, aggregate: {sensor: s, quantities: [temperature_celsius], sliding: 24h, every: 24h, functions: [%s]}}\n", i, functions)
		}
		set, err := rules.Parse("thousand", []byte(text.String()))
		if err != nil {
			t.Fatal(err)
		}
		before := heap()
		e := rules.New(set, rules.Options{Broken: func(rule string, err error) { t.Errorf("rule %s: %v", rule, err) }})
		start := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
		for i := range seconds {
			d := time.Duration(i+1) * time.Second
			at := holdfast.Instant{Time: start.Add(d), Boot: "b", Mono: d.Microseconds(), Synchronized: true}
			e.Apply(&holdfast.Reading{Time: at.Time, Mono: at.Mono, Sensor: "s", Values: map[string]float64{"temperature_celsius": float64(i % 97)}}, at)
		}
		used := (heap() - before) / (1 << 20)
		bound := float64(set.Memory(&holdfast.Catalog{Sensors: []holdfast.CatalogSensor{{Name: "s"}}})) / (1 << 20)
		atMost(t, math.Round(bound), proof.Figure{
			Part: rulesPart, Name: "1,000 rules, sliding windows of 24 h at 1/s, " + functions, Unit: "MB",
			Note: "The goal is what they are counted at, of at most 128 MB for all rules.",
		}, used)
		runtime.KeepAlive(e)
	}
}

// heap is how many bytes are in use.
func heap() float64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc)
}
