package fuzz

import (
	"context"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"holdfast/internal/proof"
)

const root = "../.."

// atOnce is how many targets run at a time, one worker each.
const atOnce = 2

// A target is one fuzz function.
type target struct {
	folder, name string // folder in the tree
	about        string // first sentence of its comment
}

func TestFuzz(t *testing.T) {
	seconds := proof.Count(t, "HOLDFAST_FUZZ", 30)
	if testing.Short() || seconds == 0 {
		t.Skip("-short or HOLDFAST_FUZZ=0: fuzzes for minutes")
	}
	all := targets(t)
	if len(all) < 10 {
		t.Errorf("found %d targets, want at least 10: %v", len(all), all)
	}
	dir := build(t, all)
	turn := make(chan struct{}, atOnce)
	var running sync.WaitGroup
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	for _, g := range all {
		turn <- struct{}{}
		if ctx.Err() != nil {
			break
		}
		running.Go(func() {
			defer func() { <-turn }()
			if !g.run(ctx, t, dir, time.Duration(seconds)*time.Second) {
				cancel() // the first failure is enough
			}
		})
	}
	running.Wait()
}

// targets returns the fuzz functions of the module.
func targets(t *testing.T) (all []target) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") || entry.IsDir() {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		for _, d := range file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil && strings.HasPrefix(f.Name.Name, "Fuzz") {
				folder, err := filepath.Rel(root, filepath.Dir(path))
				if err != nil {
					return err
				}
				all = append(all, target{folder, f.Name.Name, first(f.Doc.Text())})
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// first returns the first sentence of a comment.
func first(comment string) string {
	sentence, _, _ := strings.Cut(strings.ReplaceAll(comment, "\n", " "), ". ")
	return strings.TrimSuffix(strings.TrimSpace(sentence), ".")
}

// counted is where the compiler counts coverage: this module, and what its decoders stand on. `go test -fuzz` would have it
// do so in everything, a whole database included, for minutes.
var counted = [...]string{"holdfast/...", "encoding/json", "encoding/csv", "go.yaml.in/yaml/v3", "github.com/klauspost/compress/zstd", "go.etcd.io/bbolt/..."}

// build compiles the tests of each folder once, and returns a folder with the programs.
func build(t *testing.T, all []target) string {
	t.Helper()
	dir := t.TempDir()
	for _, g := range all {
		program := g.program(dir)
		if _, err := os.Stat(program); err == nil {
			continue
		}
		args := []string{"test", "-c", "-o", program}
		for _, pattern := range counted {
			args = append(args, "-gcflags="+pattern+"=-d=libfuzzer")
		}
		command := exec.Command("go", append(args, "./"+filepath.ToSlash(g.folder))...)
		command.Dir = root
		if out, err := command.CombinedOutput(); err != nil {
			t.Fatalf("%v: %v\n%s", command, err, out)
		}
	}
	return dir
}

func (g target) program(dir string) string {
	return filepath.Join(dir, strings.ReplaceAll(filepath.ToSlash(g.folder), "/", "_")+".test")
}

// run fuzzes and reports whether nothing failed.
func (g target) run(ctx context.Context, t *testing.T, dir string, length time.Duration) bool {
	const ending = 2 * time.Minute // of the last execution, and to make a failing input short
	ctx, cancel := context.WithTimeout(ctx, length+ending)
	defer cancel()
	command := exec.CommandContext(ctx, g.program(dir), "-test.run", "^$", "-test.fuzz", "^"+g.name+"$", "-test.fuzztime", length.String(),
		"-test.fuzzminimizetime", "100x", "-test.parallel", "1", "-test.fuzzcachedir", filepath.Join(cache(t), g.folder))
	command.Dir = filepath.Join(root, g.folder)                                   // where its testdata lies
	command.Cancel = func() error { return command.Process.Signal(os.Interrupt) } // so that its worker ends too
	command.WaitDelay = 10 * time.Second
	out, err := command.CombinedOutput()
	if context.Cause(ctx) == context.Canceled {
		return true // because another failed
	}
	executions, interesting := counts(string(out))
	failed := err != nil && !ranOut(string(out)) || executions == 0 || strings.Contains(string(out), "without coverage guidance")
	trial := proof.Trial{
		Part: "Fuzzing", Fault: g.folder + ": " + g.name, Holds: g.about, Tried: executions, Unit: "executions",
		Note: fmt.Sprintf("%v with one worker, %d inputs that reach different code", length, interesting),
	}
	if failed {
		trial.Failed = 1
		t.Errorf("%s of %s: %v\n%s", g.name, g.folder, err, tail(string(out)))
	}
	proof.Record(t, trial)
	return !failed
}

// cache is where the go command keeps what its fuzzing found interesting.
func cache(t *testing.T) string {
	t.Helper()
	out, err := exec.Command("go", "env", "GOCACHE").Output()
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(strings.TrimSpace(string(out)), "fuzz", "holdfast")
}

var (
	progress = regexp.MustCompile(`execs: (\d+) .*total: (\d+)\)`)
	broken   = regexp.MustCompile(`Failing input written|(?m)^panic:|^fatal error:|\.go:\d+:|exited unexpectedly|FAIL.*\[`)
)

// counts returns how many executions the last line of progress names, and how many inputs the corpus has.
func counts(out string) (executions, interesting int) {
	all := progress.FindAllStringSubmatch(out, -1)
	if len(all) == 0 {
		return 0, 0
	}
	newest := all[len(all)-1]
	executions, _ = strconv.Atoi(newest[1])
	interesting, _ = strconv.Atoi(newest[2])
	return executions, interesting
}

// ranOut reports whether the go command calls a failure what is none: its own deadline came while a worker was busy.
func ranOut(out string) bool {
	return strings.Contains(out, "context deadline exceeded") && !broken.MatchString(out)
}

func tail(out string) string { return out[max(0, len(out)-3000):] }

// The end of the time is told apart from an input that fails.
func TestRanOut(t *testing.T) {
	const lines = "fuzz: elapsed: 3s, execs: 10 (3/sec), new interesting: 0 (total: 4)\n"
	for out, want := range map[string]bool{
		lines + "--- FAIL: FuzzX (3.10s)\n    context deadline exceeded\nFAIL\nexit status 1\nFAIL\tholdfast/x\t3.1s\n":                                           true,
		lines + "--- FAIL: FuzzX (1.00s)\n    --- FAIL: FuzzX (0.00s)\n        x_test.go:9: no\n    \n    Failing input written to testdata/fuzz/FuzzX/1\nFAIL\n": false,
		lines + "--- FAIL: FuzzX (1.00s)\n    fuzzing process hung or terminated unexpectedly: exit status 2\n    Failing input written to testdata/fuzz/1\n":     false,
		"FAIL\tholdfast/x [build failed]\n": false,
	} {
		if got := ranOut(out); got != want {
			t.Errorf("ran out %v, want %v:\n%s", got, want, out)
		}
	}
	if n, corpus := counts(lines); n != 10 || corpus != 4 {
		t.Errorf("counts %d and %d, want 10 and 4", n, corpus)
	}
}
