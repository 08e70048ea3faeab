package mqtt

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"holdfast/internal/testenv"
)

// No goroutine survives a test: every Conn in this file is closed.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long a test waits for what must happen. It is no measure of anything.
const patience = 20 * time.Second

// connect connects to a broker for the length of the test.
func connect(t *testing.T, o Options) *Conn {
	t.Helper()
	c, err := Connect(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close(context.Background()) })
	return c
}

func clean(server *testenv.Server, id string) Options {
	return Options{Broker: "tcp://" + server.Addr, ClientID: id, CleanSession: true}
}

func receive[T any](t *testing.T, from <-chan T) T {
	t.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(patience):
		t.Fatal("nothing came")
		panic("unreachable")
	}
}

// Messages arrive whole, once and in the order in which they were sent.
func TestRoundTrip(t *testing.T) {
	t.Parallel()
	broker := testenv.Mosquitto(t, "max_queued_messages 10000") // a busy machine may read late
	const n = 2000
	got := make(chan string, n)
	o := clean(broker, "reader")
	o.Handler = func(m Message) { got <- m.Topic + " " + string(m.Payload) }
	reader := connect(t, o)
	if err := reader.Subscribe(t.Context(), "a/+", "b"); err != nil {
		t.Fatal(err)
	}
	writer := connect(t, clean(broker, "writer"))
	var last *Sent
	for i := range n {
		last = writer.Send(Message{Topic: "a/x", Payload: fmt.Append(nil, i)})
	}
	receive(t, last.Done())
	if err := last.Err(); err != nil {
		t.Fatal(err)
	}
	if err := writer.Publish(t.Context(), Message{Topic: "b", Payload: []byte("end")}); err != nil {
		t.Fatal(err)
	}
	for i := range n {
		if got, want := receive(t, got), fmt.Sprintf("a/x %d", i); got != want {
			t.Fatalf("got %q, want %q", got, want)
		}
	}
	if got := receive(t, got); got != "b end" {
		t.Errorf("got %q, want the message on b", got)
	}
}

func TestRetained(t *testing.T) {
	t.Parallel()
	broker := testenv.Mosquitto(t)
	writer := connect(t, clean(broker, "writer"))
	if err := writer.Publish(t.Context(), Message{Topic: "kept", Payload: []byte("1"), Retained: true}); err != nil {
		t.Fatal(err)
	}
	got := make(chan Message, 2)
	o := clean(broker, "reader")
	o.Handler = func(m Message) { got <- m }
	if err := connect(t, o).Subscribe(t.Context(), "kept"); err != nil {
		t.Fatal(err)
	}
	if m := receive(t, got); !m.Retained || string(m.Payload) != "1" {
		t.Errorf("got %+v, want the retained message, marked so", m)
	}
	writer.Send(Message{Topic: "kept", Payload: []byte("2"), Retained: true})
	if m := receive(t, got); m.Retained || string(m.Payload) != "2" {
		t.Errorf("got %+v, want news, not marked retained", m)
	}
}

// A broker refuses a subscription in the SUBACK only, which paho's token does not tell. mosquitto does it by its dynamic
// security; an acl_file lets everybody subscribe, and delivers nothing.
func TestSubscribeRefused(t *testing.T) {
	t.Parallel()
	plugins, err := filepath.Glob("/usr/lib/*/mosquitto_dynamic_security.so")
	if err == nil && len(plugins) == 0 {
		err = errors.New("not below /usr/lib")
	}
	testenv.Need(t, err, "mosquitto_dynamic_security.so")
	file := filepath.Join(t.TempDir(), "security.json")
	security := `{"defaultACLAccess":{"publishClientSend":true,"publishClientReceive":true,"subscribe":false,"unsubscribe":true},
		"roles":[{"rolename":"reader","acls":[{"acltype":"subscribePattern","topic":"allowed/#","allow":true}]}],
		"groups":[{"groupname":"anybody","roles":[{"rolename":"reader"}]}],"anonymousGroup":"anybody","clients":[]}`
	if err := os.WriteFile(file, []byte(security), 0o600); err != nil {
		t.Fatal(err)
	}
	broker := testenv.Mosquitto(t, "plugin "+plugins[0], "plugin_opt_config_file "+file)
	c := connect(t, clean(broker, "reader"))
	if err := c.Subscribe(t.Context(), "allowed/x"); err != nil {
		t.Errorf("allowed filter: %v", err)
	}
	err = c.Subscribe(t.Context(), "allowed/y", "secret/y")
	if !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), "secret/y") {
		t.Errorf("got %v, want ErrRefused that names secret/y", err)
	}
}

func TestConnectRefused(t *testing.T) {
	t.Parallel()
	broker := testenv.Mosquitto(t, "allow_anonymous false")
	o := clean(broker, "nobody")
	o.Username, o.Password = "nobody", "hunter2"
	_, err := Connect(t.Context(), o)
	if err == nil || !strings.Contains(strings.ToLower(err.Error()), "not authorized") || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("got %v, want the broker's refusal", err)
	}
	if NobodyListens(err) {
		t.Error("the refusal of a broker counts as the absence of one")
	}
	if !LoginRefused(err) {
		t.Errorf("%v does not count as the refusal of a login", err)
	}
	for _, scheme := range []string{"tcp", "ssl"} {
		o.Broker = scheme + "://127.0.0.1:1"
		if c, err := Connect(t.Context(), o); err == nil {
			c.Close(t.Context())
			t.Error("connected to a port where nobody listens")
		} else if !NobodyListens(err) {
			t.Errorf("%s: %v does not say that nobody listens", scheme, err)
		}
	}
}

func TestBrokerDies(t *testing.T) {
	t.Parallel()
	broker := testenv.Mosquitto(t)
	c := connect(t, clean(broker, "c"))
	if err := c.Publish(t.Context(), Message{Topic: "x"}); err != nil {
		t.Fatal(err)
	}
	broker.Kill()
	receive(t, c.Lost())
	if c.Err() == nil {
		t.Error("lost without an error")
	}
	if err := c.Publish(t.Context(), Message{Topic: "x"}); err == nil {
		t.Error("published without a broker")
	}
	if err := c.Subscribe(t.Context(), "x"); err == nil {
		t.Error("subscribed without a broker")
	}
	broker.Start()
	if err := connect(t, clean(broker, "c")).Publish(t.Context(), Message{Topic: "x"}); err != nil {
		t.Errorf("the next connection: %v", err)
	}
}

// The last will is for those who die, not for those who leave.
func TestWill(t *testing.T) {
	t.Parallel()
	broker := testenv.Mosquitto(t)
	got := make(chan string, 4)
	o := clean(broker, "reader")
	o.Handler = func(m Message) { got <- string(m.Payload) }
	if err := connect(t, o).Subscribe(t.Context(), "state"); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		end  func(*Conn)
		want string
	}{
		{"leaves", func(c *Conn) { c.Publish(t.Context(), Message{Topic: "state", Payload: []byte("left")}) }, "left"},
		{"dies", func(c *Conn) { c.end(errors.New("cut off")) }, "died"},
		{"leaves again", func(c *Conn) { c.Publish(t.Context(), Message{Topic: "state", Payload: []byte("left again")}) }, "left again"},
	} {
		o := clean(broker, "writer")
		o.Will = &Message{Topic: "state", Payload: []byte("died")}
		writer, err := Connect(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		c.end(writer)
		writer.Close(t.Context())
		if got := receive(t, got); got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

// What was not acknowledged by its user comes again in the next connection of the session, and what was does not.
func TestManualAck(t *testing.T) {
	t.Parallel()
	broker := testenv.Mosquitto(t)
	o := clean(broker, "receiver")
	o.CleanSession, o.ManualAck = false, true
	got := make(chan Message, 8)
	o.Handler = func(m Message) { got <- m }
	first, err := Connect(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if err := first.Subscribe(t.Context(), "x"); err != nil {
		t.Fatal(err)
	}
	writer := connect(t, clean(broker, "writer"))
	for _, text := range []string{"1", "2", "3"} {
		if err := writer.Publish(t.Context(), Message{Topic: "x", Payload: []byte(text)}); err != nil {
			t.Fatal(err)
		}
	}
	receive(t, got).Ack()
	receive(t, got)
	late := receive(t, got)
	first.Close(t.Context())
	late.Ack() // too late, and harmless
	connect(t, o)
	for _, want := range []string{"2", "3"} {
		if m := receive(t, got); string(m.Payload) != want {
			t.Errorf("second connection: got %s, want %s", m.Payload, want)
		}
	}
}

// silent is a broker that accepts every connection and acknowledges nothing after that. It cuts a connection when cut is
// closed.
func silent(t *testing.T, listener net.Listener, cut <-chan struct{}) (address string) {
	t.Helper()
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() { <-cut; conn.Close() }()
			go func() {
				io.ReadFull(conn, make([]byte, 2))
				conn.Write([]byte{0x20, 2, 0, 0}) // CONNACK, accepted
				io.Copy(io.Discard, conn)
			}()
		}
	}()
	return listener.Addr().String()
}

// A message that no broker acknowledged never looks delivered: not when the link breaks, and not when it is closed. Under
// paho's automatic reconnection all of these tokens end without an error.
func TestNothingIsDeliveredWithoutAPuback(t *testing.T) {
	t.Parallel()
	for _, session := range []bool{true, false} {
		for _, end := range []string{"cut", "closed"} {
			t.Run(fmt.Sprintf("%s, clean session %v", end, session), func(t *testing.T) {
				t.Parallel()
				listener, err := net.Listen("tcp", "127.0.0.1:0")
				if err != nil {
					t.Fatal(err)
				}
				cut := make(chan struct{})
				address := silent(t, listener, cut)
				c := connect(t, Options{Broker: "tcp://" + address, ClientID: "c", CleanSession: session})
				var all []*Sent
				for i := range 40 {
					all = append(all, c.Send(Message{Topic: "x", Payload: fmt.Append(nil, i)}))
				}
				for _, s := range all {
					if !errors.Is(s.Err(), ErrPending) {
						t.Errorf("before the end: %v, want ErrPending", s.Err())
					}
				}
				if end == "cut" {
					close(cut)
					receive(t, c.Lost())
				} else {
					defer close(cut)
					c.Close(t.Context())
				}
				for i, s := range all {
					receive(t, s.Done())
					if s.Err() == nil || errors.Is(s.Err(), ErrPending) {
						t.Errorf("message %d: error %v, want that it was not acknowledged", i, s.Err())
					}
				}
				if err := c.Send(Message{Topic: "x"}).Err(); err == nil || errors.Is(err, ErrPending) {
					t.Errorf("after the end: %v", err)
				}
			})
		}
	}
}

func TestPublishRefusesWhatIsOutOfBounds(t *testing.T) {
	t.Parallel()
	c := connect(t, clean(testenv.Mosquitto(t), "c"))
	for _, m := range []Message{
		{Topic: ""}, {Topic: "a/#"}, {Topic: "a/+/b"}, {Topic: "a\x00"}, {Topic: strings.Repeat("a", MaxTopic+1)},
		{Topic: "a", Payload: make([]byte, MaxPayload+1)},
	} {
		if err := c.Publish(t.Context(), m); !errors.Is(err, ErrMessage) {
			t.Errorf("topic %.40q with %d bytes: got %v, want ErrMessage", m.Topic, len(m.Payload), err)
		}
	}
	if err := c.Publish(t.Context(), Message{Topic: "a", Payload: make([]byte, MaxPayload)}); err != nil {
		t.Errorf("the largest payload: %v", err)
	}
}

func TestParseBroker(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		broker, address string
		tls, wrong      bool
	}{
		{broker: "tcp://broker", address: "broker:1883"},
		{broker: "mqtt://10.0.0.1:99", address: "10.0.0.1:99"},
		{broker: "mqtts://broker", address: "broker:8883", tls: true},
		{broker: "ssl://[::1]:9", address: "[::1]:9", tls: true},
		{broker: "tls://broker", address: "broker:8883", tls: true},
		{broker: "broker:1883", wrong: true},
		{broker: "ws://broker", wrong: true},
		{broker: "tcp://", wrong: true},
		{broker: "tcp://user:hunter2@broker", wrong: true},
		{broker: "tcp://user:hunter2@bro ker", wrong: true},
	} {
		got, err := parseBroker(c.broker)
		if (err != nil) != c.wrong || got != (target{cmp.Or(c.address), c.tls}) {
			t.Errorf("%s: got %+v, %v", c.broker, got, err)
		}
		if err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("the password stands in %v", err)
		}
	}
}
