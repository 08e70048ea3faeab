package buffer

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"holdfast"
	"holdfast/internal/testenv"
)

// A folder that takes no file at the start does not end the buffer: records get numbers and can be sent, the stream says that
// it is volatile, and from the moment that the folder takes a file they are durable, in the same stream.
func TestFolderTakesNoFile(t *testing.T) {
	t.Parallel()
	for name, refuse := range map[string]func(t *testing.T) (o Options, mend func()){
		"read-only": func(t *testing.T) (Options, func()) {
			dir := testenv.SmallDisk(t, 8<<20)
			testenv.Remount(t, dir, "ro")
			return testOptionsIn(dir), func() { testenv.Remount(t, dir, "rw") }
		},
		"missing and cannot be made": func(t *testing.T) (Options, func()) {
			dir := filepath.Join(t.TempDir(), "data")
			if err := os.WriteFile(dir, nil, 0o600); err != nil {
				t.Fatal(err)
			}
			return testOptionsIn(filepath.Join(dir, "folder")), func() { os.Remove(dir) }
		},
		"full": func(t *testing.T) (Options, func()) {
			dir := testenv.SmallDisk(t, 4<<20)
			ballast := filepath.Join(dir, "ballast")
			os.WriteFile(ballast, make([]byte, 8<<20), 0o600) // as far as it goes
			return testOptionsIn(dir), func() { os.Remove(ballast) }
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o, mend := refuse(t)
			var told changes
			o.Report = told.add
			b := mustOpen(t, o)
			stop := running(t, b)
			appendTelemetry(t, b, 1, 50)
			testenv.Poll(t.Context(), t, 10*time.Second, "records to be sent", func() bool { return b.Status().Lanes[holdfast.LaneTelemetry].Head == 50 })
			if s := b.Status(); !s.Volatile || s.Failing == "" {
				t.Errorf("status %+v, want volatile, with the reason", s)
			}
			batch, ok, err := b.Next(holdfast.LaneTelemetry, holdfast.Position{}, 1000, 1<<20)
			if !ok || err != nil || batch.Stream != b.Stream() || batch.Last != 50 {
				t.Fatalf("next: %v, %v, %v", batch, ok, err)
			}
			b.Done(batch.Stream, batch.Lane, ranges(1, 20))
			mend()
			testenv.Poll(t.Context(), t, 20*time.Second, "the folder to have a file", func() bool { return !b.Status().Volatile })
			if s := b.Status(); s.Failing != "" {
				t.Errorf("failing still: %s", s.Failing)
			}
			appendTelemetry(t, b, 51, 60)
			if err := stop(); err != nil {
				t.Fatal(err)
			}
			told.want(t, stateFailing, stateRecovered)
			checkAlone(t, o.Path)
			checkWell(t, o)
			again := mustOpen(t, o)
			defer again.Close()
			if p := again.Previous(); p == nil || p.Stream != batch.Stream || !p.Clean || p.Lanes[holdfast.LaneTelemetry] != 60 {
				t.Errorf("previous %+v, want the stream, ended well with 60 records", p)
			}
			batch, ok, err = again.Next(holdfast.LaneTelemetry, holdfast.Position{}, 1000, 1<<20)
			if !ok || err != nil || batch.First != 21 || batch.Last != 60 {
				t.Errorf("owed %d to %d, %v, %v, want 21 to 60", batch.First, batch.Last, ok, err)
			}
		})
	}
}

// What stands in a read-only folder is sent from there, with its state, and goes on where it is when the folder is writable.
func TestReadOnlyFolderWithFile(t *testing.T) {
	t.Parallel()
	for _, clean := range []bool{true, false} {
		t.Run(fmt.Sprintf("clean %t", clean), func(t *testing.T) {
			t.Parallel()
			dir := testenv.SmallDisk(t, 8<<20)
			o := testOptionsIn(dir)
			b := mustOpen(t, o)
			first := b.Stream()
			if err := b.Append(Change{State: map[string][]byte{"key": []byte("value")}}); err != nil {
				t.Fatal(err)
			}
			appendTelemetry(t, b, 1, 30)
			end := b.end
			if !clean {
				end = func() error { b.commit(false); return b.Close() }
			}
			if err := end(); err != nil {
				t.Fatal(err)
			}
			testenv.Remount(t, dir, "ro")

			b = mustOpen(t, o)
			stop := running(t, b)
			appendTelemetry(t, b, 1, 5)
			testenv.Poll(t.Context(), t, 10*time.Second, "records", func() bool { return b.Status().Lanes[holdfast.LaneTelemetry].Head == 5 })
			if s := b.Status(); !s.Volatile || len(s.Older) != 1 || string(b.State("key")) != "value" {
				t.Errorf("status %+v, state %q, want the former stream and state", s, b.State("key"))
			}
			b.Done(first, holdfast.LaneTelemetry, ranges(1, 30))
			testenv.Remount(t, dir, "rw")
			testenv.Poll(t.Context(), t, 20*time.Second, "the folder to have it", func() bool { return !b.Status().Volatile })
			second := b.Stream()
			if err := stop(); err != nil {
				t.Fatal(err)
			}
			checkAlone(t, o.Path)
			checkWell(t, o)
			b = mustOpen(t, o)
			defer b.Close()
			batch, ok, err := b.Next(holdfast.LaneTelemetry, holdfast.Position{}, 1000, 1<<20)
			if !ok || err != nil || batch.Stream != second || batch.Last != 5 {
				t.Errorf("owed: %v, %v, %v, want the five of the second stream only", batch, ok, err)
			}
		})
	}
}

// A change whose maker waits until it is durable is refused meanwhile. A stop tries once more, and says what it could not
// keep, unless all of it was delivered.
func TestStopWithoutFile(t *testing.T) {
	t.Parallel()
	dir := testenv.SmallDisk(t, 8<<20)
	testenv.Remount(t, dir, "ro")
	b := mustOpen(t, testOptionsIn(dir))
	appendTelemetry(t, b, 1, 5)
	if err := b.Commit(t.Context(), Change{Urgent: true}); !errors.Is(err, syscall.EROFS) {
		t.Errorf("commit: %v, want why it is not durable", err)
	}
	if err := b.end(); err == nil {
		t.Error("a stop without a file is no error")
	}
	b = mustOpen(t, testOptionsIn(dir))
	appendTelemetry(t, b, 1, 5)
	b.commit(false)
	b.Done(b.Stream(), holdfast.LaneTelemetry, ranges(1, 5))
	if err := b.end(); err != nil {
		t.Errorf("a stop when all is delivered: %v", err)
	}
	testenv.Remount(t, dir, "rw")
}

// A file that stands in the way and is not what the buffer goes on from is left alone.
func TestFolderHasAnotherFile(t *testing.T) {
	t.Parallel()
	dir := testenv.SmallDisk(t, 8<<20)
	testenv.Remount(t, dir, "ro")
	o := testOptionsIn(dir)
	b := mustOpen(t, o)
	appendTelemetry(t, b, 1, 1)
	testenv.Remount(t, dir, "rw")
	os.Mkdir(filepath.Dir(o.Path), 0o755)
	if err := os.WriteFile(o.Path, []byte("another"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := b.end(); err == nil {
		t.Error("no error")
	}
	if text, err := os.ReadFile(o.Path); string(text) != "another" {
		t.Errorf("%q, %v, want the other file as it was", text, err)
	}
}

func appendTelemetry(t *testing.T, b *Buffer, first, last int) {
	t.Helper()
	for i := first; i <= last; i++ {
		if err := b.Append(Change{Records: []Record{record(holdfast.LaneTelemetry, i)}}); err != nil {
			t.Fatal(err)
		}
	}
}

// running runs b until stop.
func running(t *testing.T, b *Buffer) (stop func() error) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- b.Run(ctx) }()
	stop = sync.OnceValue(func() error { cancel(); return <-ended })
	t.Cleanup(func() { stop() })
	return stop
}

// checkAlone looks that there are no leftovers beside the file.
func checkAlone(t *testing.T, path string) {
	t.Helper()
	left, err := filepath.Glob(path + ".*")
	if err != nil || len(left) != 1 || left[0] != cleanPath(path) {
		t.Errorf("beside the file: %v, %v, want the mark of the clean stop", left, err)
	}
}

type changes struct {
	mu     sync.Mutex
	states []string
}

func (c *changes) add(change holdfast.BufferChange) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.states = append(c.states, change.State)
}

func (c *changes) want(t *testing.T, states ...string) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	if fmt.Sprint(c.states) != fmt.Sprint(states) {
		t.Errorf("told of %v, want %v", c.states, states)
	}
}
