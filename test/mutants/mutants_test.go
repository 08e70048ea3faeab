package mutants

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"holdfast/internal/proof"
)

const root = "../.."

func TestMutants(t *testing.T) {
	if os.Getenv("HOLDFAST_MUTANTS") != "1" {
		t.Skip("HOLDFAST_MUTANTS=1 builds broken variants and runs tests on each, for many minutes")
	}
	for _, m := range mutants() {
		t.Run(m.name, func(t *testing.T) {
			overlay := m.overlay(t)
			var noticed, blind []string
			for _, d := range m.detectors {
				failed, err := d.run(t, overlay)
				if err != nil {
					t.Fatal(err)
				}
				if len(failed) == 0 {
					blind = append(blind, d.String())
					continue
				}
				noticed = append(noticed, failed...)
			}
			missed := 0
			if len(blind) > 0 {
				missed = 1
				t.Errorf("not noticed by %s", strings.Join(blind, ", "))
			}
			proof.Record(t, proof.Trial{Part: "Broken variants", Fault: m.name, Holds: m.meaning, Tried: 1, Unit: "variants", Failed: missed,
				Note: "noticed by " + some(noticed)})
		})
	}
}

// some names the first few of many.
func some(names []string) string {
	const most = 5
	if n := len(names) - most; n > 1 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), n)
	}
	return strings.Join(names, ", ")
}

// overlay writes the variant of the file, and what tells the compiler to take it instead.
func (m mutant) overlay(t *testing.T) string {
	t.Helper()
	place, err := filepath.Abs(filepath.Join(root, m.file))
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile(place)
	if err != nil {
		t.Fatal(err)
	}
	text := string(source)
	for _, e := range m.edits {
		if n := strings.Count(text, e.old); n != 1 {
			t.Fatalf("%s holds the text to replace %d times, want once: %q", m.file, n, e.old)
		}
		text = strings.Replace(text, e.old, e.new, 1)
	}
	dir := t.TempDir()
	variant := filepath.Join(dir, filepath.Base(m.file))
	if err := os.WriteFile(variant, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	files, err := json.Marshal(map[string]map[string]string{"Replace": {place: variant}})
	if err != nil {
		t.Fatal(err)
	}
	overlay := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(overlay, files, 0o644); err != nil {
		t.Fatal(err)
	}
	return overlay
}

var (
	failure = regexp.MustCompile(`(?m)^\s*--- FAIL: (\S+)`)
	crashed = regexp.MustCompile(`(?m)^panic: |^fatal error: `)
)

// run runs the tests on the variant and returns the names of those that failed. An error is a run that says nothing.
func (d detector) run(t *testing.T, overlay string) (failed []string, err error) {
	t.Helper()
	c := exec.CommandContext(t.Context(), "go", "test", "-count=1", "-timeout=10m", "-run", d.tests, "./"+d.folder)
	c.Dir = root
	c.Env = append(os.Environ(), "HOLDFAST_PROOF=", "HOLDFAST_REQUIRE=1", "GOFLAGS=-overlay="+overlay)
	c.Env = append(c.Env, d.env...)
	out, err := c.CombinedOutput()
	if err == nil {
		if strings.Contains(string(out), "no tests to run") {
			return nil, fmt.Errorf("%s: there is no such test", d)
		}
		return nil, nil
	}
	seen := map[string]bool{}
	for _, match := range failure.FindAllStringSubmatch(string(out), -1) {
		if name := strings.Split(match[1], "/")[0]; !seen[name] {
			seen[name] = true
			failed = append(failed, name)
		}
	}
	if len(failed) == 0 && crashed.Match(out) {
		failed = append(failed, d.folder+" (panic)")
	}
	if len(failed) == 0 {
		return nil, fmt.Errorf("%s: %w, and no test failed:\n%s", d, err, out)
	}
	return failed, nil
}

// Every variant still has the text in the tree that it replaces.
func TestVariantsApply(t *testing.T) {
	t.Parallel()
	for _, m := range mutants() {
		t.Run(m.name, func(t *testing.T) { m.overlay(t) })
	}
}
