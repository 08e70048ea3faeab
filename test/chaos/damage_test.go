package chaos

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"holdfast/internal/proof"
	"holdfast/internal/testenv"
)

// A backlog waits on the card when the gateway is killed and the file's first pages are overwritten, so that no bbolt can
// open it. The next start salvages the backlog: every row arrives once.
func TestDamagedFile(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: runs real processes for some seconds")
	}
	b := newBench(t, testenv.Programs(t), setup{rows: 20_000})
	testenv.Pause(t.Context(), 2*time.Second)
	b.receiver.Kill()
	testenv.Pause(t.Context(), 4*time.Second)
	b.kill(b.gateway)
	b.damage(t)

	b.gateway.Start(t)
	b.receiver.Start(t)
	b.gateway.WaitServing(t.Context(), t) // which it does before the file is salvaged
	testenv.Pause(t.Context(), 4*time.Second)
	v := b.finish(t)
	proof.Record(t, proof.Trial{
		Part: part, Fault: "the gateway is killed and its buffer file overwritten at the start, with a backlog of 4 s",
		Holds: holds, Tried: 1, Unit: "times", Failed: v.broken(), Note: v.String(),
	})
	v.check(t)
	if v.once < 1000 {
		t.Errorf("%d rows arrived, want more than 1000", v.once)
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
