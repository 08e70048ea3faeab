package chaos

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"holdfast/internal/proof"
	"holdfast/internal/testenv"
)

// The gateway is swapped for another version again and again while rows come in: stopped as an update stops it, and started as
// the other one on the same folder. Nobody is killed, so there is no window: every row that was handed out is stored.
// HOLDFAST_OLD names the commit of the other version; without it both are of this tree.
func TestSwapVersions(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: swaps real processes for a minute")
	}
	t.Parallel()
	n, seed := proof.Count(t, "HOLDFAST_SWAPS", 20), seedOf(t)
	random := rand.New(rand.NewPCG(uint64(seed), 2))
	names := []string{"old", "new"}
	binaries := []string{stamped(t, names[0], sources(t, os.Getenv("HOLDFAST_OLD"))), stamped(t, names[1], sources(t, ""))}
	b := newBench(t, testenv.Programs(t), setup{rows: 20_000 + 1000*n})
	for i := range n {
		testenv.Pause(t.Context(), within(random, 100*time.Millisecond, 900*time.Millisecond))
		b.gateway.Stop(t)
		b.gateway.Binary = binaries[i%2]
		b.gateway.Start(t)
		testenv.Poll(t.Context(), t, 30*time.Second, "the "+names[i%2]+" version to work", func() bool {
			s, err := b.status(t.Context())
			return err == nil && s.Version == names[i%2] && !s.Stream.IsZero()
		})
	}
	v := b.finish(t)
	proof.Record(t, proof.Trial{
		Part: part, Place: brokerName(false), Fault: "gateway swapped for another version under load",
		Holds: holds, Tried: n, Unit: "swaps", Failed: v.broken() + v.lost, Seed: fmt.Sprint(seed), Note: v.String() + b.restarts(),
	})
	v.check(t)
	if v.lost > 0 || v.stated > 0 || len(b.again) > 0 {
		t.Errorf("%v%s: want every row", v, b.restarts())
	}
}

// sources returns the folder of this tree, or of a copy of it at that commit.
func sources(t *testing.T, commit string) string {
	t.Helper()
	if commit == "" {
		return "../.."
	}
	dir := t.TempDir()
	archive := exec.Command("sh", "-c", `git -C ../.. archive "$0" | tar -x -C "$1"`, commit, dir)
	if out, err := archive.CombinedOutput(); err != nil {
		t.Fatalf("sources of %s: %v\n%s", commit, err, out)
	}
	return dir
}

// stamped builds the gateway of these sources under that version and returns its path.
func stamped(t *testing.T, version, source string) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "gateway")
	build := exec.Command("go", "build", "-ldflags", "-X main.version="+version, "-o", binary, "./cmd/gateway")
	build.Dir, build.Env = source, append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build the %s version: %v\n%s", version, err, out)
	}
	return binary
}
