package buffer

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"holdfast"
)

func testOptions(t testing.TB) Options { return testOptionsIn(t.TempDir()) }

// memoryDir returns a folder where fsync costs nothing, if the machine has one: for tests that commit a thousand times
// and prove nothing about cards. What goes there must be small.
func memoryDir(t testing.TB) string {
	dir, err := os.MkdirTemp("/dev/shm", "holdfast-buffer-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func testOptionsIn(dir string) Options {
	return Options{
		Path:   filepath.Join(dir, "data", "buffer.db"),
		Device: "pi-7",
		Log:    slog.New(slog.DiscardHandler),
	}
}

func mustOpen(t testing.TB, o Options) *Buffer {
	t.Helper()
	b, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

var epoch = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)

// record returns a record that says which one it is.
func record(lane holdfast.Lane, n int) Record {
	at := epoch.Add(time.Duration(n) * time.Second)
	return Record{Lane: lane, Time: at, Mono: int64(n) * 1e6, Data: fmt.Appendf(nil, `{"time":%q,"n":%d}`, at.Format(time.RFC3339), n)}
}

func records(lane holdfast.Lane, from, to int) []Record {
	var out []Record
	for n := from; n <= to; n++ {
		out = append(out, record(lane, n))
	}
	return out
}

// store appends records and commits them without Run.
func store(t testing.TB, b *Buffer, rs ...Record) {
	t.Helper()
	if err := b.Append(Change{Records: rs}); err != nil {
		t.Fatal(err)
	}
	if err := b.commit(false); err != nil {
		t.Fatal(err)
	}
}

// storeApart stores records in blocks of their own, which do not stay in the tail.
func storeApart(t testing.TB, b *Buffer, rs ...Record) {
	t.Helper()
	b.writer.root.fixed = pageSize // as if the root page were full
	store(t, b, rs...)
}

// owed takes everything that is owed, the way the uplink does, and writes each statement as a short line.
func owed(t testing.TB, b *Buffer, lane holdfast.Lane, maxRecords int) []string {
	t.Helper()
	var out []string
	var at holdfast.Position
	for {
		batch, ok, err := b.Next(lane, at, maxRecords, holdfast.MaxBatchBytes)
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			return out
		}
		if err := batch.Validate(); err != nil {
			t.Fatalf("batch %+v: %v", batch, err)
		}
		line := fmt.Sprintf("%s %d-%d", batch.What, batch.First, batch.Last)
		if batch.Cause != "" {
			line += " " + string(batch.Cause)
		}
		out = append(out, line)
		at = holdfast.Position{Stream: batch.Stream, Seq: batch.Last}
	}
}

func want(t testing.TB, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("got  %s\nwant %s", strings.Join(got, ", "), strings.Join(want, ", "))
	}
}

func ranges(numbers ...uint64) holdfast.Ranges {
	var out holdfast.Ranges
	for i := 0; i < len(numbers); i += 2 {
		out = append(out, holdfast.Range{First: numbers[i], Last: numbers[i+1]})
	}
	return out
}

// start runs the buffer; the function that it returns ends it well.
func start(t testing.TB, b *Buffer) (stop func()) {
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- b.Run(ctx) }()
	return func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
	}
}

func TestTelemetryIsDurableWithinTheWindow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := testOptions(t)
		o.Window = 10 * time.Second
		b := mustOpen(t, o)
		defer start(t, b)()
		if err := b.Append(Change{Records: records(holdfast.LaneTelemetry, 1, 3)}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(9 * time.Second)
		want(t, owed(t, b, holdfast.LaneTelemetry, 10))
		time.Sleep(2 * time.Second)
		want(t, owed(t, b, holdfast.LaneTelemetry, 10), "data 1-3")
	})
}

func TestAlertsAndUrgentChangesAreDurableAtOnce(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]Change{
		"alert":  {Records: []Record{record(holdfast.LaneAlert, 1)}},
		"event":  {Records: []Record{record(holdfast.LaneEvent, 1)}},
		"urgent": {Records: []Record{record(holdfast.LaneTelemetry, 1)}, Urgent: true},
		"full":   {Records: records(holdfast.LaneTelemetry, 1, 1000)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				o := testOptions(t)
				o.Window = time.Hour
				b := mustOpen(t, o)
				defer start(t, b)()
				<-b.Changed()
				if err := b.Append(c); err != nil {
					t.Fatal(err)
				}
				synctest.Wait()
				if got := b.Status().Lanes[c.Records[0].Lane].Head; got != uint64(len(c.Records)) {
					t.Errorf("head %d, want %d", got, len(c.Records))
				}
				select {
				case <-b.Changed():
				default:
					t.Error("Changed was not signalled")
				}
			})
		})
	}
}

func TestNothingIsWrittenWithoutNeed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := mustOpen(t, testOptions(t))
		defer start(t, b)()
		b.Append(Change{Records: records(holdfast.LaneTelemetry, 1, 3)})
		time.Sleep(time.Minute)
		before := b.Status().Commits
		if before != 2 {
			t.Errorf("%d commits for the birth and one window, want 2", before)
		}
		done := func(n uint64) { b.Done(b.Stream(), holdfast.LaneTelemetry, ranges(n, n)) }
		for _, c := range []struct {
			do    func()
			wait  time.Duration
			more  uint64
			after string
		}{
			{func() { done(1) }, 2 * time.Second, 1, "a receipt after a minute of silence"},
			{func() { done(2) }, 7 * time.Second, 1, "another right behind it"},
			{func() { done(3) }, 4 * time.Second, 2, "ten seconds"},
			{func() {}, time.Minute, 2, "silence"},
		} {
			c.do()
			time.Sleep(c.wait)
			if got := b.Status().Commits - before; got != c.more {
				t.Errorf("after %s: %d commits, want %d", c.after, got, c.more)
			}
		}
	})
}

func TestCommitsShareATransaction(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := mustOpen(t, testOptions(t))
		const n = 20
		errs := make(chan error, n)
		for i := range n {
			go func() {
				errs <- b.Commit(t.Context(), Change{Records: []Record{record(holdfast.LaneEvent, i)}, State: map[string][]byte{fmt.Sprint(i): []byte("x")}})
			}()
		}
		synctest.Wait()
		defer start(t, b)()
		for range n {
			if err := <-errs; err != nil {
				t.Error(err)
			}
		}
		s := b.Status()
		if s.Lanes[holdfast.LaneEvent].Head != n || s.Commits != 2 {
			t.Errorf("head %d after %d commits, want %d after the birth and one more", s.Lanes[holdfast.LaneEvent].Head, s.Commits, n)
		}
		if got := len(b.StateKeys("")); got != n {
			t.Errorf("%d keys, want %d", got, n)
		}
	})
}

func TestReopen(t *testing.T) {
	t.Parallel()
	for _, clean := range []bool{true, false} {
		t.Run(fmt.Sprintf("clean %v", clean), func(t *testing.T) {
			t.Parallel()
			o := testOptions(t)
			b := mustOpen(t, o)
			if b.Previous() != nil {
				t.Errorf("previous %+v on the first start", b.Previous())
			}
			first := b.Stream()
			store(t, b, records(holdfast.LaneTelemetry, 1, 5)...)
			store(t, b, record(holdfast.LaneEvent, 1))
			b.Done(first, holdfast.LaneTelemetry, ranges(2, 3))
			b.Append(Change{Records: records(holdfast.LaneTelemetry, 6, 7), State: map[string][]byte{"settings": []byte("on"), "gone": nil}})
			if clean {
				start(t, b)()
			} else {
				b.commit(false)
				b.Append(Change{Records: records(holdfast.LaneTelemetry, 8, 9)})
				b.Close()
			}
			if got := NeedsCheck(o.Path); got == clean {
				t.Errorf("NeedsCheck %v after a stop with clean %v", got, clean)
			}
			b = mustOpen(t, o)
			if !NeedsCheck(o.Path) {
				t.Error("an open file does not need a check")
			}
			p := b.Previous()
			if p == nil || p.Stream != first || p.Clean != clean || p.Lanes[holdfast.LaneTelemetry] != 7 || p.Lanes[holdfast.LaneEvent] != 1 || p.Lanes[holdfast.LaneAlert] != 0 {
				t.Errorf("previous %+v, want stream %s with heads 7, 1 and 0", p, first)
			}
			if b.Stream() == first {
				t.Error("the same stream twice")
			}
			want(t, owed(t, b, holdfast.LaneTelemetry, 100), "data 1-1", "data 4-7")
			if got := string(b.State("settings")); got != "on" {
				t.Errorf("settings %q", got)
			}
			want(t, b.StateKeys(""), "settings")
			older := b.Status().Older
			if len(older) != 1 || older[0].Lanes[holdfast.LaneTelemetry].Pending != 5 || !older[0].Lanes[holdfast.LaneTelemetry].Oldest.Equal(epoch.Add(time.Second)) {
				t.Errorf("older streams %+v", older)
			}
		})
	}
}

func TestOneProcessHoldsTheFile(t *testing.T) {
	t.Parallel()
	o := testOptions(t)
	mustOpen(t, o)
	if _, err := Open(o); err == nil || !strings.Contains(err.Error(), "another process holds "+o.Path) {
		t.Errorf("second Open: %v", err)
	}
	if _, err := Check(t.Context(), o.Path); err == nil || errors.Is(err, ErrDamaged) {
		t.Errorf("Check of a file in use: %v", err)
	}
}

// Two processes that give birth at the same time do not end with a file each.
func TestOneProcessGivesBirth(t *testing.T) {
	t.Parallel()
	o := testOptions(t)
	first, err := openFile(o.Path, minBytes)
	if err != nil {
		t.Fatal(err)
	}
	mustOpen(t, o)
	if err := first.settle(minBytes); err == nil || !strings.Contains(err.Error(), "another process holds "+o.Path) {
		t.Errorf("the second file: %v", err)
	}
	first.db.Close()
	files, err := filepath.Glob(o.Path + "*")
	if err != nil || !slices.Equal(files, []string{o.Path}) {
		t.Errorf("files %v", files)
	}
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*Options){
		"device": func(o *Options) { o.Device = "" },
		"cap":    func(o *Options) { o.MaxBytes = 1000 },
	} {
		o := testOptions(t)
		change(&o)
		if b, err := Open(o); err == nil {
			b.Close()
			t.Errorf("%s: no error", name)
		}
	}
}

func TestClosed(t *testing.T) {
	t.Parallel()
	b := mustOpen(t, testOptions(t))
	start(t, b)()
	c := Change{Records: []Record{record(holdfast.LaneEvent, 1)}}
	_, _, next := b.Next(holdfast.LaneEvent, holdfast.Position{}, 1, 1)
	for name, err := range map[string]error{
		"Append": b.Append(c), "Commit": b.Commit(t.Context(), c), "Next": next,
		"Done": b.Done(b.Stream(), holdfast.LaneEvent, ranges(1, 1)), "AgainAll": b.AgainAll(),
	} {
		if !errors.Is(err, ErrClosed) {
			t.Errorf("%s: %v, want ErrClosed", name, err)
		}
	}
}
