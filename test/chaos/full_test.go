package chaos

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"holdfast/internal/proof"
	"holdfast/internal/testenv"
)

// receiversDiskFull: the disk of the receiver's database, and of its broker's store, is full for a while.
func receiversDiskFull(t *testing.T, bin string, mosquitto bool, tries, seed int) {
	tries = min(tries, 5) // what arrives stays on that disk
	s := setup{mosquitto: mosquitto, rows: 50_000 * (1 + tries), speed: 5, receiver: testenv.SmallDisk(t, 32<<20)}
	waited := tryAlone(t, bin, s, fault{
		name: "receiver's disk full", least: 5 * time.Second, most: 10 * time.Second,
		begin: func(t *testing.T, b *bench, _ *rand.Rand) func() { return fill(t, b.data) },
	}, tries, seed)
	if waited < 2000 {
		t.Errorf("%d rows waited, want the 2000 of two seconds at least: was the disk full?", waited)
	}
}

// maxGrown is how much memory may grow while readings wait for the disk: they have 4 MiB of JSON at most, and collecting
// garbage lets twice as much as is needed lie about.
const maxGrown = 64 << 20

// gatewaysDiskFull: the disk of the gateway's buffer is full, all in it is owed to a receiver that is away, and that takes
// longer than memory can wait. The gateway states what it had to let go, keeps within its memory, and goes on when there is
// space again, without a start.
func gatewaysDiskFull(t *testing.T, bin string) {
	disk := testenv.SmallDisk(t, 2<<20)
	b := newBench(t, bin, setup{rows: 100_000, speed: 20, gateway: disk})
	b.waitStored(t, 1, recovery)
	pid := b.gateway.PID()
	before := memory(t, pid, "VmRSS:")
	b.kill(b.receiver)
	free := fill(t, disk)
	testenv.Poll(t.Context(), t, 2*time.Minute, "the gateway to let readings go", func() bool {
		s, err := b.status(t.Context())
		return err == nil && s.Records.Dropped > 2000
	})
	grown := memory(t, pid, "VmHWM:") - before
	free()
	b.revive(t, b.receiver)
	took := b.waitStored(t, b.handedOut(t), recovery)
	if b.gateway.PID() != pid || b.gateway.Ended() {
		t.Error("the gateway was started again")
	}
	v := b.finish(t)
	proof.Record(t, proof.Trial{
		Part: part, Fault: "gateway's disk full, with the receiver away, until memory overflows", Holds: "Each row is in the database once, or is one of as many numbers stated as dropped (full)",
		Tried: 1, Unit: "times", Failed: v.broken(), Note: fmt.Sprintf("%v; recovery %.1f s, without a start; %d MB more memory at most%s", v, took.Seconds(), grown>>20, b.restarts()),
	})
	v.check(t)
	if grown > maxGrown {
		t.Errorf("the gateway's memory grew by %d MB, want at most %d", grown>>20, maxGrown>>20)
	}
	if v.stated == 0 || v.outside != v.stated {
		t.Errorf("%d rows are not in the database, %d numbers are stated as dropped; want as many, and some", v.outside, v.stated)
	}
}

// gatewaysDiskSmall: the gateway's disk is smaller than what the buffer may take of it. What fills it is history: it goes, and nothing else.
func gatewaysDiskSmall(t *testing.T, bin string) {
	disk := testenv.SmallDisk(t, 3<<19)
	reserve := filepath.Join(disk, "reserve") // for the note of a clean stop
	if err := os.WriteFile(reserve, make([]byte, 512<<10), 0o600); err != nil {
		t.Fatal(err)
	}
	b := newBench(t, bin, setup{rows: 300_000, speed: 25, gateway: disk})
	testenv.Poll(t.Context(), t, 2*time.Minute, "so many rows that the disk is full of history", func() bool { return b.handedOut(t) > 90_000 })
	took := b.waitStored(t, b.handedOut(t), recovery)
	if err := os.Remove(reserve); err != nil {
		t.Error(err)
	}
	v := b.finish(t)
	proof.Record(t, proof.Trial{
		Part: part, Fault: "gateway's disk smaller than its buffer may become", Holds: "Each row is in the database once: history goes, nothing that is owed",
		Tried: 1, Unit: "times", Failed: v.broken() + v.outside, Note: fmt.Sprintf("%v; the newest row %.1f s behind%s", v, took.Seconds(), b.restarts()),
	})
	v.check(t)
	if v.outside > 0 {
		t.Errorf("%d rows were let go", v.outside)
	}
	if text, err := os.ReadFile(b.gateway.Log.Name()); err != nil || !strings.Contains(string(text), "state=failing") {
		t.Errorf("the disk was never full: %v", err)
	}
}

// memory returns bytes of a process by the name that the kernel has for them.
func memory(t *testing.T, pid int, name string) (bytes int) {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	testenv.Need(t, err, "/proc")
	_, rest, _ := strings.Cut(string(text), name)
	if _, err := fmt.Sscanf(rest, "%d kB", &bytes); err != nil {
		t.Fatalf("%s in /proc/%d/status: %v", name, pid, err)
	}
	return bytes << 10
}
