// Package broker is the MQTT broker that the receiver carries with it, so that a gateway and a receiver need nothing else:
// a NATS server in the same process, which speaks MQTT 3.1.1 and keeps sessions, queued and retained messages in a folder.
//
// Nobody gets in without a name and a secret, and everybody may use only the topics that package access says; what breaks
// that is dropped, and logged with the name. Names are looked up when somebody connects, and a connection whose name has gone
// or got another secret is cut within seconds. Beyond loopback it listens with TLS only; [Start] refuses anything else. The
// server's own protocol has no listener at all.
//
// Nothing depends on what the broker keeps. A batch that it loses is sent again, because its receipt never came; so its
// folder may be deleted while the receiver is down, and one that the server cannot read is put aside and begun anew. What it
// keeps is bounded by [Options.MaxBytes]: beyond that the oldest message that waits for its reader is dropped, which costs a
// resend too.
//
// A server that once failed to write, to a full disk for example, takes nothing any more, also when there is space again. So
// it is asked now and then, and started again in its place until it can: see watch.go.
//
// The log is quiet: what NATS notes goes to Debug, its warnings to Warn.
package broker

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"holdfast"
	"holdfast/mqtt"
	"holdfast/receiver/access"
)

// Options of [Start].
type Options struct {
	Dir      string      // where it keeps sessions and messages; created
	Listen   string      // host:port of the MQTT listener; port 0 takes a free one
	TLS      *tls.Config // of the listener; nil for none, on loopback only
	LinkTLS  *tls.Config // of a client on this machine, where TLS is set
	Topics   holdfast.Topics
	Instance string // names the receiver

	// Logins returns who may log in: the one of that name alone, or all for "". It is asked when somebody connects, and
	// every few seconds; it may block for as long as a query takes.
	Logins func(ctx context.Context, only string) ([]access.Login, error)

	MaxBytes int64        // of what it keeps; default 256 MiB
	Log      *slog.Logger // nil for none
}

const (
	defaultBytes = 256 << 20
	startTimeout = 20 * time.Second

	// maxPayload is what an MQTT packet may hold: the 1 MiB of the largest message, and its topic.
	maxPayload = 1<<20 + 4<<10

	// maxPending is how many messages a session may hold unacknowledged. The broker passes over what is beyond it until
	// the next redelivery, so it must not be smaller than a burst; clients queue as many. Redelivery is also what a client waits
	// for that comes back to its session.
	maxPending = 1024
	redelivery = 10 * time.Second

	// handshakeSeconds is how long TLS, and then the first packet, may take: a Pi is slow.
	handshakeSeconds = 10

	// forget is after how long the broker drops the queue of a session that nobody came back to. Gateways have a new client
	// id with each start, and a broker that was killed finds the queues of the old ones: without this they would grow for ever.
	forget = time.Hour
)

// A Broker is a running broker.
type Broker struct {
	o       Options
	host    string
	port    int
	door    *door
	stop    context.CancelFunc
	running sync.WaitGroup

	mu      sync.Mutex
	current *life // nil while it cannot be started again
}

// Start starts a broker and returns when it accepts connections.
func Start(o Options) (*Broker, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.MaxBytes <= 0 {
		o.MaxBytes = defaultBytes
	}
	host, port, err := parseListen(o.Listen, o.TLS != nil)
	if err != nil {
		return nil, err
	}
	if port, err = freePort(host, port); err != nil {
		return nil, err
	}
	b := &Broker{o: o, host: host, port: port, door: newDoor(o)}
	if b.current, err = b.startOrPutAside(); err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(context.Background())
	b.stop = stop
	b.running.Go(func() { b.watch(ctx) })
	b.running.Go(func() { b.patrol(ctx) })
	return b, nil
}

func (b *Broker) startOrPutAside() (*life, error) {
	r, err := b.start()
	if err == nil {
		return r, nil
	}
	aside, asideErr := putAside(b.o.Dir)
	if asideErr != nil || aside == "" {
		return nil, errors.Join(err, asideErr)
	}
	b.o.Log.Error("broker begins with an empty store, what it had was put aside", "dir", aside, "err", err)
	return b.start()
}

// A life of the server is from a start to its end.
type life struct {
	server *server.Server
	log    *log
}

func (b *Broker) start() (*life, error) {
	if err := os.MkdirAll(b.o.Dir, 0o750); err != nil {
		return nil, fmt.Errorf("start broker: %w", err)
	}
	keeper := &keeper{door: b.door}
	s, err := server.NewServer(&server.Options{
		CustomClientAuthentication: keeper,
		ServerName:                 "holdfast",
		DontListen:                 true,
		NoSigs:                     true,
		NoSystemAccount:            true,
		MaxPayload:                 maxPayload,
		JetStream:                  true,
		StoreDir:                   b.o.Dir,
		JetStreamMaxStore:          b.o.MaxBytes,
		JetStreamMaxMemory:         b.o.MaxBytes / 4,
		MQTT: server.MQTTOpts{
			Host:                      b.host,
			Port:                      b.port,
			TLSConfig:                 b.o.TLS,
			TLSTimeout:                handshakeSeconds,
			AuthTimeout:               handshakeSeconds,
			AckWait:                   redelivery,
			MaxAckPending:             maxPending,
			ConsumerInactiveThreshold: forget,
		},
	})
	if err != nil {
		return nil, fmt.Errorf("start broker: %w", err)
	}
	keeper.server = s
	r := &life{server: s, log: &log{to: b.o.Log, door: b.door}}
	s.SetLoggerV2(r.log, false, false, false)
	s.Start()
	if !s.ReadyForConnections(startTimeout) {
		r.close()
		return nil, fmt.Errorf("start broker on %s in %s: not ready after %v: is the port taken by another program, the folder by another receiver?",
			b.Addr(), b.o.Dir, startTimeout)
	}
	if err := limit(s, b.door.inside, b.o.MaxBytes/4*3); err != nil {
		r.close()
		return nil, fmt.Errorf("start broker: %w", err)
	}
	return r, nil
}

// close ends the server and returns when it has written down what it keeps.
func (r *life) close() {
	r.log.stopping.Store(true)
	r.server.Shutdown()
	r.server.WaitForShutdown()
}

// Addr returns host:port of the MQTT listener.
func (b *Broker) Addr() string { return net.JoinHostPort(b.host, strconv.Itoa(b.port)) }

// Link returns how the receiver itself reaches the broker, with credentials that were made at the start.
func (b *Broker) Link() mqtt.Options {
	host, scheme := b.host, "tcp"
	if ip := net.ParseIP(host); ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	if b.o.TLS != nil {
		scheme = "ssl"
	}
	return mqtt.Options{
		Broker:   scheme + "://" + net.JoinHostPort(host, strconv.Itoa(b.port)),
		Username: access.ReceiverName, Password: string(b.door.receiver), TLS: b.o.LinkTLS,
	}
}

// Close ends the broker and returns when it has written down what it keeps.
func (b *Broker) Close() {
	b.stop()
	b.running.Wait()
	if r := b.swap(nil); r != nil {
		r.close()
	}
}

// parseListen takes an address apart and refuses one that others can reach, unless it is safe.
func parseListen(listen string, safe bool) (host string, port int, err error) {
	host, text, err := net.SplitHostPort(listen)
	if err != nil {
		return "", 0, fmt.Errorf("broker address %q: want host:port", listen)
	}
	port, err = strconv.Atoi(text)
	if err != nil || port < 0 || port > 65535 {
		return "", 0, fmt.Errorf("broker address %q: port: want 0 to 65535", listen)
	}
	switch host {
	case "localhost":
		host = "127.0.0.1"
	case "":
		host = "0.0.0.0"
	}
	ip := net.ParseIP(host)
	if ip == nil {
		return "", 0, fmt.Errorf("broker address %q: want an address of this machine, or 0.0.0.0 for all of them", listen)
	}
	if !ip.IsLoopback() && !safe {
		return "", 0, fmt.Errorf("broker address %q: beyond loopback it listens with TLS only", listen)
	}
	return host, port, nil
}

// freePort returns port if nobody has it, or one that is free for 0. The server itself would wait, and not say why.
func freePort(host string, port int) (int, error) {
	l, err := net.Listen("tcp", net.JoinHostPort(host, strconv.Itoa(port)))
	if err != nil {
		return 0, fmt.Errorf("start broker: %w", err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// putAside renames a folder that the server could not start with, in place of one that was put aside earlier. It returns ""
// where there is none.
func putAside(dir string) (string, error) {
	aside := dir + ".damaged"
	if err := os.RemoveAll(aside); err != nil {
		return "", err
	}
	err := os.Rename(dir, aside)
	if errors.Is(err, os.ErrNotExist) {
		return "", nil
	}
	return aside, err
}
