package balena

import (
	"bytes"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// locked reports what the supervisor and the host OS would find.
func locked(t *testing.T, path string) (file, flocked bool) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		return false, false
	}
	defer f.Close()
	return true, syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) != nil
}

func TestLocks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "updates.lock")
		l := NewLocks(path, quiet())
		want := func(when string, want bool) {
			t.Helper()
			synctest.Wait()
			if file, flocked := locked(t, path); file != want || flocked != want {
				t.Errorf("%s: file %v, flock %v, want both %v", when, file, flocked, want)
			}
			if left, _ := filepath.Glob(path + ".*"); len(left) > 0 {
				t.Errorf("%s: %q is left", when, left)
			}
		}
		want("before", false)
		release := l.Hold("a test", time.Minute)
		want("held", true)
		release()
		release()
		want("released", false)

		// Never for ever.
		l.Hold("a hang", time.Minute)
		time.Sleep(59 * time.Second)
		want("almost too long", true)
		time.Sleep(2 * time.Second)
		want("too long", false)

		// A second holder goes on without, and takes nothing away from the first.
		release = l.Hold("the first", time.Minute)
		l.Hold("the second", time.Minute)()
		want("by the first", true)
		release()
		want("by nobody", false)
	})
}

// Off balena there is no folder, and none is made.
func TestLocksAbsent(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "balena")
	NewLocks(filepath.Join(folder, "updates.lock"), quiet()).Hold("nothing", time.Minute)()
	if _, err := os.Stat(folder); err == nil {
		t.Error("the folder is there now")
	}
}

// The supervisor's own lock is left alone, at the start and when it is met.
func TestLocksForeign(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "updates.lock")
	if err := os.WriteFile(path, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	NewLocks(path, slog.New(slog.NewTextHandler(&log, nil))).Hold("salvage", time.Minute)()
	if file, flocked := locked(t, path); !file || flocked {
		t.Errorf("file %v, flock %v, want the file as it was", file, flocked)
	}
	if !strings.Contains(log.String(), "another holds it") {
		t.Errorf("log %s", &log)
	}
}

// A lock of ours whose process was killed is reclaimed by the next start, and not while that process lives.
func TestLocksStale(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "updates.lock")
	holder := exec.Command(os.Args[0], "-test.run=^TestLockHolder$")
	holder.Env = append(os.Environ(), "HOLDFAST_LOCK="+path)
	out, err := holder.StdoutPipe()
	if err == nil {
		err = holder.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	defer holder.Process.Kill()
	if _, err := out.Read(make([]byte, 1)); err != nil { // it has the lock
		t.Fatal(err)
	}
	l := NewLocks(path, quiet())
	l.Hold("something else", time.Minute)()
	if file, flocked := locked(t, path); !file || !flocked {
		t.Errorf("while it is held: file %v, flock %v", file, flocked)
	}
	holder.Process.Kill()
	holder.Wait()
	if file, flocked := locked(t, path); !file || flocked {
		t.Errorf("after the kill: file %v, flock %v, want the file alone", file, flocked)
	}
	NewLocks(path, quiet())
	if file, _ := locked(t, path); file {
		t.Error("the stale lock is still there")
	}
}

// TestLockHolder is the process that TestLocksStale kills.
func TestLockHolder(t *testing.T) {
	path := os.Getenv("HOLDFAST_LOCK")
	if path == "" {
		t.Skip("is a part of TestLocksStale")
	}
	NewLocks(path, quiet()).Hold("the test", time.Hour)
	os.Stdout.WriteString("x")
	time.Sleep(time.Hour)
}
