package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"holdfast"
	"holdfast/mqtt"
	"holdfast/receiver"
	"holdfast/receiver/access"
	"holdfast/receiver/store"
	"holdfast/wire"
)

// Devices are registered before the receiver ever ran; the join string is shown once, and nothing that is kept holds it.
func TestDeviceAdd(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	line, err := run(t, dir, "device", "add", "pi-7", "--type", "zero", "--location", "cellar", "--mqtt-public", "broker.example.org:8883")
	if err != nil || strings.Count(line, "\n") != 1 || !strings.HasPrefix(line, "HOLDFAST_JOIN=holdfast1.") {
		t.Fatalf("%q, %v", line, err)
	}
	j, err := holdfast.ParseJoin(line)
	if err != nil || j.Host != "broker.example.org" || j.Port != 8883 || !j.TLS || len(j.CA) != 1 || j.Device != "pi-7" {
		t.Fatalf("%+v, %v", j, err)
	}
	err = filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if strings.Contains(string(data), string(j.Secret)) {
			t.Errorf("%s holds the secret", path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	minted, err := run(t, dir, "device", "add")
	if err != nil {
		t.Fatal(err)
	}
	plain, err := holdfast.ParseJoin(minted)
	if err != nil || access.CheckName(plain.Device) != nil || plain.TLS || plain.Host != "127.0.0.1" || plain.Port != 18830 || plain.Store != j.Store {
		t.Errorf("%+v, %v", plain, err)
	}
	list, err := run(t, dir, "device", "list")
	if err != nil || !strings.Contains(list, "never") || !strings.Contains(list, "cellar") || !strings.Contains(list, plain.Device) || strings.Contains(list, "$7$") {
		t.Errorf("%v\n%s", err, list)
	}
	if _, err := run(t, filepath.Join(dir, "mistyped"), "device", "list"); err == nil || !strings.Contains(err.Error(), "RECEIVER_DATA") {
		t.Errorf("another folder: %v", err)
	}
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"device", "add", "pi-7"}, "receiver device secret pi-7"},
		{[]string{"device", "add", "a/b"}, "want 1 to 64 of"},
		{[]string{"device", "add", "receiver-one"}, "for receivers"},
		{[]string{"device", "add", "a", "b"}, "at most one name"},
		{[]string{"device", "add", "x", "--location", strings.Repeat("x", 300)}, "at most 200"},
		{[]string{"device", "secret", "nobody"}, "device list"},
		{[]string{"device", "suspend", "nobody"}, "no such device"},
		{[]string{"device", "approve", "pi-7"}, `no subcommand "approve"`},
		{[]string{"operator", "add", "pi-7"}, "called pi-7 already"},
		{[]string{"operator", "secret", "nobody"}, "operator list"},
		{[]string{"acl", "emqx"}, "acl mosquitto"},
		{[]string{"device", "add", "y", "--mqtt-public", "tcp://x"}, "RECEIVER_MQTT_PUBLIC"},
	} {
		if _, err := run(t, dir, c.args...); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: %v, want %q", c.args, err, c.want)
		}
	}
	if _, err := holdfast.ParseJoin(must(run(t, dir, "device", "secret", "pi-7"))); err != nil {
		t.Error(err)
	}
}

func must(text string, _ error) string { return text }

// While the receiver runs: a pending and a suspended device connect and are told to keep their data; an active one is served;
// a retired one, and one with an old secret, is cut within seconds.
func TestStatusWhileServing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	r := start(t, dir)
	_, presences := r.connect(t, "watcher", "receivers/+/state")
	next(t, presences)
	gateway, receipts := r.connect(t, "pi-7", "devices/pi-7/receipt")
	batch, err := os.ReadFile("../../testdata/batch_data.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		verb, reason string
	}{{"", ""}, {"suspend", "suspended"}, {"activate", ""}} {
		if step.verb != "" {
			if _, err := run(t, dir, "device", step.verb, "pi-7"); err != nil {
				t.Fatal(err)
			}
		}
		publish(t, gateway, "devices/pi-7/telemetry", string(batch))
		got, err := wire.DecodeReceipt(next(t, receipts).Payload)
		if err != nil || got.Hold != (step.reason != "") || got.Reason != step.reason {
			t.Errorf("after %q: receipt %+v, %v", step.verb, got, err)
		}
	}

	j, err := holdfast.ParseJoin(must(run(t, dir, "device", "add", "pi-8", "--pending")))
	if err != nil {
		t.Fatal(err)
	}
	r.logins["pi-8"] = mqtt.Options{Username: "pi-8", Password: string(j.Secret), ClientID: "pi-8-x"}
	pending, held := r.connect(t, "pi-8", "devices/pi-8/receipt")
	publish(t, pending, "devices/pi-8/telemetry", strings.ReplaceAll(string(batch), "pi-7", "pi-8"))
	if got, err := wire.DecodeReceipt(next(t, held).Payload); err != nil || !got.Hold || got.Reason != "pending" || got.RetryS != 60 {
		t.Errorf("receipt %+v, %v, want a hold of 60 s", got, err)
	}

	for device, cut := range map[string][]string{"pi-7": {"device", "retire", "pi-7"}, "pi-8": {"device", "secret", "pi-8"}} {
		if _, err := run(t, dir, cut...); err != nil {
			t.Fatal(err)
		}
		conn := map[string]*mqtt.Conn{"pi-7": gateway, "pi-8": pending}[device]
		select {
		case <-conn.Lost():
		case <-time.After(20 * time.Second):
			t.Errorf("%v: still connected", cut)
		}
		o := r.logins[device]
		o.Broker, o.CleanSession = r.broker, true
		if conn, err := mqtt.Connect(t.Context(), o); err == nil {
			conn.Close(context.Background())
			t.Errorf("%v: connected again", cut)
		}
	}
}

func TestBrokerAddresses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		listen, public, host string // MQTT_HOST
		want                 string // where devices find it, or a part of the mistake
		secure               bool
	}{
		{"127.0.0.1:18830", "", "", "127.0.0.1:18830", false},
		{"0.0.0.0:8883", "cloud.example.org", "", "cloud.example.org:8883", true},
		{"0.0.0.0:8883", "cloud.example.org:443, 192.0.2.1", "", "cloud.example.org:443", true},
		{"[::]:8883", "[2001:db8::1]:443", "", "2001:db8::1:443", true},
		{"[::]:8883", "2001:db8::1", "", "2001:db8::1:8883", true},
		{"127.0.0.1:1", "localhost", "", "localhost:1", true},
		{"", "", "broker", "broker:1883", false},
		{"", "broker.example.org:1884", "127.0.0.1", "broker.example.org:1884", false},
		{"0.0.0.0:8883", "", "", "want RECEIVER_MQTT_PUBLIC=host", false},
		{":8883", "", "", "want RECEIVER_MQTT_PUBLIC=host", false},
		{"nonsense", "", "", "host:port", false},
		{"0.0.0.0:8883", "a b", "", "RECEIVER_MQTT_PUBLIC", false},
		{"0.0.0.0:8883", "a:0", "", "want 1 to 65535", false},
		{"127.0.0.1:0", "", "", "stays the same", false},
	} {
		cfg := Config{BrokerListen: c.listen, BrokerPublic: c.public, MQTTHost: c.host, MQTTTLS: "false"}
		err := cfg.checkBroker()
		got := ""
		if err == nil {
			var j holdfast.Join
			if j.Host, j.Port, err = cfg.reached(); err == nil {
				got = fmt.Sprintf("%s:%d", j.Host, j.Port)
			}
		}
		if err != nil {
			got = err.Error()
		}
		if !strings.Contains(got, c.want) || cfg.secure() != c.secure && err == nil {
			t.Errorf("%+v: %s, TLS %v", c, got, cfg.secure())
		}
	}
	if _, _, err := loadConfig([]string{"--new-devices", "maybe", "--mqtt-listen", "0.0.0.0:1"}, func(string) string { return "" }); !errors.Is(err, errUsage) ||
		!strings.Contains(err.Error(), "RECEIVER_NEW_DEVICES") || !strings.Contains(err.Error(), "RECEIVER_MQTT_PUBLIC") {
		t.Errorf("mistakes: %v", err)
	}
}

// What is missing and waits on the device is no cause for alarm, as far as the device has told of it.
func TestWaiting(t *testing.T) {
	t.Parallel()
	state := func(text string) store.Device { return store.Device{State: json.RawMessage(text)} }
	told := state(`{"lanes":{"telemetry":{"head":9,"pending":4},"alert":{"head":1}},"older_streams":[{"stream":"000102030405060708090a0b0c0d0e0f","lanes":{"event":{"head":3,"pending":2}}}]}`)
	for _, test := range []struct {
		name    string
		device  store.Device
		missing uint64
		want    string
	}{
		{"told", told, 6, "6 wait on the device, as it last said"},
		{"arrived meanwhile", told, 0, ""},
		{"nothing waits", state(`{"lanes":{"telemetry":{"head":9}}}`), 6, ""},
		{"never told", store.Device{}, 6, ""},
	} {
		if got := waiting(test.device, receiver.Totals{Missing: test.missing}); got != test.want {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
}
