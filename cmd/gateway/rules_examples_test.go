package main

import (
	"bytes"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
)

const examples = "../../docs/rules/examples"

// Each example does with its recording what its golden trace says: every alert, window, derived reading and event, and the
// table behind them. go test ./cmd/gateway -run TestExamples -update writes recordings and traces anew.
func TestExamples(t *testing.T) {
	all := recordings()
	files, err := filepath.Glob(filepath.Join(examples, "*.yaml"))
	if err != nil || len(files) != len(all) {
		t.Fatalf("%d files of rules, %d recordings, %v", len(files), len(all), err)
	}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(examples, name)
			made := []byte(all[name])
			if *update {
				write(t, path+".csv", made)
			}
			// On other processors a multiplication and an addition may be one, with another last digit.
			if runtime.GOARCH == "amd64" && !bytes.Equal(made, contents(t, path+".csv")) {
				t.Errorf("%s.csv is not what recordings_test.go makes", name)
			}
			if len(made) > 150<<10 {
				t.Errorf("%s.csv has %d bytes, want at most 150 kB", name, len(made))
			}
			var trace bytes.Buffer
			if err := rulesRehearse(t.Context(), []string{path + ".yaml", "--csv", path + ".csv", "--trace"}, &trace); err != nil {
				t.Fatal(err)
			}
			if *update {
				write(t, path+".golden", trace.Bytes())
			}
			got, want := bytes.Split(trace.Bytes(), []byte("\n")), bytes.Split(contents(t, path+".golden"), []byte("\n"))
			for i := range max(len(got), len(want)) {
				if i >= len(got) || i >= len(want) || !bytes.Equal(got[i], want[i]) {
					t.Fatalf("line %d is not that of the golden trace:\n%s\nwant\n%s", i+1, at(got, i), at(want, i))
				}
			}
		})
	}
}

// The page about the examples shows the tables that their rehearsals print.
func TestExamplesPage(t *testing.T) {
	t.Parallel()
	const file = "../../docs/rules/examples.md"
	page := contents(t, file)
	shown := page
	for name := range recordings() {
		begin, end := []byte("<!-- rehearsed "+name+" -->\n"), []byte("<!-- /rehearsed -->")
		before, rest, ok := bytes.Cut(shown, begin)
		_, after, ended := bytes.Cut(rest, end)
		_, table, traced := bytes.Cut(contents(t, filepath.Join(examples, name+".golden")), []byte("\n\n"))
		if !ok || !ended || !traced {
			t.Fatalf("no place for %s in %s, or no table in its trace", name, file)
		}
		shown = slices.Concat(before, begin, []byte("```\n"), table, []byte("```\n"), end, after)
	}
	if bytes.Equal(page, shown) {
		return
	}
	if *update {
		write(t, file, shown)
		return
	}
	t.Errorf("%s does not show what the examples print: go test ./cmd/gateway -run TestExamples -update", file)
}

func at(lines [][]byte, i int) []byte {
	if i < len(lines) {
		return lines[i]
	}
	return []byte("(the end)")
}

func contents(t *testing.T, file string) []byte {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func write(t *testing.T, file string, text []byte) {
	t.Helper()
	if err := os.WriteFile(file, text, 0o644); err != nil {
		t.Fatal(err)
	}
}
