package mqtt

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"holdfast/internal/testenv"
)

func inMemory(broker *testenv.Broker, id string) Options {
	return Options{Dial: broker.Dial, ClientID: id, CleanSession: true}
}

// A broker that answers pings and acknowledges nothing is given up after ackTimeout.
func TestSilentBrokerIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broker := testenv.MemoryBroker(t)
		broker.Swallow(func(_, topic string) bool { return topic == "hole" })
		c := connect(t, inMemory(broker, "c"))
		time.Sleep(10 * time.Minute) // silence alone is no reason
		if err := c.Publish(t.Context(), Message{Topic: "x"}); err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		sent := c.Send(Message{Topic: "hole"})
		<-c.Lost()
		<-sent.Done()
		if sent.Err() == nil || time.Since(start) != ackTimeout {
			t.Errorf("after %v: %v; want an error after %v", time.Since(start), sent.Err(), ackTimeout)
		}
	})
}

// The broker in memory refuses as mosquitto does; package uplink's tests rely on it.
func TestSubscribeRefusedInMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broker := testenv.MemoryBroker(t)
		broker.Deny(func(client, topic string, write bool) bool { return client == "c" && topic == "secret" && !write })
		c := connect(t, inMemory(broker, "c"))
		if err := c.Subscribe(t.Context(), "open", "secret"); !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), "secret") {
			t.Errorf("got %v, want ErrRefused that names secret", err)
		}
	})
}

// A broker that knows no inflight window sends everything at once that it kept for a session, and reads nothing meanwhile:
// the connection lives.
func TestFloodAtTheStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broker := testenv.MemoryBroker(t)
		keeps := inMemory(broker, "c")
		keeps.CleanSession, keeps.ManualAck = false, true
		c := connect(t, keeps)
		if err := c.Subscribe(t.Context(), "x"); err != nil {
			t.Fatal(err)
		}
		c.Close(t.Context())
		const n = 5000
		for i := range n {
			if err := broker.Publish("x", fmt.Append(nil, i), false); err != nil {
				t.Fatal(err)
			}
		}
		got := map[string]bool{}
		keeps.Handler = func(m Message) {
			time.Sleep(time.Millisecond)
			got[string(m.Payload)] = true // in no order: this broker keeps them in a map
			m.Ack()
		}
		c = connect(t, keeps)
		time.Sleep(time.Minute)
		synctest.Wait()
		if len(got) != n || c.Err() != nil {
			t.Errorf("%d of %d messages came, connection %v", len(got), n, c.Err())
		}
	})
}

// A handler that blocks holds back the messages behind it, and nothing else.
func TestHandlerMayBlock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broker := testenv.MemoryBroker(t)
		next := make(chan string)
		o := inMemory(broker, "reader")
		o.Handler = func(m Message) { next <- string(m.Payload) }
		reader := connect(t, o)
		if err := reader.Subscribe(t.Context(), "x"); err != nil {
			t.Fatal(err)
		}
		writer := connect(t, inMemory(broker, "writer"))
		for i := range 100 {
			writer.Send(Message{Topic: "x", Payload: fmt.Append(nil, i)})
		}
		time.Sleep(10 * time.Minute)
		if err := reader.Publish(t.Context(), Message{Topic: "y"}); err != nil {
			t.Errorf("publishing while the handler blocks: %v", err)
		}
		for i := range 100 {
			if got := <-next; got != fmt.Sprint(i) {
				t.Errorf("message %d: got %s", i, got)
			}
		}
	})
}

// A network that takes the connection and never says a word.
func TestConnectGivesUp(t *testing.T) {
	mute := func(context.Context) (net.Conn, error) {
		ours, theirs := net.Pipe()
		go func() {
			for b := make([]byte, 64); ; {
				if _, err := theirs.Read(b); err != nil {
					return
				}
			}
		}()
		return ours, nil
	}
	for _, c := range []struct{ patience, want time.Duration }{{time.Second, time.Second}, {time.Hour, connectTimeout}} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), c.patience)
			defer cancel()
			start := time.Now()
			_, err := Connect(ctx, Options{Dial: mute, ClientID: "c"})
			if err == nil || time.Since(start) != c.want {
				t.Errorf("gave up after %v with %v, want %v", time.Since(start), err, c.want)
			}
		})
	}
}

// Close is bounded also where the network takes nothing any more.
func TestCloseIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		deaf := func(context.Context) (net.Conn, error) {
			ours, theirs := net.Pipe()
			go func() {
				theirs.Read(make([]byte, 2))
				go theirs.Write([]byte{0x20, 2, 0, 0})
				theirs.Read(make([]byte, 64))
			}()
			return ours, nil
		}
		c, err := Connect(t.Context(), Options{Dial: deaf, ClientID: "c", CleanSession: true})
		if err != nil {
			t.Fatal(err)
		}
		c.Send(Message{Topic: "x", Payload: make([]byte, 1000)})
		start := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		c.Close(ctx)
		if took := time.Since(start); took > closeTimeout {
			t.Errorf("close took %v", took)
		}
	})
}

// stall connects to the broker through a network that carries nothing from the client for a while, after the first bytes.
func stall(broker *testenv.Broker, first int64, pause time.Duration) func(context.Context) (net.Conn, error) {
	return func(ctx context.Context) (net.Conn, error) {
		far, err := broker.Dial(ctx)
		if err != nil {
			return nil, err
		}
		near, client := net.Pipe()
		go func() {
			io.CopyN(far, near, first)
			time.Sleep(pause)
			io.Copy(far, near)
			far.Close()
		}()
		go func() {
			io.Copy(near, far)
			near.Close()
		}()
		return client, nil
	}
}

// A link that stands still for a moment is slow, not dead; one that stands still for longer than writeTimeout is dead, and
// Close does not wait for what paho never took.
func TestStall(t *testing.T) {
	for _, c := range []struct {
		pause time.Duration
		lost  bool
	}{{writeTimeout - time.Second, false}, {writeTimeout + time.Second, true}} {
		synctest.Test(t, func(t *testing.T) {
			broker := testenv.MemoryBroker(t)
			o := inMemory(broker, "c")
			o.Dial = stall(broker, 2000, c.pause)
			conn, err := Connect(t.Context(), o)
			if err != nil {
				t.Fatal(err)
			}
			var all []*Sent
			for range 20 {
				all = append(all, conn.Send(Message{Topic: "x", Payload: make([]byte, 1000)}))
			}
			failed := 0
			for _, s := range all {
				<-s.Done()
				if s.Err() != nil {
					failed++
				}
			}
			if lost := conn.Err() != nil; lost != c.lost || (failed > 0) != c.lost {
				t.Errorf("pause %v: %v, %d of %d messages failed", c.pause, conn.Err(), failed, len(all))
			}
			start := time.Now()
			conn.Close(t.Context())
			if took := time.Since(start); took > passTimeout {
				t.Errorf("pause %v: close took %v", c.pause, took)
			}
			time.Sleep(c.pause) // the stalled network ends too
		})
	}
}

func TestTooLargeIsDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broker := testenv.MemoryBroker(t)
		var got []string
		o := inMemory(broker, "reader")
		o.Handler = func(m Message) { got = append(got, fmt.Sprint(len(m.Payload))) }
		if err := connect(t, o).Subscribe(t.Context(), "x"); err != nil {
			t.Fatal(err)
		}
		for _, size := range []int{1, MaxPayload, MaxPayload + 1, 2} {
			if err := broker.Publish("x", make([]byte, size), false); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		if got, want := strings.Join(got, " "), fmt.Sprintf("1 %d 2", MaxPayload); got != want {
			t.Errorf("payloads of %s bytes arrived, want %s", got, want)
		}
	})
}

// TLS with the given roots, and the refusal of a certificate that they do not vouch for.
func TestTLS(t *testing.T) {
	t.Parallel()
	authority := httptest.NewTLSServer(nil) // for its certificate
	defer authority.Close()
	listener, err := tls.Listen("tcp", "127.0.0.1:0", authority.TLS)
	if err != nil {
		t.Fatal(err)
	}
	cut := make(chan struct{})
	defer close(cut)
	address := silent(t, listener, cut)
	trusted := authority.Client().Transport.(*http.Transport).TLSClientConfig
	connect(t, Options{Broker: "mqtts://" + address, TLS: trusted, ClientID: "c", CleanSession: true})
	if c, err := Connect(t.Context(), Options{Broker: "mqtts://" + address, ClientID: "c"}); err == nil {
		c.Close(t.Context())
		t.Error("connected to a stranger")
	}
}
