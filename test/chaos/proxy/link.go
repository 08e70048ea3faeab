package proxy

import (
	"math/rand/v2"
	"net"
	"sync"
	"time"
)

// A link is one connection through the proxy.
type link struct {
	proxy          *Proxy
	client, server *net.TCPConn

	once sync.Once
	done chan struct{} // closed when the link has ended
}

// A chunk is what was read at once.
type chunk struct {
	bytes []byte
	read  time.Time
}

// maxChunks bounds what is under way in one direction. What is more waits in the kernel, until its sender feels it.
const (
	maxChunks = 64
	maxBytes  = 4 << 10
)

// reset ends the link, for both of its ends.
func (l *link) reset() {
	l.once.Do(func() {
		close(l.done)
		abort(l.client)
		abort(l.server)
	})
}

// finish ends the link in peace.
func (l *link) finish() {
	l.once.Do(func() {
		close(l.done)
		l.client.Close()
		l.server.Close()
	})
}

func (l *link) run() {
	var running sync.WaitGroup
	for d, ends := range [][2]*net.TCPConn{Up: {l.client, l.server}, Down: {l.server, l.client}} {
		chunks := make(chan chunk, maxChunks)
		running.Go(func() { l.read(ends[0], chunks) })
		running.Go(func() {
			f := flow{link: l, direction: Direction(d), to: ends[1]}
			f.run(chunks)
		})
	}
	running.Wait()
}

// read reads until the sender's end, and closes chunks then.
func (l *link) read(from *net.TCPConn, chunks chan<- chunk) {
	defer close(chunks)
	for {
		buffer := make([]byte, maxBytes)
		n, err := from.Read(buffer)
		if n > 0 {
			select {
			case chunks <- chunk{buffer[:n], time.Now()}:
			case <-l.done:
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// A flow is one direction of a link.
type flow struct {
	link      *link
	direction Direction
	to        *net.TCPConn
	packets   packets

	state  state
	passed int       // bytes since the state began
	due    time.Time // of the last chunk: none overtakes it
	lost   bool      // bytes were swallowed: nothing can follow
}

// run passes chunks until there are no more, or the link ends.
func (f *flow) run(chunks <-chan chunk) {
	for c := range chunks {
		if !f.wait(c) || !f.pass(c.bytes) {
			return
		}
	}
	f.end()
}

// look takes note of another fault. It reports whether the link lives on.
func (f *flow) look() bool {
	now := f.link.proxy.look()
	if now.changed == f.state.changed {
		return true
	}
	f.state, f.passed = now, 0
	if f.lost {
		f.link.reset()
	}
	return !f.lost
}

func (f *flow) way() *Way { return f.state.fault.way(f.direction) }

// wait returns when the chunk is due and nothing is frozen, and reports whether the link lives on.
func (f *flow) wait(c chunk) bool {
	if !f.look() {
		return false
	}
	if way := f.way(); way.Latency+way.Jitter > 0 {
		late := way.Latency
		if way.Jitter > 0 {
			late += rand.N(way.Jitter)
		}
		if due := c.read.Add(late); due.After(f.due) {
			f.due = due
		}
		if !f.sleep(time.Until(f.due)) {
			return false
		}
	}
	for f.look() {
		if !f.way().Freeze {
			return true
		}
		if !f.rest() {
			return false
		}
	}
	return false
}

// sleep waits for d, and reports whether the link lives on.
func (f *flow) sleep(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-f.link.done:
		return false
	}
}

// rest waits for another fault, and reports whether the link lives on.
func (f *flow) rest() bool {
	select {
	case <-f.state.changed:
		return true
	case <-f.link.done:
		return false
	}
}

// pass passes bytes on as the fault has it, and reports whether the link lives on.
func (f *flow) pass(bytes []byte) bool {
	way := f.way()
	if way.Swallow {
		left := max(way.After-f.passed, 0)
		f.lost = f.lost || len(bytes) > left
		bytes = bytes[:min(left, len(bytes))]
	}
	for i := range bytes {
		bytes[i] = f.packets.next(bytes[i], f.state.fault.Deny)
		if way.Cut && f.passed+i >= way.After && f.packets.middle() {
			f.to.Write(bytes[:i+1])
			f.link.reset()
			return false
		}
	}
	f.passed += len(bytes)
	return f.write(bytes, way.Rate)
}

// paces is into how many pieces a second of bytes is cut.
const paces = 20

// write writes bytes, at most rate of them a second.
func (f *flow) write(bytes []byte, rate int) bool {
	if rate == 0 {
		return f.send(bytes)
	}
	for piece := max(rate/paces, 1); len(bytes) > 0; {
		n := min(piece, len(bytes))
		if !f.send(bytes[:n]) || !f.sleep(time.Second/paces) {
			return false
		}
		bytes = bytes[n:]
	}
	return true
}

func (f *flow) send(bytes []byte) bool {
	if _, err := f.to.Write(bytes); err != nil {
		f.end()
		return false
	}
	return true
}

// end is the end of one side: the link ends with it, or, half-open, when the fault is over.
func (f *flow) end() {
	for f.look() {
		switch {
		case !f.state.fault.Unclosed && !f.way().Freeze && !f.lost:
			f.link.finish()
			return
		case !f.rest():
			return
		}
	}
}
