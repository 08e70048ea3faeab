package virtualpi

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"regexp"
	"strings"
	"sync"
)

// A serialPort keeps every line that a serial port of the board says. Each port has one goroutine that reads it and ends
// with the connection.
type serialPort struct {
	name string
	conn io.ReadWriter

	mu    sync.Mutex
	lines []string
	ended bool
	more  chan struct{} // closed and replaced at each new line and at the end
}

func newSerialPort(name string, conn io.ReadWriter) *serialPort {
	return &serialPort{name: name, conn: conn, more: make(chan struct{})}
}

// read collects lines until the connection ends.
func (p *serialPort) read() {
	for s := bufio.NewScanner(p.conn); s.Scan(); {
		p.add(strings.TrimRight(s.Text(), "\r"), false)
	}
	p.add("", true)
}

func (p *serialPort) add(line string, ended bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if ended {
		p.ended = true
	} else {
		p.lines = append(p.lines, line)
	}
	close(p.more)
	p.more = make(chan struct{})
}

// expect waits for the first line at or behind index from that matches, and returns its index and its submatches.
func (p *serialPort) expect(ctx context.Context, from int, want *regexp.Regexp) (int, []string, error) {
	for i := from; ; i++ {
		line, err := p.line(ctx, i)
		if err != nil {
			return i, nil, fmt.Errorf("%s: waiting for %s: %w; it said:\n%s", p.name, want, err, p.text(from))
		}
		if found := want.FindStringSubmatch(line); found != nil {
			return i, found, nil
		}
	}
}

// line returns line i as soon as it is there.
func (p *serialPort) line(ctx context.Context, i int) (string, error) {
	for {
		p.mu.Lock()
		lines, ended, more := p.lines, p.ended, p.more
		p.mu.Unlock()
		switch {
		case i < len(lines):
			return lines[i], nil
		case ended:
			return "", io.ErrUnexpectedEOF
		}
		select {
		case <-more:
		case <-ctx.Done():
			return "", ctx.Err()
		}
	}
}

// between returns the lines from index from up to, but not including, to.
func (p *serialPort) between(from, to int) []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.lines[from:to:to]
}

// text returns all lines from index from on that are there by now.
func (p *serialPort) text(from int) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.Join(p.lines[min(from, len(p.lines)):], "\n")
}
