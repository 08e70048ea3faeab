package crash

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"holdfast/internal/testenv"
)

// A scenario is a life of one buffer, run by run.
type scenario struct {
	name         string
	share        float64 // of all images
	maxBytes     int64
	historyBytes int64
	pad          int
	grow         bool
	runs         []run
}

// did returns an error unless the scenario did what it is there for.
func (s *scenario) did(tr *trace) error {
	var size int64
	for _, e := range tr.Events {
		if e.Kind == truncated {
			size = max(size, e.Off)
		}
	}
	switch {
	case s.name == "full" && tr.fullAt(len(tr.Events)) == 0:
		return errors.New("the buffer never was full")
	case s.grow && size < 3<<20:
		return fmt.Errorf("the file did not grow ahead: %d bytes", size)
	}
	return nil
}

// A run is one start of the buffer, and where its process is killed.
type run struct {
	steps int
	kill  ending
}

// An ending is where a process is killed: behind which event of its trace. The next process finds what it wrote, synced
// or not.
type ending int

const (
	stops        ending = iota // it is not
	behindMeta                 // a commit's last page is written and not synced
	inPages                    // some of a commit's pages are written
	behindUnmark               // the note of the clean stop is removed, and its folder not synced
	behindBirth                // the new file got its name, and its folder is not synced
)

func scenarios() []scenario {
	return []scenario{
		{name: "small", share: 0.55, maxBytes: 1 << 20, historyBytes: 4 << 10, pad: 200, runs: []run{
			{60, stops}, {60, behindMeta}, {60, inPages}, {60, stops},
		}},
		{name: "killed", share: 0.3, maxBytes: 1 << 20, historyBytes: 4 << 10, pad: 200, runs: []run{
			{5, behindBirth}, {20, stops}, {5, behindUnmark}, {20, behindMeta}, {2, behindMeta}, {2, behindMeta}, {4, inPages}, {20, stops},
			{3, behindMeta}, {3, behindMeta}, {3, behindMeta}, {3, behindMeta}, {3, behindMeta}, {3, behindMeta}, {20, stops},
		}},
		{name: "full", share: 0.1, maxBytes: 1 << 20, historyBytes: 64 << 10, pad: 12 << 10, runs: []run{
			{90, stops}, {30, behindMeta}, {30, inPages}, {30, stops},
		}},
		{name: "growing ahead", share: 0.05, maxBytes: 4 << 20, historyBytes: roomy, pad: 300, grow: true, runs: []run{
			{12, behindMeta}, {40, stops},
		}},
	}
}

// recordAll lives every scenario, or returns the one trace that HOLDFAST_TRACE names.
func recordAll(t *testing.T, seed uint64) []*trace {
	t.Helper()
	if file := os.Getenv("HOLDFAST_TRACE"); file != "" {
		tr, err := loadTrace(file)
		if err != nil {
			t.Fatal(err)
		}
		tr.Share = 1
		return []*trace{tr}
	}
	var out []*trace
	for i, s := range scenarios() {
		tr := record(t, s, rand.New(rand.NewPCG(seed, uint64(i))))
		if err := s.did(tr); err != nil {
			t.Fatalf("scenario %s: %v", s.name, err)
		}
		t.Logf("%s: %d runs, %d events", s.name, len(s.runs), len(tr.Events))
		out = append(out, tr)
	}
	return out
}

// record lives a scenario under strace.
func record(t *testing.T, s scenario, rng *rand.Rand) *trace {
	t.Helper()
	dir := memoryFolder(t)
	root := filepath.Join(dir, "card")
	if err := os.Mkdir(root, 0o755); err != nil {
		t.Fatal(err)
	}
	tr := &trace{Name: s.name, Share: s.share, Root: root, MaxBytes: s.maxBytes, HistoryBytes: s.historyBytes}
	for _, r := range s.runs {
		events := observe(t, root, dir, job{
			Folder: filepath.Join(root, "data"), Tongue: filepath.Join(dir, "said"), MaxBytes: s.maxBytes,
			HistoryBytes: s.historyBytes, Grow: s.grow, Steps: r.steps, Pad: s.pad, Seed: rng.Uint64(),
		})
		compare(t, root, slices.Concat(tr.Events, events))
		happened := r.kill.cut(t, events, rng)
		tr.Events = append(tr.Events, happened...)
		if len(happened) < len(events) {
			leave(t, root, tr.Events)
		}
	}
	return tr
}

// observe runs the workload once under strace, and returns what strace saw.
func observe(t *testing.T, root, dir string, j job) []event {
	t.Helper()
	strace, output := testenv.NeedProgram(t, "strace"), filepath.Join(dir, "strace")
	cmd, err := child(t.Context(), "workload", j,
		strace, "-f", "-qq", "-xx", "-s", "4194304", "-e", "signal=none", "-e", "trace="+traced, "-o", output)
	if err != nil {
		t.Fatal(err)
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		testenv.Need(t, straceRefused(out), "permission to trace")
		t.Fatalf("workload: %v: %s", err, out)
	}
	f, err := os.Open(output)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	events, err := parse(f, root, j.Tongue)
	if err != nil {
		t.Fatal(err)
	}
	return events
}

func straceRefused(out []byte) error {
	if bytes.Contains(out, []byte("PTRACE")) && bytes.Contains(out, []byte("not permitted")) {
		return fmt.Errorf("%s", bytes.TrimSpace(out))
	}
	return nil
}

// memoryFolder is a folder where a sync costs nothing, if the machine has one: what a sync is worth is for the model.
func memoryFolder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "holdfast-crash-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// cut returns the events of a run as far as they happened before its process was killed.
func (k ending) cut(t *testing.T, events []event, rng *rand.Rand) []event {
	t.Helper()
	if k == stops {
		return events
	}
	var places []int
	for i, e := range events {
		meta := e.Kind == wrote && len(e.Data) == 4096 && e.Off >= 0 && e.Off <= 4096
		page := e.Kind == wrote && e.Off > 4096
		if k == behindMeta && meta || k == inPages && page ||
			k == behindUnmark && e.Kind == unlinked && strings.HasSuffix(e.Path, ".clean") || k == behindBirth && e.Kind == linked {
			places = append(places, i+1)
		}
	}
	if k == behindMeta || k == inPages {
		places = places[len(places)/2:] // let it get something done
	}
	if len(places) == 0 {
		t.Fatalf("there is no place to kill the process at: ending %d", k)
	}
	return events[:pick(rng, places...)]
}

// compare fails the test unless the model of the disk is the folder as it is: nothing was done that the trace does not
// show.
func compare(t *testing.T, root string, events []event) {
	t.Helper()
	want, got := modelled(t, root, events), make(map[string][]byte)
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		got[path], err = os.ReadFile(path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for path := range got {
		if _, ok := want[path]; !ok {
			t.Fatalf("%s is there, and the trace does not tell", path)
		}
	}
	for path := range want {
		if !bytes.Equal(got[path], want[path]) {
			t.Fatalf("%s has %d bytes that are not the %d that the trace tells", path, len(got[path]), len(want[path]))
		}
	}
}

func modelled(t *testing.T, root string, events []event) map[string][]byte {
	t.Helper()
	d := newDisk(root, false)
	for i, e := range events {
		if err := d.happen(e); err != nil {
			t.Fatalf("event %d: %v", i, err)
		}
	}
	return d.files()
}

// leave makes the folder what a process leaves that was killed behind these events.
func leave(t *testing.T, root string, events []event) {
	t.Helper()
	err := os.RemoveAll(filepath.Join(root, "data"))
	if err == nil {
		err = os.Mkdir(filepath.Join(root, "data"), 0o755)
	}
	for path, data := range modelled(t, root, events) {
		if err == nil {
			err = os.WriteFile(path, data, 0o600)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
}
