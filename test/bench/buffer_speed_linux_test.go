package bench

import (
	"bytes"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"
	_ "modernc.org/sqlite"

	"holdfast/buffer"
	"holdfast/internal/proof"
)

// TestSpeed: records a second that are durable, beside the least that durability costs and beside a database that many use
// for it, on the same device, one after another within each run. Every commit is one fsync or two that the caller waits
// for; nobody commits at the same time.
func TestSpeed(t *testing.T) {
	benchmark(t)
	d := newDevice(t, 4096)
	from := newReadings()
	s := openAged(t, d.bufferAt(), from)
	stores := []struct {
		name   string
		commit func([]buffer.Record)
	}{
		{"buffer", func(records []buffer.Record) {
			if err := s.Commit(t.Context(), buffer.Change{Records: records}); err != nil {
				t.Fatal(err)
			}
			s.head += uint64(len(records))
			s.receipt(t)
		}},
		{"append-only file, fdatasync", appendOnly(t, filepath.Join(d.dir, "plain"))},
		{"SQLite, WAL, synchronous=FULL", sqlite(t, filepath.Join(d.dir, "sqlite.db"))},
	}
	for _, c := range []struct {
		records    int
		file, lite float64 // goals; 0: none
	}{{1, 0, 0}, {10, 0, 0}, {100, 0.7, 1}, {1000, 0, 0}} {
		rates := make([][]float64, len(stores))
		for range speedRuns {
			for i, store := range stores {
				rates[i] = append(rates[i], rate(from, c.records, store.commit))
			}
		}
		for i, store := range stores {
			measure(t, proof.Figure{Part: devicePart, Name: fmt.Sprintf("%d a commit: %s", c.records, store.name), Unit: "records/s"}, rates[i]...)
		}
		relative(t, fmt.Sprintf("%d a commit: buffer to append-only file", c.records), c.file, rates[0], rates[1])
		relative(t, fmt.Sprintf("%d a commit: buffer to SQLite", c.records), c.lite, rates[0], rates[2])
	}
}

const (
	speedRuns = 7
	speedTime = 400 * time.Millisecond
)

// rate is how many records a second commit makes durable, n at a time. Making the records does not count.
func rate(from *readings, n int, commit func([]buffer.Record)) float64 {
	var took time.Duration
	records := 0
	for took < speedTime {
		batch := from.next(n)
		start := time.Now()
		commit(batch)
		took += time.Since(start)
		records += n
	}
	return float64(records) / took.Seconds()
}

// relative notes the ratio of two stores, each run for itself.
func relative(t *testing.T, name string, goal float64, ours, theirs []float64) {
	t.Helper()
	ratios := make([]float64, len(ours))
	for i := range ours {
		ratios[i] = ours[i] / theirs[i]
	}
	f := proof.Figure{Part: devicePart, Name: name, Unit: "times"}
	if goal > 0 {
		atLeast(t, goal, f, ratios...)
		return
	}
	measure(t, f, ratios...)
}

// appendOnly writes the records as lines, and waits for the card.
func appendOnly(t *testing.T, path string) func([]buffer.Record) {
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	var lines bytes.Buffer
	return func(records []buffer.Record) {
		lines.Reset()
		for _, r := range records {
			lines.Write(r.Data)
			lines.WriteByte('\n')
		}
		if _, err := f.Write(lines.Bytes()); err != nil {
			t.Fatal(err)
		}
		if err := unix.Fdatasync(int(f.Fd())); err != nil {
			t.Fatal(err)
		}
	}
}

// sqlite inserts the records into a table in one transaction.
func sqlite(t *testing.T, path string) func([]buffer.Record) {
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=journal_mode(wal)&_pragma=synchronous(full)")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	db.SetMaxOpenConns(1)
	if _, err := db.Exec("CREATE TABLE record (seq INTEGER PRIMARY KEY, json TEXT NOT NULL)"); err != nil {
		t.Fatal(err)
	}
	insert, err := db.Prepare("INSERT INTO record (json) VALUES (?)")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { insert.Close() })
	return func(records []buffer.Record) {
		tx, err := db.Begin()
		if err != nil {
			t.Fatal(err)
		}
		statement := tx.Stmt(insert)
		for _, r := range records {
			if _, err := statement.Exec(string(r.Data)); err != nil {
				t.Fatal(err)
			}
		}
		if err := tx.Commit(); err != nil {
			t.Fatal(err)
		}
	}
}
