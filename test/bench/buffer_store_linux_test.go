package bench

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"holdfast"
	"holdfast/buffer"
	"holdfast/internal/testenv"
)

// readings are records of about 150 bytes, as a BME280 makes ten times a second, whose digits are random.
type readings struct {
	n      int
	random *rand.Rand
}

func newReadings() *readings { return &readings{random: rand.New(rand.NewPCG(1, 2))} }

func (r *readings) next(n int) []buffer.Record {
	out := make([]buffer.Record, n)
	for i := range out {
		r.n++
		at := time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC).Add(time.Duration(r.n) * 100 * time.Millisecond)
		out[i] = buffer.Record{Lane: holdfast.LaneTelemetry, Time: at, Mono: int64(r.n) * 1e5, Data: fmt.Appendf(nil,
			`{"time":%q,"sensor":"bme280-1-%02x","values":{"temperature_celsius":%.2f,"humidity_percent":%.2f,"pressure_pascal":%.1f}}`,
			at.Format(time.RFC3339Nano), 0x76+r.n%2, 20+r.random.Float64(), 40+5*r.random.Float64(), 101325+100*r.random.Float64())}
	}
	return out
}

// A store is a buffer with its writer.
type store struct {
	*buffer.Buffer
	stop func() // as the daemon does on SIGTERM
	from *readings
	head uint64
}

// open opens the buffer at path with the product's defaults but for what change says, and runs it.
func open(t *testing.T, path string, from *readings, change func(*buffer.Options)) *store {
	t.Helper()
	o := buffer.Options{Path: path, Device: "bench", Log: slog.New(slog.DiscardHandler), Grow: true}
	if change != nil {
		change(&o)
	}
	b, err := buffer.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		if err := b.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	stop := sync.OnceFunc(func() {
		cancel()
		running.Wait()
	})
	t.Cleanup(stop)
	return &store{Buffer: b, stop: stop, from: from}
}

// openAged opens a new buffer whose file has its working size already, as it has a minute after the first start.
func openAged(t *testing.T, path string, from *readings) *store {
	t.Helper()
	s := open(t, path, from, func(o *buffer.Options) { o.Window = time.Millisecond })
	last, since := int64(0), 0
	testenv.Poll(t.Context(), t, 2*time.Minute, "the file to reach its working size", func() bool {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		since++
		if info.Size() != last {
			last, since = info.Size(), 0
		}
		return since > 20
	})
	s.stop()
	return open(t, path, from, nil)
}

// commit makes n records durable in one commit.
func (s *store) commit(t *testing.T, n int) {
	t.Helper()
	if err := s.Commit(t.Context(), buffer.Change{Records: s.from.next(n)}); err != nil {
		t.Fatal(err)
	}
	s.head += uint64(n)
}

// receipt says that somebody has everything up to now.
func (s *store) receipt(t *testing.T) {
	t.Helper()
	if err := s.Done(s.Stream(), holdfast.LaneTelemetry, holdfast.Ranges{{First: 1, Last: s.head}}); err != nil {
		t.Fatal(err)
	}
}

// drain takes everything that is owed as an uplink does, a batch at a time, with the receipts coming back at once.
func (s *store) drain(t *testing.T) (records int) {
	t.Helper()
	var at holdfast.Position
	for {
		batch, ok, err := s.Next(holdfast.LaneTelemetry, at, holdfast.MaxBatchRecords, holdfast.MaxBatchBytes)
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			return records
		}
		records += len(batch.Records)
		at = holdfast.Position{Stream: batch.Stream, Seq: batch.Last}
		if err := s.Done(batch.Stream, batch.Lane, holdfast.Ranges{batch.Range()}); err != nil {
			t.Fatal(err)
		}
	}
}

// bufferAt is where a device's buffer lies.
func (d device) bufferAt() string { return filepath.Join(d.dir, "buffer.db") }
