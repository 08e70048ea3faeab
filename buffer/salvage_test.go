package buffer

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"holdfast"
)

// truth is what a file held before it was damaged.
type truth struct {
	options Options
	records map[string]string   // stream, lane, number: JSON
	state   map[string][]string // each key's values, oldest first
	owed    []string            // what is owed of all lanes
}

func key(id holdfast.Stream, lane holdfast.Lane, seq uint64) string {
	return fmt.Sprint(id, " ", lane, " ", seq)
}

// wholeFile writes a file with three streams, some of it done, some lost, and state that changed.
func wholeFile(t *testing.T) *truth {
	t.Helper()
	o := testOptions(t)
	o.MaxBytes = minBytes // a short file: hardly a page of it is free
	w := &truth{options: o, records: make(map[string]string), state: make(map[string][]string)}
	rng := rand.New(rand.NewPCG(3, 4))
	n := 0
	for run := range 3 {
		b := mustOpen(t, w.options)
		seqs := make(map[holdfast.Lane]uint64)
		for step := range 25 {
			var c Change
			for range 1 + rng.IntN(30) {
				n++
				r := reading(n)
				if n%7 == 0 {
					r = record(holdfast.LaneEvent, n)
				}
				seqs[r.Lane]++
				w.records[key(b.Stream(), r.Lane, seqs[r.Lane])] = string(r.Data)
				c.Records = append(c.Records, r)
			}
			value := fmt.Sprintf("%d of run %d %s", step, run, strings.Repeat("x", 300))
			c.State = map[string][]byte{"rules": []byte(value), "settings": []byte(value)}
			w.state["rules"] = append(w.state["rules"], value)
			w.state["settings"] = append(w.state["settings"], value)
			if err := b.Append(c); err != nil {
				t.Fatal(err)
			}
			if err := b.commit(false); err != nil {
				t.Fatal(err)
			}
			if step == 10 {
				b.Done(b.Stream(), holdfast.LaneTelemetry, ranges(1, 20, 30, 40))
				b.Reject(b.Stream(), holdfast.LaneTelemetry, holdfast.Range{First: 50, Last: 52}, holdfast.CauseTooLarge)
			}
		}
		w.owed = w.everything(t, b)
		if err := b.end(); err != nil {
			t.Fatal(err)
		}
	}
	return w
}

// everything lists what is owed of all lanes, and compares each record with the truth.
func (w *truth) everything(t *testing.T, b *Buffer) []string {
	t.Helper()
	var out []string
	for _, lane := range laneNames {
		var at holdfast.Position
		for {
			batch, ok, err := b.Next(lane, at, 1000, holdfast.MaxBatchBytes)
			if err != nil {
				t.Fatal(err)
			}
			if !ok {
				break
			}
			for i, data := range batch.Records {
				seq := batch.First + uint64(i)
				if want := w.records[key(batch.Stream, lane, seq)]; string(data) != want {
					t.Fatalf("stream %s, lane %s, number %d is\n%s\nwant\n%s", batch.Stream, lane, seq, data, want)
				}
			}
			for seq := batch.First; seq <= batch.Last; seq++ {
				out = append(out, fmt.Sprint(batch.Stream, " ", lane, " ", seq, " ", batch.What, batch.Cause))
			}
			at = holdfast.Position{Stream: batch.Stream, Seq: batch.Last}
		}
	}
	return out
}

// salvaged salvages the file at path and returns what came of it.
func (w *truth) salvaged(t *testing.T, path string) (*Buffer, Report) {
	t.Helper()
	o := w.options
	o.Path = testOptionsIn(memoryDir(t)).Path
	report, err := Salvage(t.Context(), path, o)
	if err != nil {
		t.Fatal(err)
	}
	if NeedsCheck(o.Path) {
		t.Error("a salvaged file needs a check")
	}
	if report, err := Check(t.Context(), o.Path); err != nil {
		t.Fatalf("%+v: %v", report, err)
	}
	return mustOpen(t, o), report
}

// Salvage of a sound file gives the same file.
func TestSalvageKeepsAll(t *testing.T) {
	t.Parallel()
	w := wholeFile(t)
	whole, err := Check(t.Context(), w.options.Path)
	if err != nil {
		t.Fatal(err)
	}
	b, report := w.salvaged(t, w.options.Path)
	if report.Streams != 3 || report.Blocks != whole.Blocks || report.Records != uint64(len(w.records)) || report.Lost != 0 || report.State != 2 {
		t.Errorf("report %+v, of %d records; Check counted %+v", report, len(w.records), whole)
	}
	if got := w.everything(t, b); !slices.Equal(got, w.owed) {
		t.Errorf("%d numbers are owed, want %d", len(got), len(w.owed))
	}
	for name, values := range w.state {
		if got := string(b.State(name)); got != values[len(values)-1] {
			t.Errorf("state %s: %q, want the newest", name, got)
		}
	}
	original := mustOpen(t, w.options)
	if got, want := b.Previous(), original.Previous(); fmt.Sprint(*got) != fmt.Sprint(*want) {
		t.Errorf("previous %+v, want %+v", got, want)
	}
}

// A block needs nothing else to be found, and the newest entry wins wherever it stands.
func TestSalvageOfFragments(t *testing.T) {
	t.Parallel()
	o := testOptions(t)
	h, lines := testBlock() // numbers 1201 to 1203 of a stream that was the fourth
	damaged := o.Path + ".damaged"
	entry := func(revision uint64, done ...uint64) []byte {
		s := newStream(h.stream, h.ordinal, h.device, new(sums))
		s.lanes[telemetry].done = ranges(done...)
		return s.encode(revision, [len(laneNames)]uint64{telemetry: max(1200, done[len(done)-1])})
	}
	if err := os.MkdirAll(filepath.Dir(damaged), 0o755); err != nil {
		t.Fatal(err)
	}
	junk := []byte(strings.Repeat("junk "+blockMagic, 100))
	border := make([]byte, 1<<20-4) // so that a magic lies across the border of two steps
	for name, c := range map[string]struct {
		parts [][]byte
		want  string
	}{
		"a block":      {[][]byte{junk, appendBlock(nil, h, lines)}, "dropped 1-1200 corrupt, data 1201-1203"},
		"at a border":  {[][]byte{border, appendBlock(nil, h, lines)}, "dropped 1-1200 corrupt, data 1201-1203"},
		"with entries": {[][]byte{entry(6, 1, 1200, 1202, 1202), junk, entry(5, 1, 7), appendBlock(nil, h, lines)}, "data 1201-1201, data 1203-1203"},
		"an entry":     {[][]byte{entry(6, 1, 1100)}, "dropped 1101-1200 corrupt"},
		"nothing":      {[][]byte{junk}, ""},
	} {
		if err := os.WriteFile(damaged, bytes.Join(c.parts, nil), 0o600); err != nil {
			t.Fatal(err)
		}
		o.Path = filepath.Join(t.TempDir(), "new.db")
		if _, err := Salvage(t.Context(), damaged, Options{Path: o.Path, Log: o.Log}); err != nil {
			t.Fatal(err)
		}
		if report, err := Check(t.Context(), o.Path); err != nil {
			t.Errorf("%s: %+v, %v", name, report, err)
		}
		b := mustOpen(t, o)
		if got := strings.Join(owed(t, b, holdfast.LaneTelemetry, 100), ", "); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

func TestSalvageRefuses(t *testing.T) {
	t.Parallel()
	o := testOptions(t)
	b := mustOpen(t, o)
	b.Close()
	if _, err := Salvage(t.Context(), o.Path, o); !errors.Is(err, os.ErrExist) {
		t.Errorf("onto a file: %v", err)
	}
	o.Path += ".new file"
	if _, err := Salvage(t.Context(), "/nowhere", o); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("of no file: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Salvage(ctx, b.o.Path, o); !errors.Is(err, context.Canceled) {
		t.Errorf("with an ended context: %v", err)
	}
	if _, err := os.Stat(o.Path); err == nil {
		t.Error("a salvage that failed left a file")
	}
}

// checkChild checks the files that are its arguments, and says of each what it found. It may die of any of them.
func checkChild() {
	for _, path := range os.Args[1:] {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		_, err := Check(ctx, path)
		cancel()
		fmt.Println(path, err == nil)
	}
}

// check is Check of many files, in processes that may die: whether each is sound, and how many processes died.
func check(t *testing.T, files []string) (sound map[string]bool, died int) {
	t.Helper()
	sound = make(map[string]bool)
	for len(files) > 0 {
		out, err := child(t, "check", files...).Output()
		n := 0
		for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); n++ {
			sound[files[n]] = lines.Text() == files[n]+" true"
		}
		if err != nil && n < len(files) {
			died++
			n++ // of this one
		}
		files = files[n:]
	}
	return sound, died
}

var damages = []struct {
	name string
	do   func(rng *rand.Rand, data []byte) []byte
}{
	{"bit", func(rng *rand.Rand, data []byte) []byte {
		data[rng.IntN(len(data))] ^= 1 << rng.IntN(8)
		return data
	}},
	{"bits", func(rng *rand.Rand, data []byte) []byte {
		for range 50 {
			data[rng.IntN(len(data))] ^= 1 << rng.IntN(8)
		}
		return data
	}},
	{"page", func(rng *rand.Rand, data []byte) []byte {
		at := rng.IntN(len(data)/pageSize) * pageSize
		clear(data[at : at+pageSize])
		return data
	}},
	{"swap", func(rng *rand.Rand, data []byte) []byte {
		page := func() []byte { at := rng.IntN(len(data)/pageSize) * pageSize; return data[at : at+pageSize] }
		a, b := page(), page()
		kept := bytes.Clone(a)
		copy(a, b)
		copy(b, kept)
		return data
	}},
	{"cut", func(rng *rand.Rand, data []byte) []byte { return data[:rng.IntN(len(data))] }},
}

// TestDamage damages a file in 100 ways. Whatever Check says of it, no wrong record ever comes out of it, and what one
// flipped bit takes is one block.
func TestDamage(t *testing.T) {
	t.Parallel()
	w := wholeFile(t)
	whole, err := os.ReadFile(w.options.Path)
	if err != nil {
		t.Fatal(err)
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	count := 100
	if testing.Short() {
		count = 25
	}
	var files []string
	for n := range count {
		damage := damages[n%len(damages)]
		path := filepath.Join(t.TempDir(), fmt.Sprint(n, damage.name))
		if err := os.WriteFile(path, damage.do(rng, bytes.Clone(whole)), 0o600); err != nil {
			t.Fatal(err)
		}
		files = append(files, path)
	}
	sound, died := check(t, files)
	harmless, kept := 0, 0
	for _, path := range files {
		if sound[path] {
			harmless++
			o := w.options
			o.Path = path
			if got := w.everything(t, mustOpen(t, o)); !slices.Equal(got, w.owed) {
				t.Errorf("%s: Check finds it sound, and %d of %d numbers are owed", path, len(got), len(w.owed))
			}
			continue
		}
		b, report := w.salvaged(t, path)
		w.everything(t, b)
		os.Remove(b.o.Path)
		for name, values := range w.state {
			if got := b.State(name); got != nil && !slices.Contains(values, string(got)) {
				t.Errorf("%s: state %s is %q, which it never was", path, name, got)
			}
		}
		if strings.HasSuffix(path, "bit") && report.Lost > blockBytes/100 { // the readings of one block
			t.Errorf("%s: one bit took %d records", path, report.Lost)
		}
		b.Close()
		kept += int(report.Records)
	}
	t.Logf("%d files were sound, %d killed the process that checked them; the damaged ones kept %d of 100 records", harmless, died,
		100*kept/max(1, (len(files)-harmless)*len(w.records)))
	if died+harmless == len(files) || harmless == len(files) {
		t.Error("the damage was none, or Check never came to an end")
	}
}

func TestChoose(t *testing.T) {
	t.Parallel()
	f := func(revision, first, last uint64) fragment {
		return fragment{Range: holdfast.Range{First: first, Last: last}, revision: revision}
	}
	for _, c := range []struct {
		name string
		in   []fragment
		want string
	}{
		{"apart", []fragment{f(1, 1, 5), f(2, 6, 9)}, "1-5@1 6-9@2"},
		{"a copy", []fragment{f(1, 1, 5), f(1, 1, 5)}, "1-5@1"},
		{"the later commit is right", []fragment{f(1, 1, 9), f(2, 1, 9)}, "1-9@2"},
		{"what the later one lacks", []fragment{f(1, 1, 9), f(2, 3, 5)}, "1-2@1 3-5@2 6-9@1"},
		{"behind the heads of a commit that failed", []fragment{f(5, 11, 30), f(6, 11, 20), f(7, 21, 25)}, "11-20@6 21-25@7 26-30@5"},
	} {
		var got []string
		for _, f := range choose(c.in) {
			got = append(got, fmt.Sprintf("%d-%d@%d", f.First, f.Last, f.revision))
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: %v, want %s", c.name, got, c.want)
		}
	}
}
