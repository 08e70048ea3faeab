package testenv

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

// A Process is a program under test: how to start it, and the one that runs now.
type Process struct {
	Name    string
	Binary  string
	Args    []string
	Env     []string // beside the test's own environment
	Address string   // answers once it serves
	Log     *os.File // see [LogFile]
	cmd     *exec.Cmd
	ended   chan struct{} // closed when the one that runs has ended
	err     error         // how it ended
}

// Start starts the process and does not wait for it to serve.
func (p *Process) Start(t testing.TB) {
	t.Helper()
	p.cmd = exec.Command(p.Binary, p.Args...)
	p.cmd.Env = append(os.Environ(), p.Env...)
	p.cmd.Stdout, p.cmd.Stderr = p.Log, p.Log
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := p.cmd.Start(); err != nil {
		t.Fatalf("start %s: %v", p.Name, err)
	}
	cmd, ended := p.cmd, make(chan struct{})
	p.ended = ended
	go func() {
		defer close(ended)
		p.err = cmd.Wait()
	}()
}

// PID is the process id of the one that runs now.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Kill ends the process as a power cut of this process alone would, and returns when the kernel is rid of it.
func (p *Process) Kill() {
	p.cmd.Process.Signal(syscall.SIGKILL)
	<-p.ended
}

// Ended reports whether the process is gone, by itself or because it was told to go.
func (p *Process) Ended() bool {
	select {
	case <-p.ended:
		return true
	default:
		return false
	}
}

// Signal sends a signal to the process.
func (p *Process) Signal(s syscall.Signal) { p.cmd.Process.Signal(s) }

// Stop asks the process to end and reports an unclean end.
func (p *Process) Stop(t testing.TB) {
	t.Helper()
	p.cmd.Process.Signal(syscall.SIGTERM)
	timer := time.AfterFunc(15*time.Second, func() { p.cmd.Process.Kill() })
	defer timer.Stop()
	<-p.ended
	if err := p.err; err != nil && p.Name != "mosquitto" { // which calls a SIGTERM an error
		t.Errorf("%s did not stop cleanly: %v", p.Name, err)
	}
}

// WaitServing waits until somebody takes connections at the address.
func (p *Process) WaitServing(ctx context.Context, t testing.TB) {
	t.Helper()
	Poll(ctx, t, 30*time.Second, p.Name+" to serve "+p.Address, func() bool {
		c, err := net.DialTimeout("tcp", p.Address, time.Second)
		if err != nil {
			return false
		}
		c.Close()
		return true
	})
}

// Poll asks until done answers true, and fails the test after limit.
func Poll(ctx context.Context, t testing.TB, limit time.Duration, what string, done func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	for !done() {
		if !Pause(ctx, 50*time.Millisecond) {
			t.Fatalf("waited %v for %s", limit, what)
		}
	}
}

// Pause waits, and reports whether ctx is still on.
func Pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

// LogFile returns a new file NAME.log in dir. Where the test fails, its last lines are part of what the test prints.
func LogFile(t testing.TB, dir, name string) *os.File {
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
