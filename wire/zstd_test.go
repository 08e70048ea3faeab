package wire

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/klauspost/compress/zstd"
)

func TestCompressRoundTrip(t *testing.T) {
	t.Parallel()
	random := make([]byte, 200_000)
	for i := range random {
		random[i] = byte(rand.Uint32())
	}
	for name, want := range map[string][]byte{
		"empty": {}, "byte": {7}, "json": golden(t, "batch_event")["batch_event.json"],
		"repeated": bytes.Repeat([]byte("temperature_celsius"), 40_000), "random": random,
	} {
		frame := Compress([]byte("before"), want)
		got, err := Decompress(bytes.TrimPrefix(frame, []byte("before")), len(want))
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: %d bytes back, %v; want %d", name, len(got), err, len(want))
		}
	}
}

// A frame that says how long it is, one that lies, one that does not say, and two in a row: none grows beyond the limit.
// Not parallel, because it counts what the process allocates.
func TestDecompressRefusesBombs(t *testing.T) {
	honest := Compress(nil, make([]byte, 64<<20))
	var stream bytes.Buffer
	w, err := zstd.NewWriter(&stream, zstd.WithEncoderConcurrency(1))
	if err != nil {
		t.Fatal(err)
	}
	for range 64 {
		w.Write(make([]byte, 1<<20))
	}
	w.Close()
	small := Compress(nil, []byte("small"))
	for name, bomb := range map[string][]byte{
		"honest": honest, "silent": stream.Bytes(), "two frames": append(bytes.Clone(small), honest...),
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		out, err := Decompress(bomb, MaxBytes)
		runtime.ReadMemStats(&after)
		if !errors.Is(err, ErrTooLarge) {
			t.Errorf("%s: %d bytes, %v; want ErrTooLarge", name, len(out), err)
		}
		if grown := after.TotalAlloc - before.TotalAlloc; grown > 8<<20 {
			t.Errorf("%s: %d bytes allocated to refuse it", name, grown)
		}
	}
	if _, err := Decompress(append(bytes.Clone(small), small...), 5); !errors.Is(err, ErrTooLarge) {
		t.Errorf("two frames of 5 bytes within a limit of 5: %v", err)
	}
}

func TestBatchInAFrame(t *testing.T) {
	t.Parallel()
	for name, want := range golden(t, "batch") {
		b, err := DecodeBatch(want)
		if err != nil {
			t.Fatal(err)
		}
		frame, err := EncodeBatch(b, true)
		if err != nil || !compressed(frame) {
			t.Fatalf("%s: %.20q, %v; want a zstd frame", name, frame, err)
		}
		b, err = DecodeBatch(frame)
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := Encode(b); !bytes.Equal(got, want) {
			t.Errorf("%s: got  %s\nwant %s", name, got, want)
		}
	}
}

// The codec is used inside bubbles and outside of them, in any order. Not parallel: bubbles one after the other.
func TestCompressInBubbles(t *testing.T) {
	text := []byte(strings.Repeat("hello ", 100))
	try := func(t *testing.T) {
		if got, err := Decompress(Compress(nil, text), len(text)); err != nil || !bytes.Equal(got, text) {
			t.Errorf("got %q, %v", got, err)
		}
	}
	synctest.Test(t, try)
	try(t)
	synctest.Test(t, try)
}

func BenchmarkCompressBatch(b *testing.B) {
	record := `{"time":"2026-05-01T12:00:00.125Z","sensor":"bme280-1-76","values":{"humidity_percent":41.2,"temperature_celsius":20.3}},`
	text := []byte(strings.Repeat(record, 100))
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	var frame []byte
	for b.Loop() {
		frame = Compress(frame[:0], text)
	}
}
