package mqtt

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"time"
)

// Options say what to connect to, and as whom. The zero value of everything but Broker (or Dial) is usable.
type Options struct {
	Broker       string        // scheme://host[:port]; schemes tcp, mqtt (port 1883), and ssl, tls, mqtts (port 8883)
	ClientID     string        // two connections of one id kick each other
	Username     string        // none where empty
	Password     string        // used with Username only
	TLS          *tls.Config   // for the TLS schemes; nil for the system's roots
	CleanSession bool          // whether the broker forgets subscriptions and messages when the link ends
	KeepAlive    time.Duration // default 30 s
	Will         *Message      // what the broker publishes when the link dies without Close

	// FreshTLS, where it is set, is asked at each connection and goes before TLS: certificates are renewed while a process runs.
	FreshTLS func() *tls.Config

	// Dial replaces the network, TLS included, where it is set: tests connect in memory.
	Dial func(ctx context.Context) (net.Conn, error)

	// Handler gets every message, one at a time, in the order in which the broker sent them. It may block, and must return
	// when the connection ends or its user gives up: Close waits for it. Nil acknowledges and ignores.
	Handler func(Message)

	// ManualAck leaves acknowledging to the user of a message, see [Message.Ack]. Without it a message is acknowledged when
	// Handler returns.
	ManualAck bool

	Log *slog.Logger // default: nothing is logged
}

const (
	keepAlive      = 30 * time.Second
	pingTimeout    = 10 * time.Second
	connectTimeout = 15 * time.Second // network, TLS and MQTT handshake together
	writeTimeout   = 10 * time.Second // for one packet
	passTimeout    = 1 * time.Second  // for paho to take a packet while it writes another
	answerTimeout  = 15 * time.Second // for a SUBACK
	ackTimeout     = 60 * time.Second // for the next PUBACK, with nothing acknowledged meanwhile
	closeTimeout   = 2 * time.Second
)

// A target is where a broker listens.
type target struct {
	address string // host:port
	tls     bool
}

// parseBroker reads scheme://host[:port].
func parseBroker(broker string) (target, error) {
	u, err := url.Parse(broker)
	if err != nil {
		return target{}, errors.New("broker: want scheme://host[:port]") // the text may hold a password
	}
	t := target{}
	port := "1883"
	switch u.Scheme {
	case "tcp", "mqtt":
	case "ssl", "tls", "mqtts":
		t.tls, port = true, "8883"
	default:
		return target{}, fmt.Errorf("broker: scheme %q: want one of tcp, mqtt, ssl, tls, mqtts", u.Scheme)
	}
	if u.Hostname() == "" {
		return target{}, fmt.Errorf("broker %s: no host", u.Redacted())
	}
	if u.User != nil {
		return target{}, fmt.Errorf("broker %s: credentials do not belong here: want them in username and password", u.Redacted())
	}
	if u.Port() != "" {
		port = u.Port()
	}
	t.address = net.JoinHostPort(u.Hostname(), port)
	return t, nil
}

// dial opens the connection that MQTT is to be spoken on.
func (o *Options) dial(ctx context.Context) (net.Conn, error) {
	if o.Dial != nil {
		return o.Dial(ctx)
	}
	t, err := parseBroker(o.Broker)
	if err != nil {
		return nil, err
	}
	if t.tls {
		config := o.TLS
		if o.FreshTLS != nil {
			config = o.FreshTLS()
		}
		return (&tls.Dialer{Config: config}).DialContext(ctx, "tcp", t.address)
	}
	return new(net.Dialer).DialContext(ctx, "tcp", t.address)
}
