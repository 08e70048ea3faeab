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
	"holdfast/internal/testenv"
)

// TestSpeed: records a second that are durable, beside the least that durability costs and beside a database that many use
// for it, on the same device. The stores commit in turn, so that whatever else the machine does slows all of them. Every
// commit is one flush or two that the caller waits for; nobody commits at the same time.
func TestSpeed(t *testing.T) {
	benchmark(t)
	testSpeed(t, newDevice(t, 4096), "", [2]float64{0.7, 1})
}

// TestSpeedInMemory is the same at a device whose flushes cost nothing: what is left is what each store computes.
func TestSpeedInMemory(t *testing.T) {
	benchmark(t)
	dir, err := os.MkdirTemp("/dev/shm", "holdfast")
	testenv.Need(t, err, "a file system in memory")
	t.Cleanup(func() { os.RemoveAll(dir) })
	testSpeed(t, newDeviceIn(t, dir, 4096), ", device in memory", [2]float64{})
}

// testSpeed measures. The goals at 100 records a commit are ratios to the file and to SQLite, 0 for none.
func testSpeed(t *testing.T, d device, where string, goals [2]float64) {
	t.Helper()
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
	for _, n := range []int{1, 10, 100, 1000} {
		rates := make([][]float64, len(stores))
		for range speedRuns {
			took := make([]time.Duration, len(stores))
			for range speedCommits {
				records := from.next(n)
				for i, store := range stores {
					start := time.Now()
					store.commit(records)
					took[i] += time.Since(start)
				}
			}
			for i := range stores {
				rates[i] = append(rates[i], float64(n*speedCommits)/took[i].Seconds())
			}
		}
		for i, store := range stores {
			measure(t, proof.Figure{Part: devicePart, Name: fmt.Sprintf("%d a commit%s: %s", n, where, store.name), Unit: "records/s"}, rates[i]...)
		}
		file, lite := goals[0], goals[1]
		if n != 100 {
			file, lite = 0, 0
		}
		relative(t, fmt.Sprintf("%d a commit%s: buffer to append-only file", n, where), file, rates[0], rates[1])
		relative(t, fmt.Sprintf("%d a commit%s: buffer to SQLite", n, where), lite, rates[0], rates[2])
	}
}

const speedRuns, speedCommits = 7, 150

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
