package proxy

import (
	"bytes"
	"errors"
	"holdfast/internal/testenv"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"time"
)

// soon is how long a test waits for what must come, moment for what must not.
const (
	soon   = 10 * time.Second
	moment = 100 * time.Millisecond
)

// connect returns a proxy and both ends of a connection through it.
func connect(t *testing.T) (p *Proxy, client, server net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	p = New(t, l.Addr().String())
	client = dial(t, p)
	if server, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	testenv.Poll(t.Context(), t, soon, "the proxy to know its link", func() bool { now, _ := p.Links(); return now == 1 })
	return p, client, server
}

func dial(t *testing.T, p *Proxy) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", "127.0.0.1:"+p.Port())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func send(t *testing.T, c net.Conn, text string) {
	t.Helper()
	if _, err := c.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
}

// comes expects text at the other end.
func comes(t *testing.T, c net.Conn, text string) {
	t.Helper()
	c.SetReadDeadline(time.Now().Add(soon))
	got := make([]byte, len(text))
	if n, err := io.ReadFull(c, got); err != nil || string(got) != text {
		t.Fatalf("got %q, %v; want %q", got[:n], err, text)
	}
}

// quiet expects that nothing comes, and the connection stays.
func quiet(t *testing.T, c net.Conn) {
	t.Helper()
	c.SetReadDeadline(time.Now().Add(moment))
	if n, err := c.Read(make([]byte, 1)); n > 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("got %d bytes, %v; want none, and a connection that stays", n, err)
	}
}

// ends expects the end of the connection.
func ends(t *testing.T, c net.Conn, want error) {
	t.Helper()
	c.SetReadDeadline(time.Now().Add(soon))
	if n, err := c.Read(make([]byte, 1)); n > 0 || !errors.Is(err, want) {
		t.Fatalf("got %d bytes, %v; want %v", n, err, want)
	}
}

func TestPasses(t *testing.T) {
	t.Parallel()
	p, client, server := connect(t)
	send(t, client, "hello")
	comes(t, server, "hello")
	send(t, server, "you")
	comes(t, client, "you")
	if now, ever := p.Links(); now != 1 || ever != 1 {
		t.Errorf("%d links now, %d ever; want 1, 1", now, ever)
	}
	send(t, client, "bye")
	client.Close()
	comes(t, server, "bye")
	ends(t, server, io.EOF)
}

func TestReset(t *testing.T) {
	t.Parallel()
	p, client, server := connect(t)
	send(t, client, "x")
	comes(t, server, "x")
	p.Reset()
	ends(t, client, syscall.ECONNRESET)
	ends(t, server, syscall.ECONNRESET)
}

func TestRefuse(t *testing.T) {
	t.Parallel()
	p, client, server := connect(t)
	p.Set(Fault{Refuse: true})
	refused, err := net.Dial("tcp", "127.0.0.1:"+p.Port())
	if err == nil { // it was reset a moment later
		defer refused.Close()
		ends(t, refused, syscall.ECONNRESET)
	} else if !errors.Is(err, syscall.ECONNRESET) {
		t.Error(err)
	}
	send(t, client, "old ones stay")
	comes(t, server, "old ones stay")
}

func TestFreeze(t *testing.T) {
	t.Parallel()
	p, client, server := connect(t)
	p.Set(Fault{Up: Way{Freeze: true}})
	send(t, client, "late")
	quiet(t, server)
	send(t, server, "not frozen")
	comes(t, client, "not frozen")
	p.Set(Fault{Down: Way{Freeze: true}})
	comes(t, server, "late")
	send(t, server, "late too")
	quiet(t, client)
	server.Close()
	quiet(t, client)
	p.Set(Fault{})
	comes(t, client, "late too")
	ends(t, client, io.EOF)
}

func TestSwallow(t *testing.T) {
	t.Parallel()
	p, client, server := connect(t)
	send(t, client, "before")
	comes(t, server, "before")
	p.Set(Fault{Up: Way{Swallow: true, After: 6}})
	send(t, client, "1234")
	comes(t, server, "1234")
	send(t, client, "5678")
	comes(t, server, "56")
	send(t, client, "90")
	quiet(t, server)
	send(t, server, "not swallowed")
	comes(t, client, "not swallowed")
	p.Set(Fault{})
	send(t, client, "x") // what a connection lost bytes in front of never arrives
	ends(t, client, syscall.ECONNRESET)
	ends(t, server, syscall.ECONNRESET)
}

func TestHalfOpen(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"client", "server"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, goes, stays := connect(t)
			if name == "server" {
				goes, stays = stays, goes
			}
			p.Set(Fault{Unclosed: true})
			send(t, goes, "last words")
			goes.Close()
			comes(t, stays, "last words")
			quiet(t, stays)
			send(t, stays, "are you there?")
			quiet(t, stays)
			send(t, stays, "hello?")
			quiet(t, stays)
			p.Set(Fault{})
			stays.SetReadDeadline(time.Now().Add(soon))
			if _, err := stays.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("the connection outlives the fault: %v", err)
			}
		})
	}
}

func TestLeave(t *testing.T) {
	t.Parallel()
	for side, name := range []string{Up: "client", Down: "server"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, goes, stays := connect(t)
			if Direction(side) == Down {
				goes, stays = stays, goes
			}
			p.Set(Fault{Unclosed: true})
			p.Leave(Direction(side))
			ends(t, goes, syscall.ECONNRESET)
			quiet(t, stays)
			p.Set(Fault{})
			stays.SetReadDeadline(time.Now().Add(soon))
			if _, err := stays.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("the connection outlives the fault: %v", err)
			}
		})
	}
}

func TestCut(t *testing.T) {
	t.Parallel()
	p, client, server := connect(t)
	p.Set(Fault{Up: Way{Cut: true, After: 3}})
	send(t, client, "\x30\x041234")                   // its middle is its 4th byte
	comes(t, server, "\x30\x0412")                    //
	ends(t, server, syscall.ECONNRESET)               //
	ends(t, client, syscall.ECONNRESET)               //
	if now, ever := p.Links(); now > 1 || ever != 1 { // the last may be on its way out
		t.Errorf("%d links now, %d ever", now, ever)
	}
}

func TestDeny(t *testing.T) {
	t.Parallel()
	p, client, server := connect(t)
	long := bytes.Repeat([]byte{0x90, 0x01}, 100) // 200 bytes of a PUBLISH that look like another packet
	publish := "\x32\xc8\x01" + string(long)
	send(t, server, publish+"\x90") // the fault comes in the middle of a packet
	comes(t, client, publish+"\x90")
	p.Set(Fault{Deny: true})
	send(t, server, "\x04")
	comes(t, client, "\x04")
	send(t, server, "\x07\x01")
	comes(t, client, "\x07\x01")
	send(t, server, "\x01\x00\xd0\x00"+publish)
	comes(t, client, "\x80\x80\xd0\x00"+publish)
	send(t, client, "\x82\x0e\x00\x02\x00\x03a/b\x01\x00\x03c/d\x01\x30\x02ab")
	comes(t, server, "\x82\x0e\x00\x02\x00\x03x/b\x01\x00\x03x/d\x01\x30\x02ab")
}

func TestLatency(t *testing.T) {
	t.Parallel()
	p, client, server := connect(t)
	p.Set(Fault{Up: Way{Latency: moment, Jitter: moment}})
	var all string
	start := time.Now()
	for i := range 100 {
		all += string(rune('!' + i%90))
		send(t, client, all[len(all)-1:])
	}
	comes(t, server, all)
	if took := time.Since(start); took < moment || took > soon/2 {
		t.Errorf("100 writes took %v, want about %v for all together", took, moment)
	}
}

func TestRate(t *testing.T) {
	t.Parallel()
	p, client, server := connect(t)
	p.Set(Fault{Up: Way{Rate: 40_000}})
	start := time.Now()
	text := string(bytes.Repeat([]byte("slow"), 2500))
	send(t, client, text)
	comes(t, server, text)
	if took, want := time.Since(start), 200*time.Millisecond; took < want {
		t.Errorf("10 kB at 40 kB/s took %v, want at least %v", took, want)
	}
}
