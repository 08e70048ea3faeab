package mqtt

import (
	"crypto/tls"
	"errors"
	"net"
	"sync/atomic"
	"time"
)

// alertPatience is how long a broker's reason is waited for that has cut the link; it is underway before the cut.
const alertPatience = time.Second

// A candid connection says why a broker refused it. In TLS 1.3 the broker looks at the client's certificate after the client's
// handshake is over: its refusal comes while the client writes already, to a link that has been reset meanwhile, and would be
// left unread in favour of "connection reset by peer".
type candid struct {
	*tls.Conn
	heard *atomic.Bool // whether the broker has said anything: it takes us, then
}

func newCandid(conn net.Conn) net.Conn {
	if secure, ok := conn.(*tls.Conn); ok {
		return candid{secure, new(atomic.Bool)}
	}
	return conn
}

func (c candid) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if n > 0 {
		c.heard.Store(true)
	}
	return n, err
}

func (c candid) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	if err == nil || c.heard.Load() {
		return n, err
	}
	if c.Conn.SetReadDeadline(time.Now().Add(alertPatience)) != nil {
		return n, err
	}
	_, why := c.Conn.Read(make([]byte, 1))
	if alert := new(net.OpError); errors.As(why, &alert) && alert.Op == "remote error" { // as crypto/tls names an alert
		return n, why
	}
	return n, err
}
