package bench

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"holdfast/internal/testenv"
)

// A device is a loop device with an ext4 of its own that nobody else writes to.
type device struct {
	dir  string // where it is mounted
	stat string // its counters, a file of sysfs
}

// newDevice makes and mounts a device of that many MiB, with mkfs.ext4's own settings and the kernel's default mount; it is
// gone when the test ends. The tables of inodes and the journal are zeroed at once and not in the background.
func newDevice(t *testing.T, mib int64) device {
	t.Helper()
	return newDeviceIn(t, t.TempDir(), mib)
}

// newDeviceIn is newDevice with the device's content in a folder: in memory, a flush costs nothing.
func newDeviceIn(t *testing.T, dir string, mib int64) device {
	t.Helper()
	if os.Getuid() != 0 {
		testenv.Need(t, os.ErrPermission, "root, for a loop device")
	}
	losetup, mkfs, mount := testenv.NeedProgram(t, "losetup"), testenv.NeedProgram(t, "mkfs.ext4"), testenv.NeedProgram(t, "mount")
	image := filepath.Join(dir, "image")
	if err := os.WriteFile(image, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(image, mib<<20); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(losetup, "--find", "--show", image).CombinedOutput()
	testenv.Need(t, err, "a loop device: "+string(out))
	loop := strings.TrimSpace(string(out))
	t.Cleanup(func() { exec.Command(losetup, "--detach", loop).Run() })
	command(t, mkfs, "-q", "-E", "lazy_itable_init=0,lazy_journal_init=0", loop)
	d := device{dir: filepath.Join(dir, "mounted"), stat: "/sys/block/" + filepath.Base(loop) + "/stat"}
	if err := os.Mkdir(d.dir, 0o755); err != nil {
		t.Fatal(err)
	}
	command(t, mount, loop, d.dir)
	t.Cleanup(func() { unix.Unmount(d.dir, 0) })
	return d
}

func command(t *testing.T, name string, args ...string) {
	t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %s: %v: %s", name, strings.Join(args, " "), err, out)
	}
}

// A usage is what a device was asked to do.
type usage struct{ bytes, writes, flushes float64 }

// spent returns what the device is asked to do while f runs. The file system is made to write what it owes before and
// after: what f left in its journal or in memory counts.
func (d device) spent(t *testing.T, f func()) usage {
	t.Helper()
	before := d.counters(t)
	f()
	after := d.counters(t)
	return usage{after.bytes - before.bytes, after.writes - before.writes, after.flushes - before.flushes}
}

// counters reads /sys/block/…/stat, whose fields Documentation/block/stat.rst names.
func (d device) counters(t *testing.T) usage {
	t.Helper()
	root, err := os.Open(d.dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	if err := unix.Syncfs(int(root.Fd())); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(d.stat)
	if err != nil {
		t.Fatal(err)
	}
	fields := strings.Fields(string(data))
	field := func(i int) float64 {
		n, err := strconv.ParseUint(fields[i], 10, 64)
		if err != nil {
			t.Fatalf("%s: %q", d.stat, data)
		}
		return float64(n)
	}
	const sector = 512 // the unit of these counters, on every device
	return usage{bytes: field(6) * sector, writes: field(4), flushes: field(15)}
}
