package arch

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const root = "../.."

func TestImports(t *testing.T) {
	t.Parallel()
	m := module{"holdfast", doors()}
	for _, wrong := range m.check(list(t)) {
		t.Error(wrong)
	}
}

func TestGatewayIsLight(t *testing.T) {
	t.Parallel()
	for _, arch := range []string{"arm", "arm64"} {
		deps := strings.Fields(goList(t, []string{"GOOS=linux", "GOARCH=" + arch}, "-deps", "./cmd/gateway"))
		if !slices.Contains(deps, "holdfast/buffer") {
			t.Errorf("%s: dependencies without the buffer: these are not the gateway's", arch)
		}
		for _, wrong := range checkDeps("cmd/gateway for "+arch, deps, heavy()) {
			t.Error(wrong)
		}
	}
}

func TestSources(t *testing.T) {
	t.Parallel()
	for _, p := range list(t) {
		comment := 0
		bubbles := slices.Contains(slices.Concat(p.TestImports, p.XTestImports), "testing/synctest")
		for _, file := range slices.Concat(p.GoFiles, p.IgnoredGoFiles, p.TestGoFiles, p.XTestGoFiles) {
			source, err := os.ReadFile(filepath.Join(p.Dir, file))
			if err != nil {
				t.Fatal(err)
			}
			name := filepath.Join(module{path: "holdfast"}.place(p.ImportPath), file)
			wrong, err := checkFile(name, source, bubbles)
			if err != nil {
				t.Error(err)
			}
			for _, w := range wrong {
				t.Error(w)
			}
			n, err := commentLines(name, source)
			if err != nil {
				t.Error(err)
			}
			comment += n
		}
		if comment < minComment || comment > maxComment {
			t.Errorf("%s: package comment of %d lines, want %d to %d", p.ImportPath, comment, minComment, maxComment)
		}
	}
}

// list returns every package of the module.
func list(t *testing.T) []goPackage {
	t.Helper()
	var packages []goPackage
	for decoder := json.NewDecoder(strings.NewReader(goList(t, nil, "-json", "./..."))); ; {
		var p goPackage
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		packages = append(packages, p)
	}
	return packages
}

func goList(t *testing.T, environment []string, args ...string) string {
	t.Helper()
	c := exec.CommandContext(t.Context(), "go", append([]string{"list"}, args...)...)
	c.Dir, c.Env = root, append(os.Environ(), environment...)
	out, err := c.Output()
	if err != nil {
		if exit, ok := errors.AsType[*exec.ExitError](err); ok {
			t.Fatalf("go list: %v: %s", err, exit.Stderr)
		}
		t.Fatalf("go list: %v", err)
	}
	return string(out)
}
