package buffer

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"pgregory.net/rapid"

	"holdfast"
)

// refuse makes the card refuse every write to the buffer's file, as a mount that turned read-only does; the function
// that it returns ends that.
func refuse(t rapid.TB, path string) (accept func()) {
	t.Helper()
	fd := -1
	links, err := filepath.Glob("/proc/self/fd/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, link := range links {
		if name, err := os.Readlink(link); err == nil && name == path {
			fmt.Sscan(filepath.Base(link), &fd)
		}
	}
	readOnly, err := os.Open(path)
	if err != nil || fd < 0 {
		t.Fatalf("descriptor %d of %s: %v", fd, path, err)
	}
	defer readOnly.Close()
	saved, err := syscall.Dup(fd)
	if err != nil {
		t.Fatal(err)
	}
	replace := func(with int) {
		if err := syscall.Dup3(with, fd, syscall.O_CLOEXEC); err != nil {
			t.Error(err)
		}
	}
	replace(int(readOnly.Fd()))
	return func() {
		replace(saved)
		syscall.Close(saved)
	}
}

func TestACardThatRefuses(t *testing.T) {
	t.Parallel()
	var changes []holdfast.BufferChange
	o := testOptions(t)
	o.Report = func(c holdfast.BufferChange) { changes = append(changes, c) }
	b := mustOpen(t, o)
	store(t, b, records(holdfast.LaneTelemetry, 1, 3)...)
	accept := refuse(t, o.Path)
	b.Done(b.Stream(), holdfast.LaneTelemetry, ranges(1, 1))
	for n := 4; n <= 6; n++ {
		b.Append(Change{Records: []Record{record(holdfast.LaneTelemetry, n)}, State: map[string][]byte{"rules": fmt.Append(nil, n)}})
		if err := b.commit(false); err == nil {
			t.Fatal("the commit succeeded")
		}
		b.announce()
	}
	if s := b.Status(); s.Failing == "" || s.Failures != 3 || s.Queued != 3 || s.Lanes[holdfast.LaneTelemetry].Head != 3 {
		t.Errorf("status %+v", s)
	}
	if got := string(b.State("rules")); got != "6" {
		t.Errorf("state %q, want the newest", got)
	}
	want(t, owed(t, b, holdfast.LaneTelemetry, 10), "data 2-3") // what is durable can be read and sent
	accept()
	b.commit(false)
	b.announce()
	if len(changes) != 2 || changes[0].State != stateFailing || changes[0].Error == "" || changes[1].State != stateRecovered {
		t.Errorf("reported %+v, want failing and recovered", changes)
	}
	want(t, owed(t, b, holdfast.LaneTelemetry, 10), "data 2-6")
	b.Close()
	if report, err := Check(t.Context(), o.Path); err != nil {
		t.Errorf("%+v: %v", report, err)
	}
	b = mustOpen(t, o)
	want(t, owed(t, b, holdfast.LaneTelemetry, 10), "data 2-6")
	if got := string(b.State("rules")); got != "6" {
		t.Errorf("state %q, want the newest", got)
	}
}

// An error of Commit means that nothing of the change is or becomes durable.
func TestCommitIsTakenBack(t *testing.T) {
	t.Parallel()
	o := testOptions(t)
	b := mustOpen(t, o)
	commit := func(n int, value string) error {
		return b.Commit(t.Context(), Change{Records: []Record{record(holdfast.LaneEvent, n)}, State: map[string][]byte{"settings": []byte(value), "new": []byte(value)}})
	}
	b.Append(Change{State: map[string][]byte{"settings": []byte("on")}})
	b.commit(false)
	stop := start(t, b)
	accept := refuse(t, o.Path)
	b.Append(Change{Records: []Record{record(holdfast.LaneTelemetry, 1)}})
	for n := range 3 {
		if err := commit(n, "off"); err == nil || !strings.Contains(err.Error(), "bad file descriptor") {
			t.Fatalf("Commit: %v", err)
		}
	}
	if got := string(b.State("settings")); got != "on" || b.State("new") != nil {
		t.Errorf("state %q and %q after the change was taken back", got, b.State("new"))
	}
	accept()
	if err := commit(4, "dim"); err != nil {
		t.Fatal(err)
	}
	want(t, owed(t, b, holdfast.LaneEvent, 10), "data 1-1")
	batch, _, _ := b.Next(holdfast.LaneEvent, holdfast.Position{}, 1, 1)
	if got := string(batch.Records[0]); !strings.Contains(got, `"n":4`) {
		t.Errorf("event %s, want the one that was committed", got)
	}
	want(t, owed(t, b, holdfast.LaneTelemetry, 10), "data 1-1")
	stop()
	b = mustOpen(t, o)
	if got := string(b.State("settings")); got != "dim" {
		t.Errorf("settings %q", got)
	}
}

func TestCommitEndsWithItsContext(t *testing.T) {
	t.Parallel()
	b := mustOpen(t, testOptions(t))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := b.Commit(ctx, Change{Records: []Record{record(holdfast.LaneEvent, 1)}}); !errors.Is(err, context.Canceled) {
		t.Errorf("Commit: %v", err)
	}
}

// bbolt shows a transaction whose very last page the card refused: the meta page is written, the fsync fails. The next
// one must not leave a trace of it.
func TestACommitThatFailedAndShowsAllTheSame(t *testing.T) {
	t.Parallel()
	o := testOptions(t)
	b := mustOpen(t, o)
	store(t, b, records(holdfast.LaneEvent, 1, 2)...)
	b.Append(Change{Records: records(holdfast.LaneEvent, 3, 1500), State: map[string][]byte{"kept": []byte("a")}})
	w := &waiter{done: make(chan struct{})}
	for n := range 4 { // blocks of their own, and one that becomes a statement
		w.change.Records = append(w.change.Records, Record{Lane: holdfast.LaneEvent, Data: fmt.Appendf(nil, `"%*d"`, blockBytes, n)})
	}
	w.change.Records[0].Data = fmt.Appendf(nil, `"%*d"`, maxRecord, 0)
	b.waiting = append(b.waiting, w)
	b.stage(map[string][]byte{"taken back": []byte("b")}, w)

	p := b.take(false)
	b.arrange(p)
	b.fit(p)
	if err := b.db.Update(p.write); err != nil {
		t.Fatal(err)
	}
	b.settle(p, syscall.EIO)

	if <-w.done; !errors.Is(w.err, syscall.EIO) {
		t.Errorf("the waiter got %v", w.err)
	}
	want(t, owed(t, b, holdfast.LaneEvent, 10), "data 1-2")
	b.Append(Change{Records: records(holdfast.LaneEvent, 6001, 6001)})
	if err := b.commit(false); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		want(t, b.StateKeys(""), "kept")
		if got := b.streams[0].lanes[1].head; got != 1501 {
			t.Errorf("head %d, want 1501", got)
		}
		batch, _, err := b.Next(holdfast.LaneEvent, holdfast.Position{Stream: b.streams[0].id, Seq: 1500}, 10, 1000)
		if err != nil || batch.First != 1501 || batch.Last != 1501 || !strings.Contains(string(batch.Records[0]), "6001") {
			t.Errorf("behind what was appended: %+v, %v", batch, err)
		}
		b.Close()
		if report, err := Check(t.Context(), o.Path); err != nil {
			t.Errorf("%+v: %v", report, err)
		}
		b = mustOpen(t, o)
	}
}

func TestMemoryIsBoundedWhileTheCardRefuses(t *testing.T) {
	t.Parallel()
	var changes []holdfast.BufferChange
	o := testOptions(t)
	o.QueueRecords = 160
	o.Report = func(c holdfast.BufferChange) { changes = append(changes, c) }
	b := mustOpen(t, o)
	accept := refuse(t, o.Path)
	for n := 1; n <= 1000; n++ {
		b.Append(Change{Records: []Record{record(holdfast.LaneTelemetry, n)}})
		if n%100 == 0 {
			b.Append(Change{Records: []Record{record(holdfast.LaneAlert, n)}})
			b.commit(false)
			b.announce()
		}
		if s := b.Status(); s.Queued > o.QueueRecords {
			t.Fatalf("%d records wait, the bound is %d", s.Queued, o.QueueRecords)
		}
	}
	accept()
	b.commit(false)
	b.announce()
	dropped := b.Status().Dropped
	if dropped < 1000-uint64(o.QueueRecords) || dropped > 1000-uint64(o.QueueRecords)*3/4 {
		t.Errorf("%d dropped", dropped)
	}
	lines := owed(t, b, holdfast.LaneTelemetry, 1000)
	want(t, lines, fmt.Sprintf("dropped 1-%d full", dropped), fmt.Sprintf("data %d-1000", dropped+1))
	want(t, owed(t, b, holdfast.LaneAlert, 100), "data 1-10")
	batch, _, err := b.Next(holdfast.LaneTelemetry, holdfast.Position{Stream: b.Stream(), Seq: dropped}, 1, 1000)
	if err != nil || !strings.Contains(string(batch.Records[0]), fmt.Sprintf(`"n":%d}`, dropped+1)) {
		t.Errorf("number %d is %s: %v", dropped+1, batch.Records, err)
	}
	var states []string
	for _, c := range changes {
		states = append(states, c.State)
	}
	want(t, states, stateFailing, stateFull, stateRecovered, stateRecovered)
}

// What a failed commit was to delete, the next one deletes.
func TestDeletionsSurviveARefusal(t *testing.T) {
	t.Parallel()
	o := testOptions(t)
	o.HistoryBytes = -1
	b := mustOpen(t, o)
	store(t, b, records(holdfast.LaneTelemetry, 1, 3)...)
	b.Done(b.Stream(), holdfast.LaneTelemetry, ranges(1, 3))
	b.Append(Change{Records: records(holdfast.LaneTelemetry, 4, 4)})
	accept := refuse(t, o.Path)
	if err := b.commit(false); err == nil {
		t.Fatal("the commit succeeded")
	}
	accept()
	b.commit(false)
	b.Close()
	if report, err := Check(t.Context(), o.Path); err != nil || report.Blocks != 1 {
		t.Errorf("%+v, %v; want the one block that is owed", report, err)
	}
}

// A card that refuses from the start leaves the stream volatile until it accepts.
func TestOpenOnACardThatRefuses(t *testing.T) {
	t.Parallel()
	o := testOptions(t)
	first := mustOpen(t, o)
	store(t, first, records(holdfast.LaneTelemetry, 1, 3)...)
	first.Close()
	if err := o.setDefaults(); err != nil {
		t.Fatal(err)
	}
	b := newBuffer(o)
	f, err := openFile(o.Path, o.MaxBytes)
	if err != nil {
		t.Fatal(err)
	}
	b.db = f.db
	defer b.Close()
	if err := b.load(); err != nil {
		t.Fatal(err)
	}
	b.mint()
	accept := refuse(t, o.Path)
	if err := b.commit(false); err == nil {
		t.Fatal("the commit succeeded")
	}
	if s := b.Status(); !s.Volatile || s.Failing == "" {
		t.Errorf("status %+v", s)
	}
	b.Append(Change{Records: records(holdfast.LaneTelemetry, 4, 5)})
	want(t, owed(t, b, holdfast.LaneTelemetry, 10), "data 1-3")
	accept()
	b.commit(false)
	if s := b.Status(); s.Volatile || s.Failing != "" {
		t.Errorf("status %+v", s)
	}
	want(t, owed(t, b, holdfast.LaneTelemetry, 10), "data 1-3", "data 1-2")
}

// Filler that a killed start left is no reason not to start, where the card does not let it go.
func TestOpenWithFillerOnACardThatRefuses(t *testing.T) {
	t.Parallel()
	o := testOptions(t)
	o.Grow = true
	first := mustOpen(t, o)
	store(t, first, records(holdfast.LaneTelemetry, 1, 3)...)
	first.grow()
	first.Close()
	db, err := openBolt(o.Path, defaultBytes)
	if err != nil {
		t.Fatal(err)
	}
	f := file{db: db, path: o.Path}
	accept := refuse(t, o.Path)
	err = f.prepare()
	accept()
	if err != nil {
		t.Errorf("prepare: %v", err)
	}
	if err := f.abandon(); err != nil {
		t.Error(err)
	}
	b := mustOpen(t, o)
	defer b.Close()
	want(t, owed(t, b, holdfast.LaneTelemetry, 10), "data 1-3")
}
