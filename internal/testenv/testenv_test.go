package testenv

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// connectMQTT says CONNECT and wants CONNACK.
func connectMQTT(conn net.Conn) error {
	conn.SetDeadline(time.Now().Add(10 * time.Second))
	go conn.Write([]byte{0x10, 13, 0, 4, 'M', 'Q', 'T', 'T', 4, 2, 0, 60, 0, 1, 'c'})
	answer := make([]byte, 4)
	if _, err := io.ReadFull(conn, answer); err != nil {
		return err
	}
	if answer[0] != 0x20 || answer[3] != 0 {
		return fmt.Errorf("answer % x", answer)
	}
	return nil
}

func TestMosquittoDiesAndComesBack(t *testing.T) {
	t.Parallel()
	broker := Mosquitto(t)
	for range 2 {
		conn, err := net.Dial(broker.Network, broker.Addr)
		if err != nil {
			t.Fatal(err)
		}
		if err := connectMQTT(conn); err != nil {
			t.Errorf("%v\n%s", err, broker.Log())
		}
		broker.Kill()
		if _, err := conn.Read(make([]byte, 1)); err == nil {
			t.Error("the connection outlived the broker")
		}
		conn.Close()
		if conn, err := net.Dial(broker.Network, broker.Addr); err == nil {
			conn.Close()
			t.Error("somebody listens after the kill")
		}
		broker.Start()
	}
}

func TestRedis(t *testing.T) {
	t.Parallel()
	server := Redis(t)
	conn, err := net.Dial(server.Network, server.Addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprint(conn, "PING\r\n")
	if line, err := bufio.NewReader(conn).ReadString('\n'); err != nil || strings.TrimSpace(line) != "+PONG" {
		t.Errorf("got %q, %v", line, err)
	}
}

func TestMemoryBroker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broker := MemoryBroker(t)
		conn, err := broker.Dial(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if err := connectMQTT(conn); err != nil {
			t.Fatal(err)
		}
		broker.Publish("kept", []byte("1"), true)
		synctest.Wait()
		if got := broker.Retained("kept"); string(got) != "1" {
			t.Errorf("retained %q", got)
		}
		broker.Kick()
		if _, err := conn.Read(make([]byte, 1)); err == nil {
			t.Error("the connection outlived the kick")
		}
		broker.Block()
		if _, err := broker.Dial(t.Context()); err == nil {
			t.Error("a blocked broker accepts")
		}
		broker.Unblock()
		again, err := broker.Dial(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer again.Close()
		if err := connectMQTT(again); err != nil {
			t.Error(err)
		}
	})
}

// recorder is a test that only notes what happens to it.
type recorder struct {
	testing.TB
	skipped, failed bool
}

func (r *recorder) Helper()               {}
func (r *recorder) Skipf(string, ...any)  { r.skipped = true }
func (r *recorder) Fatalf(string, ...any) { r.failed = true }

func TestNeed(t *testing.T) {
	for _, c := range []struct {
		require         string
		err             error
		skipped, failed bool
	}{{"", nil, false, false}, {"", io.EOF, true, false}, {"1", nil, false, false}, {"1", io.EOF, false, true}} {
		t.Setenv("HOLDFAST_REQUIRE", c.require)
		r := &recorder{}
		Need(r, c.err, "something")
		if r.skipped != c.skipped || r.failed != c.failed {
			t.Errorf("HOLDFAST_REQUIRE=%s, %v: skipped %v, failed %v", c.require, c.err, r.skipped, r.failed)
		}
	}
}
