package virtualpi

import (
	"context"
	"fmt"
	"math"
	"net"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Config says what a machine consists of.
type Config struct {
	Image   *Image
	Files   map[string]string // path in the guest to a file on the host: programs that the test brings along
	Devices []string          // values of QEMU's -device, such as "tmp105,id=t0,address=0x48,bus=i2c-bus.0"
	Disk    *Disk             // the guest's /dev/sda; nil for none
	Ports   map[int]string    // port in the guest to an address on the host at which it is reached
}

// A Machine is one running board. Its methods are for one goroutine at a time, but for [Machine.Log] and [Machine.Close].
//
// The guest reaches the host's loopback at 10.0.2.2. What a program in the guest writes to /dev/ttymxc0 is the machine's
// log; the console, ttymxc1, belongs to [Machine.Run].
type Machine struct {
	console *serialPort
	log     *serialPort
	monitor *monitor
	tester  *tester
	conns   []net.Conn
	kill    context.CancelFunc
	tasks   sync.WaitGroup
	said    []*strings.Builder // what QEMU and the disk's server themselves had to say; read behind tasks

	commands int // that Run has sent
	seen     int // lines of the console that Run has taken
}

// Start boots a machine and returns when the guest takes commands, 10 to 20 s later. QEMU is killed when ctx ends, also
// long after Start has returned; call [Machine.Close] in any case.
func Start(ctx context.Context, c Config) (*Machine, error) {
	ctx, kill := context.WithCancel(ctx)
	m := &Machine{kill: kill}
	if err := m.start(ctx, c); err != nil {
		m.Close()
		return nil, fmt.Errorf("virtual pi: %w\nqemu: %s", err, m.said)
	}
	return m, nil
}

func (m *Machine) start(ctx context.Context, c Config) error {
	inherited, err := m.connect()
	defer func() {
		for _, f := range inherited {
			f.Close()
		}
	}()
	if err != nil {
		return err
	}
	root, err := layOver(c.Image.Root, c.Files)
	if err != nil {
		return err
	}
	inherited = append(inherited, root) // the first one is file descriptor 3

	args := []string{
		"-M", "sabrelite", "-m", "512", "-display", "none", "-monitor", "none", "-no-reboot", "-nodefaults",
		"-kernel", c.Image.Kernel, "-dtb", c.Image.Tree, "-initrd", "/dev/fd/7",
		"-append", kernelLine(c),
		"-chardev", "socket,id=log,fd=3", "-serial", "chardev:log",
		"-chardev", "socket,id=console,fd=4", "-serial", "chardev:console",
		"-chardev", "socket,id=qmp,fd=5", "-mon", "chardev=qmp,mode=control",
		"-chardev", "socket,id=qtest,fd=6", "-qtest", "chardev:qtest", "-qtest-log", "none",
		"-nic", network(c.Ports),
	}
	for _, device := range c.Devices {
		args = append(args, "-device", device)
	}
	if c.Disk != nil {
		plug, err := m.serve(ctx, c.Disk)
		if err != nil {
			return err
		}
		inherited = append(inherited, plug)
		args = append(args, diskArgs(2+len(inherited))...)
	}
	qemu := exec.CommandContext(ctx, "qemu-system-arm", args...)
	qemu.ExtraFiles = inherited
	if err := m.launch(qemu); err != nil {
		return err
	}
	m.tasks.Go(m.log.read)
	m.tasks.Go(m.console.read)
	return m.boot(ctx)
}

// connect makes the four connections to the board and returns QEMU's ends of them, in any case.
func (m *Machine) connect() (theirs []*os.File, err error) {
	for range 4 {
		conn, file, err := socketPair()
		if err != nil {
			return theirs, err
		}
		m.conns, theirs = append(m.conns, conn), append(theirs, file)
	}
	m.log, m.console = newSerialPort("log", m.conns[0]), newSerialPort("console", m.conns[1])
	m.tester = newTester(m.conns[3])
	return theirs, nil
}

// launch starts a program in a thread of its own that lives as long as the program: the kernel kills it when this thread
// ends.
func (m *Machine) launch(c *exec.Cmd) error {
	started, said := make(chan error), new(strings.Builder)
	m.said = append(m.said, said)
	m.tasks.Go(func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		c.Stderr = said
		c.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
		err := c.Start()
		started <- err
		if err == nil {
			c.Wait() // how it ended says nothing: it is killed as a rule
		}
	})
	return <-started
}

// kernelLine is what the kernel is told at its start. What it does not know itself, init finds in its environment. Where the
// guest stops its tick while it is idle, QEMU's timers fire up to three times too late.
func kernelLine(c Config) string {
	line := "console=ttymxc1 quiet panic=-1 nohz=off initcall_blacklist=sdma_driver_init" // QEMU lacks that DMA
	if c.Disk != nil {
		line += " disk=1"
	}
	return line
}

// network is the value of QEMU's -nic.
func network(ports map[int]string) string {
	value := "user"
	for guest, host := range ports {
		value += fmt.Sprintf(",hostfwd=tcp:%s-:%d", host, guest)
	}
	return value
}

var ready = regexp.MustCompile(`^guest ready$`)

// boot waits until the guest takes commands.
func (m *Machine) boot(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 90*time.Second)
	defer cancel()
	monitor, err := newMonitor(ctx, m.conns[2])
	if err != nil {
		return err
	}
	m.monitor = monitor
	at, _, err := m.console.expect(ctx, 0, ready)
	if err != nil {
		return fmt.Errorf("%w\nlog: %s", err, m.Log())
	}
	m.seen = at + 1
	if said := strings.Join(m.console.between(0, at), "\n"); strings.Contains(said, "insmod") {
		return fmt.Errorf("modules: %s", said)
	}
	return nil
}

// Run carries out a shell command in the guest and returns what it wrote. The error tells any exit status but 0. A command
// that is to stay must be sent to the background with its output redirected.
func (m *Machine) Run(ctx context.Context, command string) (string, error) {
	if strings.ContainsAny(command, "\n\r") {
		return "", fmt.Errorf("guest: %q: want one line", command)
	}
	if _, err := fmt.Fprintln(m.console.conn, command); err != nil {
		return "", fmt.Errorf("guest: %s: %w", command, err)
	}
	m.commands++
	end := regexp.MustCompile(fmt.Sprintf(`^guest status %d (\d+)$`, m.commands))
	at, status, err := m.console.expect(ctx, m.seen, end)
	if err != nil {
		return "", fmt.Errorf("guest: %s: %w", command, err)
	}
	said := strings.TrimSpace(strings.Join(m.console.between(m.seen, at), "\n"))
	m.seen = at + 1
	if status[1] != "0" {
		return said, fmt.Errorf("guest: %s: status %s: %s", command, status[1], said)
	}
	return said, nil
}

// Log returns all that the guest has written to its log.
func (m *Machine) Log() string { return m.log.text(0) }

// Set makes a chip of [Config.Devices], named by its id, measure something: a property of QEMU's model, in the model's unit.
func (m *Machine) Set(ctx context.Context, id, property string, value int) error {
	return m.monitor.do(ctx, "qom-set", map[string]any{"path": "/machine/peripheral/" + id, "property": property, "value": value})
}

// SetTemperature makes a TMP105 measure a temperature.
func (m *Machine) SetTemperature(ctx context.Context, id string, celsius float64) error {
	return m.Set(ctx, id, "temperature", int(math.Ceil(celsius*1000))) // m°C; the chip's own steps round down
}

// A Line is a GPIO line of the board that the host drives.
type Line struct {
	Chip   string // QEMU's path of the chip
	Offset int
}

// Button is the line that the guest finds at chip 20ac000.gpio, line 7. Nothing drives it at the start, and it reads 0:
// drive the idle level first.
var Button = Line{"/machine/soc/gpio5", 7}

// SetLine drives a line from outside.
func (m *Machine) SetLine(ctx context.Context, line Line, high bool) error {
	level := 0
	if high {
		level = 1
	}
	return m.tester.do(ctx, fmt.Sprintf("set_irq_in %s unnamed-gpio-in %d %d", line.Chip, line.Offset, level))
}

// Close kills the machine, as a power cut does, and waits until nothing of it is left. It may be called again.
func (m *Machine) Close() {
	m.kill()
	for _, conn := range m.conns {
		conn.Close()
	}
	m.tasks.Wait()
}

// socketPair returns two connected ends: one for this process, one to be inherited.
func socketPair() (net.Conn, *os.File, error) {
	ours, theirs, err := socketFiles()
	if err != nil {
		return nil, nil, err
	}
	defer ours.Close() // the connection has a copy
	conn, err := net.FileConn(ours)
	if err != nil {
		theirs.Close()
		return nil, nil, fmt.Errorf("socketpair: %w", err)
	}
	return conn, theirs, nil
}

// socketFiles returns two connected ends, both to be inherited.
func socketFiles() (a, b *os.File, err error) {
	pair, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("socketpair: %w", err)
	}
	return os.NewFile(uintptr(pair[0]), "a"), os.NewFile(uintptr(pair[1]), "b"), nil
}
