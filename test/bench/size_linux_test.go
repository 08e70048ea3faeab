package bench

import (
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"testing"

	"holdfast"
	"holdfast/buffer"
	"holdfast/internal/proof"
	"holdfast/internal/testenv"
	"holdfast/wire"
)

const sizePart = "Sizes"

// TestBinarySize builds the gateway as `make cross` does.
func TestBinarySize(t *testing.T) {
	benchmark(t)
	for _, arch := range []string{"arm", "arm64"} {
		out := filepath.Join(t.TempDir(), "gateway")
		build := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", out, "holdfast/cmd/gateway")
		build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+arch, "GOARM=6")
		if text, err := build.CombinedOutput(); err != nil {
			t.Fatalf("build: %v\n%s", err, text)
		}
		info, err := os.Stat(out)
		if err != nil {
			t.Fatal(err)
		}
		measure(t, proof.Figure{Part: sizePart, Name: "binary of the gateway, linux " + arch, Unit: "MB"}, float64(info.Size())/1e6)
	}
}

// TestBatchSize: bytes of a batch's payload on the wire, header of the batch included.
func TestBatchSize(t *testing.T) {
	benchmark(t)
	for _, c := range []struct {
		name string
		n    int
	}{{"batch of 10 readings", 10}, {"batch of 100 readings", 100}, {"batch of 1,000 readings, as a backlog goes", 1000}} {
		b := holdfast.Batch{V: holdfast.Version, Device: "bench", Stream: holdfast.NewStream(), Lane: holdfast.LaneTelemetry,
			First: 1, Last: uint64(c.n), Head: uint64(c.n), What: holdfast.Data}
		plain := 0
		for _, r := range newReadings().next(c.n) {
			b.Records = append(b.Records, r.Data)
			plain += len(r.Data)
		}
		payload, err := wire.EncodeBatch(&b, true)
		if err != nil {
			t.Fatal(err)
		}
		note := "Of " + number(float64(plain)/float64(c.n)) + " B of JSON."
		measure(t, proof.Figure{Part: sizePart, Name: "wire, " + c.name, Unit: "B a reading", Note: note}, float64(len(payload))/float64(c.n))
	}
}

// TestAllocations: allocations of the whole process for one reading, from Append until it is durable and receipted.
func TestAllocations(t *testing.T) {
	benchmark(t)
	for _, n := range []int{1, 10, 100} {
		s := open(t, filepath.Join(t.TempDir(), "buffer.db"), newReadings(), nil)
		const commits = 200
		prepared := make([][]buffer.Record, commits)
		for i := range prepared {
			prepared[i] = s.from.next(n)
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for _, records := range prepared {
			if err := s.Commit(t.Context(), buffer.Change{Records: records}); err != nil {
				t.Fatal(err)
			}
			s.head += uint64(n)
			s.receipt(t)
		}
		runtime.ReadMemStats(&after)
		readings := float64(commits * n)
		measure(t, proof.Figure{Part: sizePart, Name: "allocations in the buffer, " + number(float64(n)) + " a commit", Unit: "a reading",
			Note: number(float64(after.TotalAlloc-before.TotalAlloc)/readings) + " B."}, float64(after.Mallocs-before.Mallocs)/readings)
		s.stop()
	}
}

// A meter stands between gateway and broker and counts what the gateway sends.
type meter struct{ sent atomic.Int64 }

// newMeter lets the pair's gateway connect through a meter.
func newMeter(t *testing.T, p *pair) *meter {
	t.Helper()
	broker, port := p.broker, testenv.FreePort(t)
	p.gateway.Env = append(p.gateway.Env, "MQTT_PORT="+port)
	l, err := net.Listen("tcp", "127.0.0.1:"+port)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	m := new(meter)
	go func() {
		for {
			ours, err := l.Accept()
			if err != nil {
				return
			}
			theirs, err := net.Dial("tcp", broker)
			if err != nil {
				ours.Close()
				continue
			}
			go func() {
				defer theirs.Close()
				io.Copy(theirs, io.TeeReader(ours, m))
			}()
			go func() {
				defer ours.Close()
				io.Copy(ours, theirs)
			}()
		}
	}()
	return m
}

func (m *meter) Write(data []byte) (int, error) {
	m.sent.Add(int64(len(data)))
	return len(data), nil
}
