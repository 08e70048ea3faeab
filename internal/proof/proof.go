package proof

import (
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"
)

// A Trial is one fault, tried some number of times.
type Trial struct {
	Part   string // what tried it, a heading of docs/reliability.md: "Crash images"
	Place  string // where the same faults are tried at several: "receiver's own broker"; empty otherwise
	Fault  string // what was done to the system: "unsynced writes dropped, reordered, torn at 512 B"
	Holds  string // what must hold after it: "opens, …"
	Tried  int    // how often
	Unit   string // of Tried, in the plural: "images"
	Failed int    // how often it did not hold
	Note   string // further counts in words
	Seed   string // replays the run; empty where nothing is random
	Test   string // filled in by Record: the test that tried
}

// A Figure is one measurement.
type Figure struct {
	Part string // a heading of docs/benchmarks.md: "Buffer at the block device"
	Name string // what was measured: "online, 10 records of 150 B a commit"
	// Value is the median of Runs; Low and High are the least and the greatest of them.
	Value, Low, High float64
	Unit             string // "KB a commit"
	Runs             int
	Goal             string // in words, with its sign: "≤ 10.5"; empty where there is none
	Missed           bool   // the goal is not reached
	Note             string // what it stands beside, or what limits it
	Benchmark        string // filled in by Measure
}

// A Line is one line of the file: one of Trial and Figure is set.
type Line struct {
	When   time.Time
	Commit string  `json:",omitempty"` // from HOLDFAST_COMMIT
	Trial  *Trial  `json:",omitempty"`
	Figure *Figure `json:",omitempty"`
}

// Record notes what a test tried. It is for the end of the test, when the counts stand.
func Record(t testing.TB, trial Trial) {
	t.Helper()
	trial.Test = t.Name()
	t.Logf("%s: %s: %d %s, %d failed. %s", trial.Part, trial.Fault, trial.Tried, trial.Unit, trial.Failed, trial.Note)
	write(t, Line{Trial: &trial})
}

// Measure notes what a benchmark measured.
func Measure(t testing.TB, f Figure) {
	t.Helper()
	f.Benchmark = t.Name()
	t.Logf("%s: %s: %.4g %s (%.4g to %.4g in %d runs; goal %s) %s", f.Part, f.Name, f.Value, f.Unit, f.Low, f.High, f.Runs, f.Goal, f.Note)
	write(t, Line{Figure: &f})
}

func write(t testing.TB, l Line) {
	t.Helper()
	name := os.Getenv("HOLDFAST_PROOF")
	if name == "" {
		return
	}
	l.When, l.Commit = time.Now().UTC().Truncate(time.Second), os.Getenv("HOLDFAST_COMMIT")
	data, err := json.Marshal(l)
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(name, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := fmt.Fprintf(f, "%s\n", data); err != nil {
		t.Fatal(err)
	}
}

// Count returns the whole number in the environment variable, or fallback where it is not set.
func Count(t testing.TB, variable string, fallback int) int {
	t.Helper()
	text := os.Getenv(variable)
	if text == "" {
		return fallback
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		t.Fatalf("%s=%q: want a whole number", variable, text)
	}
	return n
}
