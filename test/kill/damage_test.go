package kill

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"holdfast/internal/clock"
	"holdfast/internal/testenv"
)

// A backlog waits on the card when the gateway is killed and the file's first pages are overwritten, so that no bbolt can
// open it. The next start salvages the backlog: every row arrives once.
func TestDamagedFile(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: runs real processes for some seconds")
	}
	b := newBench(t, false)
	testenv.Pause(t.Context(), 2*time.Second)
	b.receiver.Kill()
	testenv.Pause(t.Context(), 4*time.Second)
	b.gateway.Kill()
	killed := clock.New().Now().Mono
	b.damage(t)

	b.gateway.Start(t)
	b.receiver.Start(t)
	b.gateway.WaitServing(t.Context(), t) // which it does before the file is salvaged
	testenv.Pause(t.Context(), 4*time.Second)
	b.gateway.Stop(t)
	truth := readTruth(t, b.truth)
	cutReplay(t, b.replay, len(truth))
	b.gateway.Start(t)
	b.waitDrained(t)
	b.gateway.Stop(t)
	b.receiver.Stop(t)

	v := judge(t, b.data, truth, []int64{killed})
	t.Log(v)
	if v.once < 1000 || v.twice > 0 || v.unexplained > 0 || len(v.holes) > 0 {
		t.Errorf("the promise is broken: %v\n%v", v, v.holes)
	}
	if kept, _ := filepath.Glob(filepath.Join(b.buffer, "quarantine", "*")); len(kept) != 1 {
		t.Errorf("quarantine holds %v, want the damaged file", kept)
	}
}

// damage overwrites both of bbolt's meta pages.
func (b *bench) damage(t *testing.T) {
	t.Helper()
	f, err := os.OpenFile(filepath.Join(b.buffer, "buffer.db"), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteAt(bytes.Repeat([]byte{0xA5}, 8192), 0); err != nil {
		t.Fatal(err)
	}
}
