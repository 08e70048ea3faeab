package kill

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A process is one of the things that get killed: how to start it, and the one that runs now.
type process struct {
	name    string
	binary  string
	args    []string
	env     []string
	address string // answers once it serves
	log     *os.File
	cmd     *exec.Cmd
}

func (p *process) start(t *testing.T) {
	t.Helper()
	p.cmd = exec.Command(p.binary, p.args...)
	p.cmd.Env = append(os.Environ(), p.env...)
	p.cmd.Stdout, p.cmd.Stderr = p.log, p.log
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := p.cmd.Start(); err != nil {
		t.Fatalf("start %s: %v", p.name, err)
	}
}

// kill ends the process as a power cut of this process alone would, and returns when the kernel is rid of it.
func (p *process) kill() {
	p.cmd.Process.Signal(syscall.SIGKILL)
	p.cmd.Wait()
}

// stop asks the process to end and reports an unclean end.
func (p *process) stop(t *testing.T) {
	t.Helper()
	p.cmd.Process.Signal(syscall.SIGTERM)
	timer := time.AfterFunc(15*time.Second, func() { p.cmd.Process.Kill() })
	defer timer.Stop()
	if err := p.cmd.Wait(); err != nil && p.name != "mosquitto" {
		t.Errorf("%s did not stop cleanly: %v", p.name, err)
	}
}

func (p *process) waitServing(ctx context.Context, t *testing.T) {
	t.Helper()
	poll(ctx, t, 30*time.Second, p.name+" to serve "+p.address, func() bool {
		c, err := net.DialTimeout("tcp", p.address, time.Second)
		if err != nil {
			return false
		}
		c.Close()
		return true
	})
}

// poll asks until done answers true, and fails the test after limit.
func poll(ctx context.Context, t *testing.T, limit time.Duration, what string, done func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	for !done() {
		if !pause(ctx, 50*time.Millisecond) {
			t.Fatalf("waited %v for %s", limit, what)
		}
	}
}

// pause waits, and reports whether ctx is still on.
func pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

func logFile(t *testing.T, dir, name string) *os.File {
	t.Helper()
	f, err := os.Create(filepath.Join(dir, name+".log"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		f.Close()
		if t.Failed() {
			t.Logf("end of %s's log:\n%s", name, lastLines(f.Name(), 25))
		}
	})
	return f
}

func lastLines(file string, n int) string {
	data, err := os.ReadFile(file)
	if err != nil {
		return fmt.Sprint(err)
	}
	lines := strings.Split(strings.TrimSpace(string(data)), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
