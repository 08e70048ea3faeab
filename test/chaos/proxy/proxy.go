package proxy

import (
	"maps"
	"net"
	"slices"
	"sync"
	"testing"
)

// A Proxy passes connections on to a server until the test ends. Its methods may be called from any goroutine.
type Proxy struct {
	server   string
	listener *net.TCPListener
	running  sync.WaitGroup

	mu     sync.Mutex
	state  state
	links  map[*link]bool
	count  int // connections taken so far
	closed bool
}

// A state is a fault, and how one learns that there is another.
type state struct {
	fault   Fault
	changed chan struct{} // closed when there is another
}

// New listens on a free port of loopback, for connections to the server's address.
func New(t testing.TB, server string) *Proxy {
	t.Helper()
	l, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{server: server, listener: l, state: state{changed: make(chan struct{})}, links: map[*link]bool{}}
	p.running.Go(p.accept)
	t.Cleanup(func() {
		l.Close()
		p.mu.Lock()
		p.closed = true
		p.mu.Unlock()
		p.Reset()
		p.running.Wait()
	})
	return p
}

// Port is where the proxy listens on 127.0.0.1.
func (p *Proxy) Port() string {
	_, port, _ := net.SplitHostPort(p.listener.Addr().String()) // a TCP address has one
	return port
}

// Set makes f what connections suffer from now on. Those that lost bytes or an end to the fault before are reset.
func (p *Proxy) Set(f Fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	close(p.state.changed)
	p.state = state{f, make(chan struct{})}
}

// Reset ends the connections there are, as a peer does that knows nothing of them.
func (p *Proxy) Reset() {
	for _, l := range p.open() {
		l.reset()
	}
}

// Leave ends one side of the connections there are: the clients' for up, the server's for down. With [Fault.Unclosed] set
// before, the other side is not told.
func (p *Proxy) Leave(side Direction) {
	for _, l := range p.open() {
		if side == Up {
			abort(l.client)
		} else {
			abort(l.server)
		}
	}
}

// Links returns how many connections there are, and how many there have been.
func (p *Proxy) Links() (now, ever int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.links), p.count
}

func (p *Proxy) open() []*link {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Collect(maps.Keys(p.links))
}

func (p *Proxy) look() state {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.state
}

func (p *Proxy) accept() {
	for {
		client, err := p.listener.AcceptTCP()
		if err != nil {
			return // the listener was closed
		}
		p.running.Go(func() { p.serve(client) })
	}
}

// serve is one connection's life.
func (p *Proxy) serve(client *net.TCPConn) {
	if p.look().fault.Refuse {
		abort(client)
		return
	}
	server, err := net.Dial("tcp", p.server)
	if err != nil {
		abort(client)
		return
	}
	l := &link{proxy: p, client: client, server: server.(*net.TCPConn), done: make(chan struct{})}
	p.add(l)
	l.run()
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.links, l)
}

func (p *Proxy) add(l *link) {
	p.mu.Lock()
	p.links[l] = true
	p.count++
	closed := p.closed
	p.mu.Unlock()
	if closed {
		l.reset()
	}
}

// abort closes a connection with a reset.
func abort(c *net.TCPConn) {
	c.SetLinger(0)
	c.Close()
}
