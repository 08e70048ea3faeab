package testenv

import (
	"fmt"
	"os/exec"
	"testing"
)

// SmallDisk mounts a file system of so many bytes for the length of the test and returns its folder. A test that asks for
// it before it starts the processes that use it has it unmounted after their end. See [Need].
func SmallDisk(t testing.TB, bytes int) string {
	t.Helper()
	dir := t.TempDir()
	out, err := exec.Command("mount", "-t", "tmpfs", "-o", fmt.Sprintf("size=%d,mode=0700", bytes), "tmpfs", dir).CombinedOutput()
	if err != nil {
		err = fmt.Errorf("%w: %s", err, out)
	}
	Need(t, err, "the right to mount a file system, which root has")
	t.Cleanup(func() {
		if out, err := exec.Command("umount", dir).CombinedOutput(); err != nil {
			t.Errorf("unmount %s: %v: %s", dir, err, out)
		}
	})
	return dir
}
