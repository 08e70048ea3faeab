package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"holdfast"
	"holdfast/buffer"
)

// deviceID is the gateway's id in every benchmark.
const deviceID = "bench"

// window is how many readings the backlog has in a block: those of one second's commit, ten a second.
const window = 10

// reading is what a BME280 makes, one of two in turns, ten times a second: 150 bytes with three quantities.
func reading(start time.Time, n int) buffer.Record {
	at := start.Add(time.Duration(n) * 100 * time.Millisecond)
	return buffer.Record{Lane: holdfast.LaneTelemetry, Time: at, Mono: int64(n) * 1e5, Data: fmt.Appendf(nil,
		`{"time":%q,"sensor":"bme280-1-%02x","values":{"temperature_celsius":%.2f,"humidity_percent":%.2f,"pressure_pascal":%.1f}}`,
		at.Format(time.RFC3339Nano), 0x76+n%2, 20+rand.Float64(), 40+5*rand.Float64(), 101325+100*rand.Float64())}
}

// makeBacklog makes the buffer file of a gateway that measured n readings and never had a broker, and returns its path. It is
// written in memory where there is such a folder, because each block is a commit.
func makeBacklog(t *testing.T, n int) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "holdfast")
	if err != nil {
		dir = t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	path := filepath.Join(dir, "buffer.db")
	b, err := buffer.Open(buffer.Options{Path: path, Device: deviceID, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- b.Run(ctx) }()
	start := holdfast.Micro(time.Now().Add(-time.Duration(n) * 100 * time.Millisecond))
	for first := 0; first < n; first += window {
		var c buffer.Change
		for i := first; i < min(first+window, n); i++ {
			c.Records = append(c.Records, reading(start, i))
		}
		if err := b.Commit(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
	stop()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	return path
}

// place copies a backlog into a gateway's data folder, with the time that its clean stop vouches for.
func place(t *testing.T, backlog, folder string) {
	t.Helper()
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{backlog, backlog + ".clean"} {
		if err := copyFile(name, filepath.Join(folder, filepath.Base(name))); err != nil {
			t.Fatal(err)
		}
	}
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return err
	}
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Sync(), out.Close(), os.Chtimes(to, time.Time{}, info.ModTime()))
}
