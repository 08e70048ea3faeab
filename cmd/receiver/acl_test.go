package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"holdfast"
	"holdfast/internal/testenv"
	"holdfast/mqtt"
)

// The printed rules and passwords make a real mosquitto let in whom the broker inside lets in, for the same topics.
func TestMosquitto(t *testing.T) {
	t.Parallel()
	for _, prefix := range []string{"", "plant/7"} {
		topics := holdfast.Topics{Prefix: prefix}
		dir := t.TempDir()
		t.Run("prefix "+prefix, func(t *testing.T) {
			t.Parallel()
			pi7, pi8, ops := provision(t, dir, "pi-7"), provision(t, dir, "pi-8"), operator(t, dir, "watcher")
			gone := provision(t, dir, "gone")
			if _, err := run(t, dir, "device", "retire", "gone"); err != nil {
				t.Fatal(err)
			}
			receiver := mqtt.Options{Username: "the-receiver", Password: "its password", ClientID: "receiver-one"}
			file := func(name string, args ...string) string {
				text, err := run(t, dir, append([]string{"acl", "mosquitto", "--topic-prefix", prefix, "--instance", "one",
					"--mqtt-username", receiver.Username, "--mqtt-password", receiver.Password}, args...)...)
				if err != nil {
					t.Fatal(err)
				}
				path := filepath.Join(dir, name)
				if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
				return path
			}
			broker := testenv.Mosquitto(t, "allow_anonymous false", "acl_file "+file("acl"), "password_file "+file("passwords", "--passwords"))
			m := mosquitto{t, "tcp://" + broker.Addr}

			for _, refused := range []mqtt.Options{{ClientID: "nobody"}, gone, {Username: "pi-7", Password: pi8.Password, ClientID: "pi-7-x"}} {
				if _, _, err := m.connect(refused); err == nil {
					t.Errorf("%s got in", refused.Username)
				}
			}
			cloud, in := m.mustConnect(receiver, topics.Devices("#"))
			device, _ := m.mustConnect(pi7, topics.Device("pi-7", holdfast.TopicReceipt))
			_, listening := m.mustConnect(pi8, topics.Devices("#"), "#", topics.Device("pi-7", holdfast.TopicReceipt), topics.Device("pi-7", "telemetry"),
				topics.Device("pi-8", holdfast.TopicReceipt), topics.Device("pi-8", holdfast.TopicCommand), topics.Device("pi-8", "shadow/update"))
			steering, seen := m.mustConnect(ops, strings.Replace(topics.Devices("#"), "/+/#", "/#", 1))

			for _, foreign := range []string{
				topics.Device("pi-8", "telemetry"), topics.Device("pi-8", holdfast.TopicState), topics.Device("pi-7", holdfast.TopicReceipt),
				topics.Broadcast(), topics.Receiver("one"),
			} {
				publish(t, device, foreign, "forged")
			}
			publish(t, device, topics.Device("pi-7", "telemetry"), "own")
			for name, hears := range map[string]<-chan mqtt.Message{"receiver": in, "operator": seen} {
				if got := next(t, hears); string(got.Payload) != "own" {
					t.Errorf("%s got %q on %s", name, got.Payload, got.Topic)
				}
			}
			publish(t, cloud, topics.Device("pi-7", holdfast.TopicReceipt), "for pi-7")
			publish(t, cloud, topics.Device("pi-8", holdfast.TopicReceipt), "for pi-8")
			if got := next(t, listening); string(got.Payload) != "for pi-8" {
				t.Errorf("pi-8 hears %q on %s", got.Payload, got.Topic)
			}

			next(t, in) // the receiver hears what it sends
			next(t, in)
			for _, leaf := range []string{holdfast.TopicCommand, "shadow/update"} { // of an operator, and again of the receiver
				publish(t, steering, topics.Device("pi-7", leaf), "kept")
				if got := next(t, in); string(got.Payload) != "kept" || got.Topic != topics.Device("pi-7", leaf) {
					t.Errorf("the receiver hears %q on %s", got.Payload, got.Topic)
				}
				publish(t, cloud, topics.Device("pi-8", leaf), "again")
				if got := next(t, listening); string(got.Payload) != "again" || got.Topic != topics.Device("pi-8", leaf) {
					t.Errorf("pi-8 hears %q on %s", got.Payload, got.Topic)
				}
				next(t, in)
			}
		})
	}
}

// mosquitto is one that runs.
type mosquitto struct {
	*testing.T
	broker string
}

func (m mosquitto) connect(o mqtt.Options) (*mqtt.Conn, <-chan mqtt.Message, error) {
	in := make(chan mqtt.Message, 100)
	o.Broker, o.CleanSession, o.Handler = m.broker, true, func(message mqtt.Message) { in <- message }
	conn, err := mqtt.Connect(m.Context(), o)
	if err == nil {
		m.Cleanup(func() { conn.Close(context.Background()) })
	}
	return conn, in, err
}

// mustConnect subscribes to each filter as far as the broker lets it: mosquitto grants what it then does not deliver.
func (m mosquitto) mustConnect(o mqtt.Options, filters ...string) (*mqtt.Conn, <-chan mqtt.Message) {
	m.Helper()
	conn, in, err := m.connect(o)
	if err != nil {
		m.Fatalf("%s: %v", o.Username, err)
	}
	for _, f := range filters {
		if err := conn.Subscribe(m.Context(), f); err != nil {
			m.Logf("%s: %v", o.Username, err)
		}
	}
	return conn, in
}

func publish(t *testing.T, c *mqtt.Conn, topic, payload string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := c.Publish(ctx, mqtt.Message{Topic: topic, Payload: []byte(payload)}); err != nil {
		t.Fatal(err)
	}
}
