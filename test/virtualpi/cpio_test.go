package virtualpi

import (
	"bytes"
	"errors"
	"os/exec"
	"strings"
	"testing"

	"holdfast/internal/testenv"
)

func TestArchive(t *testing.T) {
	cpio := testenv.NeedProgram(t, "cpio")
	var file bytes.Buffer
	a := &archive{w: &file}
	a.add("bin", cpioFolder, nil)
	a.add("bin/hello", cpioExecutable, []byte("hello\n"))
	a.add("empty", cpioFile, nil)
	if err := a.close(); err != nil {
		t.Fatal(err)
	}

	list := exec.CommandContext(t.Context(), cpio, "-tv", "--numeric-uid-gid", "--quiet")
	list.Stdin = bytes.NewReader(file.Bytes())
	got, err := list.CombinedOutput()
	if err != nil {
		t.Fatalf("cpio -t: %v: %s", err, got)
	}
	for i, want := range [][]string{{"drwxr-xr-x", "0", "bin"}, {"-rwxr-xr-x", "6", "bin/hello"}, {"-rw-r--r--", "0", "empty"}} {
		fields := strings.Fields(strings.Split(string(got), "\n")[i])
		if fields[0] != want[0] || fields[4] != want[1] || fields[len(fields)-1] != want[2] {
			t.Errorf("entry %d: got %q, want mode, size and name %q", i, fields, want)
		}
	}

	extract := exec.CommandContext(t.Context(), cpio, "-i", "--to-stdout", "--quiet", "bin/hello")
	extract.Stdin = bytes.NewReader(file.Bytes())
	if got, err := extract.Output(); string(got) != "hello\n" || err != nil {
		t.Errorf("bin/hello: got %q, %v", got, err)
	}
}

func TestArchiveKeepsFirstError(t *testing.T) {
	t.Parallel()
	a := &archive{w: brokenWriter{}}
	a.add("file", cpioFile, []byte("data"))
	if err := a.close(); !errors.Is(err, errBroken) {
		t.Errorf("got %v, want %v", err, errBroken)
	}
}

var errBroken = errors.New("broken")

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, errBroken }
