package testenv

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"
)

// startTimeout is how long a server may take until it says that it is ready, on a busy machine.
const startTimeout = 20 * time.Second

// A Server is a process that a test runs. Kill and Start are for one goroutine at a time.
type Server struct {
	Network string // tcp or unix
	Addr    string // host:port, or the path of the socket

	t     testing.TB
	name  string
	args  []string
	ready string // what a line of its output holds once it can be used
	dir   string

	command *exec.Cmd // nil while it is not running
	ended   chan struct{}
	log     output
}

// run starts a server for the length of the test.
func run(t testing.TB, s *Server) *Server {
	t.Helper()
	s.t = t
	if err := s.start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Kill)
	return s
}

// Start starts the server again at the same address, after [Server.Kill]. It returns when the server is ready.
func (s *Server) Start() {
	s.t.Helper()
	if err := s.start(); err != nil {
		s.t.Fatal(err)
	}
}

// Kill ends the server as a power cut would (SIGKILL), and waits until it is gone.
func (s *Server) Kill() {
	if s.command == nil {
		return
	}
	s.command.Process.Kill()
	<-s.ended
	s.command = nil
}

// Log returns what the server wrote so far.
func (s *Server) Log() string { return s.log.String() }

func (s *Server) start() error {
	command := exec.Command(s.name, s.args...)
	command.Dir = s.dir
	out, in, err := os.Pipe()
	if err != nil {
		return fmt.Errorf("start %s: %w", s.name, err)
	}
	command.Stdout, command.Stderr = in, in
	err = command.Start()
	in.Close()
	if err != nil {
		out.Close()
		return fmt.Errorf("start %s: %w", s.name, err)
	}
	s.command, s.ended = command, make(chan struct{})
	ready, ended := make(chan struct{}), s.ended
	go func() {
		defer close(ended)
		s.log.follow(out, s.ready, ready)
		out.Close()
		command.Wait()
	}()
	select {
	case <-ready:
		return nil
	case <-ended:
		s.command = nil
		return fmt.Errorf("start %s: it ended:\n%s", s.name, s.Log())
	case <-time.After(startTimeout):
		s.Kill()
		return fmt.Errorf("start %s: not ready after %v:\n%s", s.name, startTimeout, s.Log())
	}
}

// output collects what a server writes.
type output struct {
	mu   sync.Mutex
	text strings.Builder
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// follow collects lines until the file ends, and closes ready at the first that holds word.
func (o *output) follow(file *os.File, word string, ready chan struct{}) {
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		o.mu.Lock()
		o.text.WriteString(lines.Text() + "\n")
		o.mu.Unlock()
		if ready != nil && strings.Contains(lines.Text(), word) {
			close(ready)
			ready = nil
		}
	}
}
