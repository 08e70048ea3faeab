package sensors

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// The errnos that the kernel's controllers give, in the words of Go's own table.
func TestClassifyErrno(t *testing.T) {
	t.Parallel()
	for err, want := range map[error]error{
		syscall.EREMOTEIO: ErrNoAnswer,
		syscall.ENXIO:     ErrNoAnswer,
		syscall.ETIMEDOUT: ErrTimeout,
		syscall.ETIME:     ErrTimeout,
		syscall.EBUSY:     ErrBusStuck,
		syscall.EAGAIN:    ErrBusStuck,
		syscall.ESHUTDOWN: ErrBusStuck,
	} {
		if got := classify(fmt.Errorf("sysfs-i2c: %v", err)); !errors.Is(got, want) {
			t.Errorf("%v: classified as %v, want %v", err, got, want)
		}
	}
}

func TestKernelDriver(t *testing.T) {
	t.Parallel()
	devices := t.TempDir()
	for _, name := range []string{"1-0048", "1-0068"} {
		if err := os.Mkdir(filepath.Join(devices, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("../../../bus/i2c/drivers/rtc-ds1307", filepath.Join(devices, "1-0068", "driver")); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		bus  int
		addr uint16
		want string
	}{{1, 0x68, "rtc-ds1307"}, {1, 0x48, ""}, {0, 0x68, ""}, {1, 0x76, ""}} {
		if got := kernelDriver(devices, test.bus, test.addr); got != test.want {
			t.Errorf("kernelDriver(%d, 0x%02x) = %q, want %q", test.bus, test.addr, got, test.want)
		}
	}
}
