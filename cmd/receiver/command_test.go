package main

import (
	"strings"
	"testing"
	"time"

	"holdfast/mqtt"
	"holdfast/wire"
)

// Commands given on the command line reach a device when it comes online, through the receiver that runs; the answer comes
// back to whoever waits.
func TestCommand(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	r := start(t, dir)
	line, err := run(t, dir, "command", "pi-7", "set_interval", "seconds=5", "sensor=bme280-1-76", "--from", "ops", "--expires", "24h")
	id, _, _ := strings.Cut(line, " ")
	if err != nil || len(id) < 20 {
		t.Fatalf("%q, %v", line, err)
	}
	gone, err := run(t, dir, "command", "pi-7", "stop", "--from", "\x1b[2Jx")
	if err != nil {
		t.Fatal(err)
	}
	withdrawn, _, _ := strings.Cut(gone, " ")
	if _, err := run(t, dir, "command", "withdraw", "pi-7", withdrawn); err != nil {
		t.Fatal(err)
	}

	gateway, orders := r.connect(t, "pi-7", "devices/pi-7/command")
	m := greeted(t, gateway, orders)
	c, err := wire.DecodeCommand(m.Payload)
	if err != nil || c.ID != id || c.Name != "set_interval" || string(c.Args) != `{"seconds":5,"sensor":"bme280-1-76"}` || c.From != "ops" || m.Retained ||
		time.Until(c.Expires).Round(time.Hour) != 24*time.Hour {
		t.Errorf("%s: %+v, %v", m.Payload, c, err)
	}
	publish(t, gateway, "devices/pi-7/response", `{"v":1,"id":"`+id+`","name":"set_interval","state":"failed","error":{"code":"invalid_argument","message":"no such sensor"}}`)

	done := make(chan string, 1)
	go func() {
		answer, err := run(t, dir, "command", "pi-7", "ping", "--wait", "20s")
		if err != nil {
			answer = err.Error()
		}
		done <- answer
	}()
	answer(t, gateway, next(t, orders))
	if got := <-done; !strings.Contains(got, `"state":"succeeded"`) {
		t.Errorf("the answer: %s", got)
	}
	list, err := run(t, dir, "command", "list", "pi-7")
	for _, part := range []string{"ping", "succeeded", "invalid_argument: no such sensor", "withdrawn"} {
		if err != nil || !strings.Contains(list, part) {
			t.Errorf("%v, want %q in\n%s", err, part, list)
		}
	}

	if strings.Contains(list, "\x1b") {
		t.Errorf("a list that clears the screen: %q", list)
	}

	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"command"}, "want receiver command DEVICE NAME"},
		{[]string{"command", "pi-7"}, "want receiver command DEVICE NAME"},
		{[]string{"command", "pi-7", "ping", "x"}, "want key=value"},
		{[]string{"command", "pi-7", "Ping"}, "name"},
		{[]string{"command", "nobody", "ping"}, "receiver device list"},
		{[]string{"command", "list", "nobody"}, "receiver device list"},
		{[]string{"command", "withdraw", "pi-7", "x"}, "receiver command list"},
		{[]string{"command", "withdraw", "pi-7", id}, "settled already"},
		{[]string{"command", "pi-7", "ping", "--wait", "1ms"}, "it is kept"},
	} {
		if _, err := run(t, dir, c.args...); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: %v, want %q", c.args, err, c.want)
		}
	}
}

// greeted tells that pi-7 is online, as gateways do it, until something comes for it: whoever keeps commands may have connected later.
func greeted(t *testing.T, gateway *mqtt.Conn, orders <-chan mqtt.Message) mqtt.Message {
	t.Helper()
	for range 10 {
		publish(t, gateway, "devices/pi-7/state", `{"v":1,"online":true,"stream":"9f2c0000000000000000000000000000","boot":"b","since":"2026-05-01T12:00:00Z"}`)
		select {
		case m := <-orders:
			return m
		case <-time.After(2 * time.Second):
		}
	}
	t.Fatal("nothing came")
	return mqtt.Message{}
}

// answer answers a command as a gateway does.
func answer(t *testing.T, gateway *mqtt.Conn, m mqtt.Message) {
	t.Helper()
	c, err := wire.DecodeCommand(m.Payload)
	if err != nil {
		t.Fatal(err)
	}
	publish(t, gateway, "devices/pi-7/response", `{"v":1,"id":"`+c.ID+`","name":"`+c.Name+`","state":"succeeded","result":{}}`)
}
