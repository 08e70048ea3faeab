package chaos

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"holdfast/internal/testenv"
)

// A probe does, beside the gateway and all the time, the least that a commit is: it wakes up, writes a page, and waits for
// fsync. What it needs for that, no commit needs less. On a machine that stands still for a while the window at a kill is
// longer by as much, for the stated second is that of a machine that does not.
type probe struct {
	mu    sync.Mutex
	waits []span
}

const probeEvery = 50 * time.Millisecond

// stall is what a wait is about: shorter ones are the machine's ordinary life.
const stall = 100 * time.Millisecond

// newProbe probes the disk of folder until the test ends.
func newProbe(t *testing.T, folder string, now func() int64) *probe {
	t.Helper()
	f, err := os.Create(filepath.Join(folder, "probe"))
	if err != nil {
		t.Fatal(err)
	}
	p := new(probe)
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() {
		page := make([]byte, 4096)
		for begin := now(); ; begin = now() {
			if !testenv.Pause(ctx, probeEvery) {
				return
			}
			if _, err := f.WriteAt(page, 0); err != nil {
				continue
			}
			f.Sync() // on a disk that fails, another probe tells
			p.note(span{begin + probeEvery.Microseconds(), now()})
		}
	})
	t.Cleanup(func() {
		stop()
		running.Wait()
		f.Close()
	})
	return p
}

func (p *probe) note(wait span) {
	if wait.to-wait.from < stall.Microseconds() {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.waits = append(p.waits, wait)
}

// stalled is for how long the machine stood still in the time up to an instant in which a commit would have come.
func (p *probe) stalled(at int64) (sum time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	from := at - 2*window.Microseconds()
	for _, w := range p.waits {
		if d := min(w.to, at) - max(w.from, from); d > 0 {
			sum += time.Duration(d) * time.Microsecond
		}
	}
	return sum
}
