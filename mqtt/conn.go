package mqtt

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"sync"
	"syscall"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
	"github.com/eclipse/paho.mqtt.golang/packets"
)

// ErrClosed is what [Conn.Err] returns after [Conn.Close].
var ErrClosed = errors.New("connection closed")

// A Conn is one connection to a broker, from [Connect] until it is lost or closed. Its methods may be called from any
// goroutine. Close must be called in either case.
type Conn struct {
	options Options
	log     *slog.Logger
	client  paho.Client
	socket  socket
	running sync.WaitGroup
	lost    chan struct{}

	in      chan paho.Message // received, waiting for the handler
	waiting inbox             // how much that is

	out   chan *Sent // to be published; a place in slots is a place here
	slots chan struct{}

	mu    sync.Mutex
	err   error // why the connection ended; nil as long as it lives
	ended bool  // nothing more is put into out
}

// Connect connects to a broker and returns when it has accepted the client. It gives up when ctx ends, and after 15 s. An
// error says whether the network or the broker refused.
func Connect(ctx context.Context, o Options) (*Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Handler == nil {
		o.Handler = func(Message) {}
	}
	if o.KeepAlive <= 0 {
		o.KeepAlive = keepAlive
	}
	if o.Will != nil {
		if err := o.Will.check(); err != nil {
			return nil, fmt.Errorf("last will: %w", err)
		}
	}
	network, err := o.dial(ctx)
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	c := &Conn{
		options: o,
		log:     o.Log,
		socket:  socket{newCandid(network)},
		lost:    make(chan struct{}),
		in:      make(chan paho.Message, maxWaiting),
		waiting: inbox{room: make(chan struct{}, 1)},
		out:     make(chan *Sent, MaxUnacknowledged),
		slots:   make(chan struct{}, MaxUnacknowledged),
	}
	if err := c.handshake(ctx); err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	c.running.Go(c.deliver)
	c.running.Go(c.publish)
	return c, nil
}

// NobodyListens reports whether err, which [Connect] returned, says that the broker's host is there and no broker on it: as
// while one is started again.
func NobodyListens(err error) bool { return errors.Is(err, syscall.ECONNREFUSED) }

// LoginRefused reports whether err, which [Connect] returned, says that the broker does not take this name and password.
func LoginRefused(err error) bool {
	return errors.Is(err, packets.ErrorRefusedNotAuthorised) || errors.Is(err, packets.ErrorRefusedBadUsernameOrPassword)
}

// handshake makes paho speak MQTT on the socket.
func (c *Conn) handshake(ctx context.Context) error {
	c.client = paho.NewClient(c.settings())
	abort := context.AfterFunc(ctx, func() { c.socket.Close() })
	token := c.client.Connect()
	<-token.Done() // the socket's deadline or its end sees to it
	inTime := abort()
	switch {
	case token.Error() == nil && inTime:
		return nil
	case token.Error() == nil: // accepted, and cut by abort a moment later
		c.client.Disconnect(milliseconds(closeTimeout))
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("no answer from the broker: %w", err)
	}
	return token.Error()
}

// settings are the only ones under which paho's tokens can be believed.
func (c *Conn) settings() *paho.ClientOptions {
	o := paho.NewClientOptions()
	o.Servers = []*url.URL{{Scheme: "tcp", Host: "socket"}} // never dialled: there is a socket already
	o.SetCustomOpenConnectionFn(func(*url.URL, paho.ClientOptions) (net.Conn, error) { return c.socket, nil })
	o.SetProtocolVersion(4)
	o.SetClientID(c.options.ClientID)
	o.SetUsername(c.options.Username)
	o.SetPassword(c.options.Password)
	o.SetCleanSession(c.options.CleanSession)
	o.SetAutoReconnect(false)
	o.SetConnectRetry(false)
	o.SetResumeSubs(false)
	o.SetStore(nothing{})
	o.SetKeepAlive(c.options.KeepAlive)
	o.SetPingTimeout(pingTimeout)
	o.SetConnectTimeout(connectTimeout)
	o.SetWriteTimeout(passTimeout) // see pass; socket bounds the writing itself
	o.SetOrderMatters(true)        // see the package comment
	o.SetAutoAckDisabled(true)
	o.SetDefaultPublishHandler(c.receive)
	o.SetConnectionLostHandler(func(_ paho.Client, err error) { c.end(fmt.Errorf("connection lost: %w", err)) })
	if w := c.options.Will; w != nil {
		o.SetBinaryWill(w.Topic, w.Payload, 1, w.Retained)
	}
	return o
}

// Lost returns a channel that is closed when the connection has ended, for whatever reason.
func (c *Conn) Lost() <-chan struct{} { return c.lost }

// Err returns why the connection ended, and nil as long as it has not.
func (c *Conn) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// end ends the connection for the reason err, unless it has ended already.
func (c *Conn) end(err error) {
	c.mu.Lock()
	first := c.err == nil
	if first {
		c.err = err
		close(c.lost)
	}
	c.mu.Unlock()
	if first {
		c.socket.Close() // paho notices, where it was not paho who said so
	}
}

// Close sends DISCONNECT, so that the broker does not publish the last will, and returns when every goroutine of the
// connection has ended. Where the link is gone, or does not take it until ctx ends or 2 s are over, it ends without.
func (c *Conn) Close(ctx context.Context) {
	patience := closeTimeout
	if deadline, ok := ctx.Deadline(); ok {
		patience = min(patience, time.Until(deadline))
	}
	if c.Err() == nil && ctx.Err() == nil && patience >= time.Millisecond {
		c.client.Disconnect(milliseconds(patience))
	}
	c.end(ErrClosed)
	c.client.Disconnect(milliseconds(closeTimeout)) // with the socket closed: returns when paho is through
	c.running.Wait()
}

func milliseconds(d time.Duration) uint { return uint(d.Milliseconds()) }
