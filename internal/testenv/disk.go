package testenv

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
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
		// A process that another test starts at this moment has the files open that are open here, until it is itself.
		Poll(context.Background(), t, 10*time.Second, "unmount "+dir, func() bool { return exec.Command("umount", dir).Run() == nil })
	})
	return dir
}

// Remount makes what [SmallDisk] has mounted read-only ("ro") or writable again ("rw"). The kernel refuses the first while a
// process that another test starts at this moment has files open that were open here.
func Remount(t testing.TB, dir, mode string) {
	t.Helper()
	Poll(context.Background(), t, 10*time.Second, "remount "+dir+" "+mode, func() bool {
		return exec.Command("mount", "-o", "remount,"+mode, dir).Run() == nil
	})
}

// LoopDisk mounts an ext4 of so many bytes, on a loop device of its own, for the length of the test and returns its folder.
// See [Need].
func LoopDisk(t testing.TB, bytes int64) string {
	t.Helper()
	if os.Getuid() != 0 {
		Need(t, os.ErrPermission, "root, for a loop device")
	}
	losetup, mkfs := NeedProgram(t, "losetup"), NeedProgram(t, "mkfs.ext4")
	image, dir := filepath.Join(t.TempDir(), "image"), t.TempDir()
	if err := errors.Join(os.WriteFile(image, nil, 0o600), os.Truncate(image, bytes)); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(losetup, "--find", "--show", image).CombinedOutput()
	Need(t, err, "a loop device: "+string(out))
	loop := strings.TrimSpace(string(out))
	t.Cleanup(func() { exec.Command(losetup, "--detach", loop).Run() })
	for _, command := range [][]string{{mkfs, "-q", loop}, {"mount", loop, dir}} {
		if out, err := exec.Command(command[0], command[1:]...).CombinedOutput(); err != nil {
			t.Fatalf("%v: %v: %s", command, err, out)
		}
	}
	t.Cleanup(func() {
		Poll(context.Background(), t, 10*time.Second, "unmount "+dir, func() bool { return exec.Command("umount", dir).Run() == nil })
	})
	return dir
}
