package buffer

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"holdfast"
)

// A power cut between Quarantine and the end of Salvage does not make the salvage forgotten.
func TestUnsalvaged(t *testing.T) {
	t.Parallel()
	o := testOptions(t)
	b := mustOpen(t, o)
	store(t, b, records(holdfast.LaneEvent, 1, 3)...)
	b.Close()
	if got := Unsalvaged(o.Path); got != "" {
		t.Errorf("%q waits before anything was damaged", got)
	}
	damaged, err := Quarantine(o.Path)
	if err != nil {
		t.Fatal(err)
	}
	if got := Unsalvaged(o.Path); got != damaged {
		t.Errorf("%q waits, want %q", got, damaged)
	}
	if _, err := Salvage(t.Context(), damaged, o); err != nil {
		t.Fatal(err)
	}
	if got := Unsalvaged(o.Path); got != "" {
		t.Errorf("%q waits after it was salvaged", got)
	}
	want(t, owed(t, mustOpen(t, o), holdfast.LaneEvent, 10), "data 1-3")
}

func TestQuarantineLeavesAFileInUse(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("the lock is looked at on Linux only")
	}
	o := testOptions(t)
	mustOpen(t, o)
	if _, err := Quarantine(o.Path); err == nil || !strings.Contains(err.Error(), "another process holds "+o.Path) {
		t.Errorf("Quarantine: %v", err)
	}
	if !NeedsCheck(o.Path) {
		t.Error("the file is gone")
	}
}

func TestQuarantine(t *testing.T) {
	t.Parallel()
	o := testOptions(t)
	var moved []string
	for range 5 {
		mustOpen(t, o).Close()
		to, err := Quarantine(o.Path)
		if err != nil {
			t.Fatal(err)
		}
		if NeedsCheck(o.Path) {
			t.Error("the file is still there")
		}
		moved = append(moved, to)
	}
	left, err := filepath.Glob(filepath.Join(filepath.Dir(o.Path), "quarantine", "*"))
	if err != nil || !slices.Equal(left, moved[2:]) {
		t.Errorf("in quarantine: %v, want the newest of %v", left, moved)
	}
	if _, err := Quarantine(o.Path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("of no file: %v", err)
	}
}
