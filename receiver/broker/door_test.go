package broker

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"holdfast"
	"holdfast/mqtt"
	"holdfast/receiver/access"
	"holdfast/receiver/ca"
)

func TestSubjects(t *testing.T) {
	t.Parallel()
	for filter, want := range map[string][]string{
		"devices/pi-7/telemetry": {"devices.pi-7.telemetry"}, "devices/+/x": {"devices.*.x"}, "devices/#": {"devices.>", "devices"},
		"a.b/c": {"a//b.c"}, "a//b": {"a./.b"}, "/a": {"/.a"}, ".": {"//"},
	} {
		if got := subjects([]string{filter}); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", filter, got, want)
		}
	}
}

// registry is one that a test changes.
type registry struct {
	mu  sync.Mutex
	all []access.Login
}

func (r *registry) set(all ...access.Login) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all = all
}

func (r *registry) logins(_ context.Context, only string) (found []access.Login, _ error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, l := range r.all {
		if only == "" || l.Name == only {
			found = append(found, l)
		}
	}
	return found, nil
}

// text collects a log.
type text struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (x *text) Write(p []byte) (int, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.b.Write(p)
}

func (x *text) count(parts ...string) (n int) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for line := range strings.Lines(x.b.String()) {
		if !slices.ContainsFunc(parts, func(p string) bool { return !strings.Contains(line, p) }) {
			n++
		}
	}
	return n
}

func guarded(t *testing.T, o Options) (*Broker, *registry, *text) {
	t.Helper()
	r, log := new(registry), new(text)
	r.set(access.Login{Name: "pi-7", Hash: hash}, access.Login{Name: "pi", Hash: access.Hash("another")},
		access.Login{Name: "watcher", Hash: hash, Operator: true})
	o.Dir, o.Listen, o.Instance, o.Logins = t.TempDir(), "127.0.0.1:0", "one", r.logins
	o.Log = slog.New(slog.NewTextHandler(log, nil))
	b, err := Start(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	return b, r, log
}

// Only a name with its secret gets in, under a client id of its own.
func TestWhoGetsIn(t *testing.T) {
	t.Parallel()
	b, _, log := guarded(t, Options{})
	for _, c := range []struct {
		name, password, client string
		ok                     bool
	}{
		{"pi-7", secret, "pi-7-9f2c1a00", true},
		{"watcher", secret, "made0up", true},
		{"watcher", secret, "watcher-2", true},
		{"", "", "pi-7-9f2c1a00", false},
		{"pi-7", "", "pi-7-9f2c1a00", false},
		{"pi-7", "another", "pi-7-9f2c1a00", false},
		{"stranger", secret, "stranger-9f2c1a00", false},
		{"pi-7", secret, "pi-7", false},
		{"pi-7", secret, "pi-7-", false},
		{"pi-7", secret, "pi-8-9f2c1a00", false},
		{"pi-7", secret, "receiver-one", false},
		{"pi", "another", "pi-7-9f2c1a00", false}, // pi- is how pi's begin, and yet it is pi-7's
		{"watcher", secret, "receiver-one", false},
		{access.ReceiverName, secret, "receiver-one", false},
		{insideName, "", "x", false},
		{insideName, secret, "x", false},
	} {
		o := mqtt.Options{Broker: b.Link().Broker, Username: c.name, Password: c.password, ClientID: c.client, CleanSession: true}
		conn, err := mqtt.Connect(t.Context(), o)
		if (err == nil) != c.ok {
			t.Errorf("%+v: %v", c, err)
		}
		if conn != nil {
			conn.Close(t.Context())
		}
	}
	if n := log.count("level=WARN", "refused at the broker", "device=pi-7", "wrong secret"); n != 1 { // the first of several tries
		t.Errorf("%d lines about pi-7, want one for its several tries", n)
	}
	for i := range 20 { // whoever makes up names, or speaks something else, fills no log
		o := mqtt.Options{Broker: b.Link().Broker, Username: fmt.Sprint("made-up-", i), Password: secret, ClientID: "x", CleanSession: true}
		if conn, err := mqtt.Connect(t.Context(), o); err == nil {
			conn.Close(t.Context())
			t.Error("a name that is made up got in")
		}
		if conn, err := net.Dial("tcp", b.Addr()); err == nil {
			fmt.Fprint(conn, "GET / HTTP/1.1\r\n\r\n")
			conn.Close()
		}
	}
	if n := log.count(""); n > 10 {
		t.Errorf("%d lines:\n%s", n, log.b.String())
	}
	if log.count("level=ERROR") > 0 || log.count(secret) > 0 {
		t.Errorf("log:\n%s", log.b.String())
	}
}

// A device reaches its own topics, behind any prefix, and no other: what it publishes elsewhere is dropped although it is
// acknowledged, a last will too, and what it subscribes to elsewhere is refused.
func TestOwnTopics(t *testing.T) {
	t.Parallel()
	for _, prefix := range []string{"", "plant/7.b"} {
		topics := holdfast.Topics{Prefix: prefix}
		b, _, log := guarded(t, Options{Topics: topics})
		receiver, in := client(t, b.Link(), mqtt.Options{ClientID: "receiver-one", CleanSession: true})
		subscribe(t, receiver, topics.Devices("#"))
		device, heard := client(t, b.Link(), mqtt.Options{ClientID: "pi-7-one", CleanSession: true})
		own := access.Device(topics, "pi-7")
		subscribe(t, device, topics.Device("pi-7", holdfast.TopicReceipt))
		for _, filter := range own.Subscribe {
			subscribe(t, device, filter)
		}
		for _, foreign := range []string{
			topics.Device("pi-8", holdfast.TopicReceipt), topics.Device("pi-8", holdfast.TopicCommand), topics.Device("+", holdfast.TopicReceipt),
			topics.Devices("#"), "#", "+/+/+", topics.Device("pi-8", "telemetry"), "$MQTT/#", "$MQTT/sub/#", "$JS/#", "$SYS/#",
		} {
			if err := device.Subscribe(t.Context(), foreign); err == nil {
				t.Errorf("prefix %q: subscribed to %s", prefix, foreign)
			}
		}
		for _, foreign := range []string{
			topics.Device("pi-8", "telemetry"), topics.Device("pi-8", holdfast.TopicState), topics.Device("pi-7", holdfast.TopicReceipt),
			topics.Device("pi-7", holdfast.TopicCommand), topics.Broadcast(), topics.Receiver("one"), "$JS/API/STREAM/DELETE/$MQTT_msgs",
		} {
			publish(t, device, foreign, "forged", false)
			publish(t, device, foreign, "forged and kept", true)
		}
		publish(t, device, topics.Batch("pi-7", holdfast.LaneTelemetry), "own", false)
		want(t, in, "own") // and none of those before it
		later, kept := client(t, b.Link(), mqtt.Options{ClientID: "receiver-two", CleanSession: true})
		subscribe(t, later, topics.Devices("#"))
		publish(t, receiver, topics.Device("pi-7", holdfast.TopicReceipt), "receipt", false)
		want(t, heard, "receipt")
		want(t, kept, "receipt") // and nothing that was kept before
		if n := log.count("level=WARN", "device=pi-7", "topic refused at the broker"); n != 1 {
			t.Errorf("prefix %q: %d lines about pi-7's foreign topics, want one for all:\n%s", prefix, n, log.b.String())
		}
	}
}

// A connection dies with its name, and with its secret.
func TestCut(t *testing.T) {
	t.Parallel()
	b, r, _ := guarded(t, Options{})
	device, _ := client(t, b.Link(), mqtt.Options{ClientID: "pi-7-one", CleanSession: true})
	operator, _ := client(t, b.Link(), mqtt.Options{ClientID: "watcher", CleanSession: true})
	receiver, _ := client(t, b.Link(), mqtt.Options{ClientID: "receiver-one"})
	r.set(access.Login{Name: "pi-7", Hash: access.Hash("a new one")})
	for _, c := range []*mqtt.Conn{device, operator} {
		select {
		case <-c.Lost():
		case <-time.After(20 * time.Second):
			t.Fatal("the connection lives on")
		}
	}
	if receiver.Err() != nil {
		t.Error("the receiver's own connection is gone too")
	}
}

// With TLS a client that trusts the authority gets in, and no other.
func TestTLS(t *testing.T) {
	t.Parallel()
	authority, err := ca.Open(t.TempDir(), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	o := Options{LinkTLS: authority.Client()}
	if o.TLS, err = authority.Server([]string{"example.org"}, time.Now); err != nil {
		t.Fatal(err)
	}
	b, _, _ := guarded(t, o)
	client(t, b.Link(), mqtt.Options{ClientID: "receiver-one"})
	client(t, b.Link(), mqtt.Options{ClientID: "pi-7-one"})
	stranger := as(b.Link(), mqtt.Options{ClientID: "pi-7-one"})
	stranger.TLS = &tls.Config{ServerName: "localhost"}
	if _, err := mqtt.Connect(t.Context(), stranger); err == nil {
		t.Error("connected without knowing the authority")
	}
	plain := as(b.Link(), mqtt.Options{ClientID: "pi-7-one"})
	plain.Broker, plain.TLS = "tcp://"+b.Addr(), nil
	if _, err := mqtt.Connect(t.Context(), plain); err == nil {
		t.Error("connected without TLS")
	}
}
