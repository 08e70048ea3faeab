package virtualpi

import (
	"context"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"holdfast/internal/testenv"
)

// TestMachine tries the bench itself with nothing but busybox, so that a failure of [TestVirtualPi] is known to be the
// gateway's.
func TestMachine(t *testing.T) {
	needBench(t)
	m := boot(t, nil)
	t.Run("world", func(t *testing.T) { testWorld(t, m) })
	t.Run("errors", func(t *testing.T) { testErrors(t, m) }) // closes it
}

func testWorld(t *testing.T, m *Machine) {
	for _, step := range []struct {
		name  string
		world func() error // what happens outside of the guest first
		run   string
		want  string
	}{
		{"kernel", nil, "uname -m", "armv7l"},
		{"clock without network time", nil, "date +%Y", "1970"},
		{"12 bit", nil, "i2ctransfer -y 0 w2@0x48 0x01 0x60 && i2ctransfer -y 0 w1@0x48 0x01 r1", "0x60"},
		{"temperature", celsius(m, 21.5), "i2ctransfer -y 0 w1@0x48 0x00 r2", "0x15 0x80"},
		{"below zero", celsius(m, -10.25), "i2ctransfer -y 0 w1@0x48 0x00 r2", "0xf5 0xc0"},
		{"a sixteenth", celsius(m, 85.0625), "i2ctransfer -y 0 w1@0x48 0x00 r2", "0x55 0x10"},
		{"channel closed", nil, "i2ctransfer -y 0 w1@0x49 0x00 r2 2>&1 || true", "i2ctransfer: I2C_RDWR: Connection timed out"},
		{"channel open", nil, "i2cset -y 1 0x71 0x01 && i2ctransfer -y 1 w1@0x49 0x00 r2", "0x00 0x00"},
		{"line high", level(m, true), "echo 135 >/sys/class/gpio/export && cat /sys/class/gpio/gpio135/value", "1"},
		{"line low", level(m, false), "cat /sys/class/gpio/gpio135/value", "0"},
		{"host", nil, "nc 10.0.2.2 " + greeter(t), "hello from the host"},
	} {
		if step.world != nil {
			if err := step.world(); err != nil {
				t.Fatalf("%s: %v", step.name, err)
			}
		}
		if got, err := m.Run(t.Context(), step.run); got != step.want || err != nil {
			t.Errorf("%s: %s: got %q, %v, want %q", step.name, step.run, got, err, step.want)
		}
	}
}

// testErrors shows that the steps of testWorld could fail.
func testErrors(t *testing.T, m *Machine) {
	if got, err := m.Run(t.Context(), "echo some; false"); got != "some" || err == nil {
		t.Errorf("false: got %q, %v, want what it wrote and an error", got, err)
	}
	if _, err := m.Run(t.Context(), "echo a\necho b"); err == nil {
		t.Error("two lines: no error")
	}
	if err := m.SetTemperature(t.Context(), "nothing", 1); err == nil {
		t.Error("chip that is not there: no error")
	}
	if err := m.SetLine(t.Context(), Line{"/machine/nothing", 7}, true); err == nil {
		t.Error("line that is not there: no error")
	}
	short, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := m.Run(short, "sleep 100"); err == nil {
		t.Error("command that takes longer than its context: no error")
	}
	m.Close()
	if _, err := m.Run(t.Context(), "true"); err == nil {
		t.Error("command on a closed machine: no error")
	}
}

// needBench skips the test, or fails it, where the virtual Pi cannot be.
func needBench(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("boots a virtual Pi: left out with -short")
	}
	for _, program := range []string{"qemu-system-arm", "apt-get", "dpkg", "depmod"} {
		testenv.NeedProgram(t, program)
	}
}

// boot starts a machine that is gone when the test ends, with its log in the test's output if that failed.
func boot(t *testing.T, files map[string]string) *Machine {
	t.Helper()
	m, err := Start(t.Context(), Config{Image: newImage(t), Files: files, Devices: benchDevices})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		m.Close()
		if t.Failed() {
			t.Logf("log of the guest:\n%s", m.Log())
		}
	})
	return m
}

// newImage returns the image of the cache folder, or builds it there.
func newImage(t *testing.T) *Image {
	t.Helper()
	cache, err := CacheDir()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute) // the first download
	defer cancel()
	image, err := Prepare(ctx, cache)
	testenv.Need(t, err, "an image from a Debian mirror")
	return image
}

func celsius(m *Machine, t float64) func() error {
	return func() error { return m.SetTemperature(context.Background(), "t0", t) }
}

func level(m *Machine, high bool) func() error {
	return func() error { return m.SetLine(context.Background(), Button, high) }
}

// greeter listens on the host's loopback, greets whoever connects, and returns its port.
func greeter(t *testing.T) string {
	l := listen(t)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			fmt.Fprintln(conn, "hello from the host")
			conn.Close()
		}
	}()
	t.Cleanup(func() { l.Close(); <-done })
	return port(l.Addr().String())
}

func port(address string) string { return address[strings.LastIndex(address, ":")+1:] }

func listen(t *testing.T) net.Listener {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}
