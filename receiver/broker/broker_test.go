package broker

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"holdfast/mqtt"
	"holdfast/receiver/access"
)

// secret is everybody's: a test says who somebody is by the client id.
const secret = "not guessed"

// logins are the device pi-7 and the operator watcher.
func logins(_ context.Context, only string) ([]access.Login, error) {
	var found []access.Login
	for _, l := range []access.Login{{Name: "pi-7", Hash: hash}, {Name: "watcher", Hash: hash, Operator: true}} {
		if only == "" || only == l.Name {
			found = append(found, l)
		}
	}
	return found, nil
}

var hash = access.Hash(secret)

func options(dir string, log *slog.Logger) Options {
	return Options{Dir: dir, Listen: "127.0.0.1:0", Instance: "one", Logins: logins, Log: log}
}

// as fills in broker and credentials. The link is the receiver's own.
func as(link, o mqtt.Options) mqtt.Options {
	o.Broker, o.Username, o.Password, o.TLS = link.Broker, link.Username, link.Password, link.TLS
	if !strings.HasPrefix(o.ClientID, "receiver-") {
		o.Username, _, _ = strings.Cut(strings.Replace(o.ClientID, "pi-", "pi_", 1), "-")
		o.Username, o.Password = strings.Replace(o.Username, "pi_", "pi-", 1), secret
	}
	return o
}

func serve(t *testing.T, dir string) *Broker {
	t.Helper()
	b, err := Start(options(dir, slog.New(slog.NewTextHandler(t.Output(), nil))))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	return b
}

// client connects and puts what it receives into the returned channel.
func client(t *testing.T, link, o mqtt.Options) (*mqtt.Conn, chan mqtt.Message) {
	t.Helper()
	in := make(chan mqtt.Message, 100)
	o = as(link, o)
	o.Handler = func(m mqtt.Message) { in <- m }
	conn, err := mqtt.Connect(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(context.Background()) })
	return conn, in
}

func want(t *testing.T, in chan mqtt.Message, payload string) mqtt.Message {
	t.Helper()
	select {
	case m := <-in:
		if string(m.Payload) != payload {
			t.Errorf("got %q on %s, want %q", m.Payload, m.Topic, payload)
		}
		return m
	case <-time.After(20 * time.Second):
		t.Fatalf("%q did not come", payload)
		return mqtt.Message{}
	}
}

func publish(t *testing.T, c *mqtt.Conn, topic, payload string, retained bool) {
	t.Helper()
	if err := c.Publish(t.Context(), mqtt.Message{Topic: topic, Payload: []byte(payload), Retained: retained}); err != nil {
		t.Fatal(err)
	}
}

func subscribe(t *testing.T, c *mqtt.Conn, filter string) {
	t.Helper()
	if err := c.Subscribe(t.Context(), filter); err != nil {
		t.Fatal(err)
	}
}

// retained subscribes until the retained message comes. The broker files it behind its PUBACK, so that who subscribes right
// then may miss it; that is why birth and presence are published again each minute.
func retained(t *testing.T, c *mqtt.Conn, in chan mqtt.Message, filter string) mqtt.Message {
	t.Helper()
	for range 20 {
		subscribe(t, c, filter)
		select {
		case m := <-in:
			return m
		case <-time.After(time.Second):
		}
	}
	t.Fatalf("no retained message for %s", filter)
	return mqtt.Message{}
}

// What gateway and receiver rely on: retained messages, last wills, and sessions that keep what was not acknowledged.
func TestMQTT(t *testing.T) {
	t.Parallel()
	b := serve(t, t.TempDir())
	gateway, _ := client(t, b.Link(), mqtt.Options{ClientID: "pi-7-one", CleanSession: true})
	publish(t, gateway, "devices/pi-7/state", "birth", true)

	receiver := mqtt.Options{ClientID: "receiver-one", ManualAck: true, Will: &mqtt.Message{Topic: "receivers/one/state", Payload: []byte("gone"), Retained: true}}
	first, in := client(t, b.Link(), receiver)
	if m := retained(t, first, in, "devices/+/state"); string(m.Payload) != "birth" || !m.Retained {
		t.Errorf("got %q, retained %v, want the retained birth", m.Payload, m.Retained)
	} else {
		m.Ack()
	}
	subscribe(t, first, "devices/+/telemetry")
	publish(t, gateway, "devices/pi-7/telemetry", "one", false)
	want(t, in, "one") // and is not acknowledged

	watcher, seen := client(t, b.Link(), mqtt.Options{ClientID: "watcher", CleanSession: true})
	subscribe(t, watcher, "receivers/+/state")
	second, in := client(t, b.Link(), receiver) // takes the session over
	<-first.Lost()
	want(t, in, "one").Ack()
	publish(t, gateway, "devices/pi-7/telemetry", "two", false)
	want(t, in, "two").Ack()

	second.Close(t.Context()) // said good-bye: no last will, and the session goes on queueing
	publish(t, gateway, "devices/pi-7/telemetry", "three", false)
	_, in = client(t, b.Link(), receiver)
	want(t, in, "three").Ack()
	for len(seen) > 0 {
		t.Errorf("a last will after a good-bye or a takeover: %s", (<-seen).Payload)
	}
}

// A connection that dies without a good-bye leaves its last will.
func TestLastWill(t *testing.T) {
	t.Parallel()
	b := serve(t, t.TempDir())
	watcher, seen := client(t, b.Link(), mqtt.Options{ClientID: "watcher", CleanSession: true})
	subscribe(t, watcher, "devices/+/state")
	dialled := make(chan *cut, 1)
	o := mqtt.Options{ClientID: "pi-7-one", CleanSession: true, Will: &mqtt.Message{Topic: "devices/pi-7/state", Payload: []byte("gone"), Retained: true}}
	o.Dial = dialCut(b.Addr(), dialled)
	if _, err := mqtt.Connect(t.Context(), as(b.Link(), o)); err != nil {
		t.Fatal(err)
	}
	(<-dialled).Close()
	want(t, seen, "gone")
}

// A broker that is killed comes back with the same folder, and a session with what it had not acknowledged.
func TestKill(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	process, link := child(t, dir)
	receiver, _ := client(t, link, mqtt.Options{ClientID: "receiver-one", ManualAck: true})
	subscribe(t, receiver, "devices/+/telemetry")
	gateway, _ := client(t, link, mqtt.Options{ClientID: "pi-7-one", CleanSession: true})
	publish(t, gateway, "devices/pi-7/state", "birth", true)
	publish(t, gateway, "devices/pi-7/telemetry", "one", false)
	if err := process.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	process.Wait()
	<-receiver.Lost()

	_, link = child(t, dir)
	again, in := client(t, link, mqtt.Options{ClientID: "receiver-one", ManualAck: true})
	want(t, in, "one").Ack()
	subscribe(t, again, "devices/+/telemetry")
	subscribe(t, again, "devices/+/state")
	want(t, in, "birth").Ack()
	gateway, _ = client(t, link, mqtt.Options{ClientID: "pi-7-one", CleanSession: true})
	publish(t, gateway, "devices/pi-7/telemetry", "two", false)
	want(t, in, "two").Ack()
}

// Garbage in the folder costs what was kept there, and nothing else.
func TestDamagedFolder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	b := serve(t, dir)
	c, _ := client(t, b.Link(), mqtt.Options{ClientID: "receiver-one"})
	subscribe(t, c, "devices/+/telemetry")
	gateway, _ := client(t, b.Link(), mqtt.Options{ClientID: "pi-7-one"})
	publish(t, gateway, "devices/pi-7/state", "birth", true)
	gateway.Close(t.Context())
	c.Close(t.Context())
	b.Close()
	err := filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		return os.WriteFile(path, []byte(strings.Repeat("garbage", 1000)), 0o600)
	})
	if err != nil {
		t.Fatal(err)
	}
	b = serve(t, dir)
	c, in := client(t, b.Link(), mqtt.Options{ClientID: "receiver-one"})
	subscribe(t, c, "devices/+/telemetry")
	gateway, _ = client(t, b.Link(), mqtt.Options{ClientID: "pi-7-one"})
	publish(t, gateway, "devices/pi-7/telemetry", "one", false)
	want(t, in, "one")
}

func TestAddress(t *testing.T) {
	t.Parallel()
	for listen, ok := range map[string]bool{
		"127.0.0.1:1883": true, "localhost:1883": true, "[::1]:0": true,
		"0.0.0.0:1883": false, ":1883": false, "192.0.2.1:1883": false, "example.org:1883": false, "127.0.0.1": false, "127.0.0.1:x": false,
	} {
		_, _, err := parseListen(listen, false)
		if (err == nil) != ok {
			t.Errorf("%s: %v, want ok %v", listen, err, ok)
		}
		host, _, err := net.SplitHostPort(listen)
		named := err == nil && host != "localhost" && host != "" && net.ParseIP(host) == nil
		if _, _, safe := parseListen(listen, true); err == nil && listen != "127.0.0.1:x" && (safe == nil) == named {
			t.Errorf("%s with TLS: %v", listen, safe)
		}
	}
	b := serve(t, t.TempDir())
	if _, err := Start(Options{Dir: t.TempDir(), Listen: b.Addr(), Logins: logins}); err == nil {
		t.Error("a second broker on the same port")
	}
}

const childDir = "HOLDFAST_BROKER_TEST_DIR"

// TestMain turns the test binary into a broker where a test starts it again as one.
func TestMain(m *testing.M) {
	dir := os.Getenv(childDir)
	if dir == "" {
		os.Exit(m.Run())
	}
	b, err := Start(options(dir, nil))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(b.Link().Broker, b.Link().Password)
	select {}
}

// child runs a broker in a process of its own until the test ends.
func child(t *testing.T, dir string) (*exec.Cmd, mqtt.Options) {
	t.Helper()
	command := exec.Command(os.Args[0])
	command.Env = append(os.Environ(), childDir+"="+dir)
	out, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	command.Stderr = t.Output()
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { command.Process.Kill(); command.Wait() })
	link := mqtt.Options{Username: access.ReceiverName}
	if _, err := fmt.Fscanln(bufio.NewReader(out), &link.Broker, &link.Password); err != nil {
		t.Fatalf("the broker did not start: %v", err)
	}
	return command, link
}
