package clock

import (
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"holdfast/internal/testenv"
)

// The kernel tells the time since boot a second way.
func TestMonotonicIsSinceBoot(t *testing.T) {
	t.Parallel()
	uptime := func() float64 {
		text, err := os.ReadFile("/proc/uptime")
		testenv.Need(t, err, "/proc")
		seconds, err := strconv.ParseFloat(strings.Fields(string(text))[0], 64)
		if err != nil {
			t.Fatal(err)
		}
		return seconds
	}
	before := uptime()
	got := float64(New().Now().Mono) / 1e6
	after := uptime()
	if got < before-0.1 || got > after+0.1 {
		t.Errorf("mono is %f s, /proc/uptime went from %f to %f", got, before, after)
	}
}

func TestBootIsTheKernels(t *testing.T) {
	t.Parallel()
	id, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	testenv.Need(t, err, "/proc")
	want := strings.TrimSpace(string(id))
	for range 2 {
		if got := New().Boot(); got != want {
			t.Errorf("boot is %q, want %q", got, want)
		}
	}
}

func TestKernelSyncAnswers(t *testing.T) {
	t.Parallel()
	synchronized, estimate := kernelSync()
	if estimate < 0 || estimate > 24*time.Hour || !synchronized && estimate != 0 {
		t.Errorf("kernelSync: %v, %v", synchronized, estimate)
	}
	if got := New().Now().Synchronized; got != synchronized {
		t.Errorf("Now says synchronised %v, the kernel %v", got, synchronized)
	}
}
