package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"holdfast"
	"holdfast/mqtt"
	"holdfast/wire"
)

var addresses = regexp.MustCompile(`API at (http://\S+)/, broker (tcp://\S+)\n`)

// running is a receiver with its broker inside.
type running struct {
	page, broker string
	logins       map[string]mqtt.Options // of the device pi-7 and the operator watcher
	stop         func() time.Duration    // ends it and says how long that took
}

func start(t *testing.T, dir string) running {
	t.Helper()
	cfg, _, err := loadConfig([]string{"--data", dir, "--listen", "127.0.0.1:0", "--mqtt-listen", "127.0.0.1:0", "--instance", "one"},
		func(string) string { return "" })
	if err != nil {
		t.Fatal(err)
	}
	logins := map[string]mqtt.Options{"pi-7": provision(t, dir, "pi-7"), "watcher": operator(t, dir, "watcher")}
	ctx, cancel := context.WithCancel(context.Background())
	out, in := io.Pipe()
	done := make(chan error, 1)
	go func() {
		done <- serve(ctx, cfg, slog.New(slog.NewTextHandler(t.Output(), nil)), in)
		in.Close()
	}()
	line := make([]byte, 1000)
	n, err := out.Read(line)
	if err != nil {
		t.Fatalf("the receiver did not start: %v", <-done)
	}
	found := addresses.FindSubmatch(line[:n])
	if found == nil {
		t.Fatalf("no addresses in %q", line[:n])
	}
	r := running{page: string(found[1]), broker: string(found[2]), logins: logins}
	ended := false
	r.stop = func() time.Duration {
		began := time.Now()
		cancel()
		if !ended {
			ended = true
			if err := <-done; err != nil {
				t.Errorf("serve: %v", err)
			}
		}
		return time.Since(began)
	}
	t.Cleanup(func() { r.stop() })
	return r
}

// run runs a subcommand on a data folder and returns what it prints.
func run(t *testing.T, dir string, args ...string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	err := dispatch(t.Context(), append(args, "--data", dir, "--mqtt-listen", "127.0.0.1:18830"), &out)
	return out.String(), err
}

// provision registers a device, or gives it a new secret, and returns its login.
func provision(t *testing.T, dir, device string) mqtt.Options {
	t.Helper()
	line, err := run(t, dir, "device", "add", device)
	if err != nil {
		line, err = run(t, dir, "device", "secret", device)
	}
	if err != nil {
		t.Fatal(err)
	}
	j, err := holdfast.ParseJoin(line)
	if err != nil {
		t.Fatal(err)
	}
	return mqtt.Options{Username: j.Device, Password: string(j.Secret), ClientID: j.Device + "-test"}
}

// operator is provision for somebody who sends commands.
func operator(t *testing.T, dir, name string) mqtt.Options {
	t.Helper()
	lines, err := run(t, dir, "operator", "add", name)
	if err != nil {
		lines, err = run(t, dir, "operator", "secret", name)
	}
	if err != nil {
		t.Fatal(err)
	}
	_, password, _ := strings.Cut(lines, "MQTT_PASSWORD=")
	return mqtt.Options{Username: name, Password: strings.TrimSpace(password), ClientID: name}
}

// connect connects to the broker and returns what comes on the filters.
func (r running) connect(t *testing.T, name string, filters ...string) (*mqtt.Conn, <-chan mqtt.Message) {
	t.Helper()
	in := make(chan mqtt.Message, 100)
	o := r.logins[name]
	o.Broker, o.CleanSession, o.Handler = r.broker, true, func(m mqtt.Message) { in <- m }
	conn, err := mqtt.Connect(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(context.Background()) })
	if err := conn.Subscribe(t.Context(), filters...); err != nil {
		t.Fatal(err)
	}
	return conn, in
}

func next(t *testing.T, in <-chan mqtt.Message) mqtt.Message {
	t.Helper()
	select {
	case m := <-in:
		return m
	case <-time.After(20 * time.Second):
		t.Fatal("nothing came")
		return mqtt.Message{}
	}
}

// A batch goes in at the broker and is seen at the API; a stop is quick, withdraws the presence and loses nothing.
func TestServe(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	r := start(t, dir)
	_, presences := r.connect(t, "watcher", "receivers/+/state")
	if p, err := wire.DecodePresence(next(t, presences).Payload); err != nil || !p.Online {
		t.Fatalf("presence %+v, %v", p, err)
	}
	gateway, receipts := r.connect(t, "pi-7", "devices/pi-7/receipt")
	batch, err := os.ReadFile("../../testdata/batch_data.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := gateway.Publish(t.Context(), mqtt.Message{Topic: "devices/pi-7/telemetry", Payload: batch}); err != nil {
		t.Fatal(err)
	}
	receipt, err := wire.DecodeReceipt(next(t, receipts).Payload)
	if err != nil || len(receipt.Ranges) != 1 || receipt.Ranges[0].First != 1201 {
		t.Errorf("receipt %+v, %v", receipt, err)
	}
	expectDevice(t, r.page)

	live, err := http.Get(r.page + "/api/v1/live") // a stream must not hold the stop up
	if err != nil {
		t.Fatal(err)
	}
	defer live.Body.Close()
	if took := r.stop(); took > 2*time.Second {
		t.Errorf("the stop took %v, want less than 2 s", took)
	}
	if p, err := wire.DecodePresence(next(t, presences).Payload); err != nil || p.Online {
		t.Errorf("presence after the stop %+v, %v", p, err)
	}

	var table bytes.Buffer
	if err := completenessCommand(t.Context(), []string{"--data", dir}, &table); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(table.String(), "1-1200 missing") {
		t.Errorf("completeness:\n%s", &table)
	}
	expectDevice(t, start(t, dir).page)
}

func expectDevice(t *testing.T, page string) {
	t.Helper()
	answer, err := http.Get(page + "/api/v1/devices/pi-7")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var got struct {
		ID     string
		Totals struct{ Data int }
	}
	if err := json.NewDecoder(answer.Body).Decode(&got); err != nil || got.ID != "pi-7" || got.Totals.Data != 2 {
		t.Errorf("device %+v, %v", got, err)
	}
}

func TestCommandLine(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	if err := dispatch(t.Context(), []string{"version"}, &out); err != nil || out.String() != version+"\n" {
		t.Errorf("version: %q, %v", &out, err)
	}
	if err := dispatch(t.Context(), []string{"completeness", "--data", t.TempDir()}, io.Discard); err == nil {
		t.Error("no error for a database that is not there")
	}
	if err := dispatch(t.Context(), []string{"nonsense"}, io.Discard); err == nil {
		t.Error("no error for a subcommand that is none")
	}
}
