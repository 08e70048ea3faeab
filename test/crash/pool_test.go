package crash

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"
)

// An examiner may take so long for one image, before it counts as kept busy for ever. Half of the control's images are
// broken, and it matters little if one of them is called so because the machine was slow.
const (
	patience        = 30 * time.Second
	controlPatience = 2 * time.Second
)

// enough failures of one trace end the search for more.
const enough = 100

// A failure is an image that did not hold.
type failure struct {
	order
	why string
}

// A pool is as many examiners as there are processors.
type pool struct {
	assignment assignment
	orders     chan order

	mu       sync.Mutex // guards all below
	failures []failure
	deaths   int           // images that ended their examiner
	cpu      time.Duration // that examiners took
	err      error         // of the examination itself
}

// examine gives every order of the plan to an examiner.
func (p *pool) examine(ctx context.Context, plan *planner) error {
	p.orders = make(chan order, 64)
	var running sync.WaitGroup
	for i := range runtime.GOMAXPROCS(0) {
		running.Go(func() {
			err := p.work(ctx, i)
			p.mu.Lock()
			p.err = errors.Join(p.err, err)
			p.mu.Unlock()
			for range p.orders { // after an error: let the planner come to its end
			}
		})
	}
	err := plan.run(func(o order) bool {
		p.orders <- o
		return p.assignment.Lossy || p.failed() < enough
	})
	close(p.orders)
	running.Wait()
	return errors.Join(err, p.err)
}

func (p *pool) failed() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.failures)
}

// work runs one examiner, and another one whenever an image ended it.
func (p *pool) work(ctx context.Context, i int) error {
	var e *examination
	end := func() string {
		if e == nil {
			return ""
		}
		why, cpu := e.end()
		e = nil
		p.mu.Lock()
		defer p.mu.Unlock()
		p.cpu += cpu
		return why
	}
	defer end()
	for o := range p.orders {
		if e == nil {
			var err error
			a := p.assignment
			a.Folder = filepath.Join(a.Folder, fmt.Sprint(i))
			if e, err = startExaminer(ctx, a); err != nil {
				return err
			}
		}
		answer, alive := e.ask(o)
		if !alive {
			answer = "the process ended: " + end()
		}
		if answer == "ok" {
			continue
		}
		p.mu.Lock()
		p.failures = append(p.failures, failure{o, answer})
		if !alive {
			p.deaths++
		}
		p.mu.Unlock()
	}
	return nil
}

// An examination is an examiner that runs.
type examination struct {
	cmd      *exec.Cmd
	in       io.WriteCloser
	out      *bufio.Reader
	stderr   strings.Builder
	patience time.Duration
}

func startExaminer(ctx context.Context, a assignment) (*examination, error) {
	cmd, err := child(ctx, "examiner", a)
	if err != nil {
		return nil, err
	}
	cmd.Env = append(cmd.Env, "GOMAXPROCS=1", "GOTRACEBACK=single")
	e := &examination{cmd: cmd, patience: patience}
	if a.Lossy {
		e.patience = controlPatience
	}
	cmd.Stderr = &e.stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	e.out = bufio.NewReader(out)
	if e.in, err = cmd.StdinPipe(); err != nil {
		return nil, err
	}
	return e, cmd.Start()
}

// ask gives an order, and returns the answer; false where the examiner ended over it.
func (e *examination) ask(o order) (string, bool) {
	timer := time.AfterFunc(e.patience, func() { e.cmd.Process.Kill() })
	defer timer.Stop()
	if _, err := fmt.Fprintf(e.in, "%d %v\n", o.cut, o.choice); err != nil {
		return "", false
	}
	answer, err := e.out.ReadString('\n')
	return strings.TrimSuffix(answer, "\n"), err == nil
}

// end ends the examiner and returns the first line of what it complained of, and the processor time that it took.
func (e *examination) end() (string, time.Duration) {
	e.in.Close()
	err := e.cmd.Wait()
	said, _, _ := strings.Cut(e.stderr.String(), "\n")
	return fmt.Sprint(err, " ", said), e.cmd.ProcessState.UserTime() + e.cmd.ProcessState.SystemTime()
}
