package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"holdfast"
	"holdfast/internal/testenv"
	"holdfast/mqtt"
	"holdfast/receiver"
	"holdfast/receiver/store"
)

// A broker that is wrong, pushed by command over a real broker, and then one in the configuration: the gateway comes back by
// itself and reports why, with every reading in the database.
func TestWrongBroker(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("six turns of three seconds")
	}
	const secret = "wrong-and-secret"
	d := &desk{t: t, broker: testenv.Mosquitto(t, "set_tcp_nodelay true", "max_queued_messages 0"), turn: 3 * time.Second}
	picky := testenv.Mosquitto(t, "allow_anonymous false")
	folder := t.TempDir()
	database, err := store.Open(t.Context(), store.Options{Path: filepath.Join(folder, databaseFile)})
	if err != nil {
		t.Fatal(err)
	}
	defer database.Close()
	r, err := receiver.New(receiver.Options{
		Store: database, Link: mqtt.Options{Broker: "tcp://" + d.broker.Addr, ClientID: "cloud"}, Instance: "cloud", Version: "test",
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- r.Run(ctx) }()
	defer func() { cancel(); <-ended }()

	host, port, _ := strings.Cut(d.broker.Addr, ":")
	pairs := func(port string) []string {
		return []string{"DATA_DIR", filepath.Join(folder, "data"), "HTTP_LISTEN", "off", "DEVICE_ID", "pi-7", "MQTT_HOST", host,
			"MQTT_PORT", port, "MQTT_ACK", "receipt", "SAMPLING_INTERVAL", "0.1"}
	}
	d.start(pairs(port)...)
	defer func() {
		if t.Failed() {
			t.Log(strings.Join(d.gateway.world.recent.lines(), "\n"))
		}
	}()
	wait := func(what string, done func(l *links) bool) {
		t.Helper()
		l := d.gateway.links
		testenv.Poll(t.Context(), t, 3*time.Minute, what, func() bool {
			l.mu.Lock()
			defer l.mu.Unlock()
			return done(l)
		})
	}
	wait("the first receipt", func(l *links) bool { return l.good != nil })

	_, pickyPort, _ := strings.Cut(picky.Addr, ":")
	for _, wrong := range []struct{ port, reason string }{{testenv.FreePort(t), "refused"}, {pickyPort, "ot Authori"}} {
		value := fmt.Sprintf(`settings={"uplink.broker":{"host":"127.0.0.1","port":%s,"username":"pi-7","password":%q}}`, wrong.port, secret)
		d.result(nil, "pi-7", "set_config", value) // so the response came by the old broker
		testenv.Poll(t.Context(), t, 3*time.Minute, "the setting is taken back", func() bool {
			s, _ := d.gateway.control.Get(holdfast.SettingBroker)
			return s.Origin == holdfast.OriginTrial && string(s.Value) == "{}" && strings.Contains(s.Reason, wrong.port)
		})
		wait("the end of the trial", func(l *links) bool { return l.trial == nil })
		testenv.Poll(t.Context(), t, 3*time.Minute, "the event in the database", func() bool {
			change := linkChange(t, database, "pi-7", "rejected", wrong.port)
			if change != nil && !strings.Contains(change.Error, wrong.reason) {
				t.Fatalf("rejected because of %q, want %q", change.Error, wrong.reason)
			}
			return change != nil
		})
		out, err := d.operate("command", "pi-7", "diag")
		if err != nil || strings.Contains(out, secret) {
			t.Errorf("%v, secret told: %v", err, strings.Contains(out, secret))
		}
	}
	d.end()

	// The same wrong broker in the configuration cannot be taken back: the gateway stays with the one that worked.
	dead := testenv.FreePort(t)
	d.start(pairs(dead)...)
	wait("the rest of the trial", func(l *links) bool { return l.trial != nil && l.trial.resting })
	var config struct{ Configuration []ConfigValue }
	d.result(&config, "pi-7", "get_config")
	if told := config.Configuration[len(config.Configuration)-1]; told.Key != "link" || !strings.Contains(told.Value, port) || !strings.Contains(told.Source, dead) {
		t.Errorf("get_config tells %+v", told)
	}
	d.end()
	d.start(pairs(port)...)
	wait("no trial", func(l *links) bool { return l.trial == nil && l.good != nil })
	testenv.Poll(t.Context(), t, 3*time.Minute, "every number in the database", func() bool {
		d.gateway.control.Set(t.Context(), holdfast.SettingMeasuring, json.RawMessage("false"), holdfast.OriginPage, "the test ends")
		c, err := receiver.Complete(t.Context(), database, "pi-7")
		if err != nil {
			t.Fatal(err)
		}
		pending := uint64(0)
		for _, lane := range d.gateway.buffer.Status().Lanes {
			pending += lane.Pending
		}
		return pending == 0 && len(c.Streams) == 3 && c.Totals.Data == c.Totals.Head && c.Totals.Data > 50
	})
	d.end()
	for _, file := range []string{databaseFile, databaseFile + "-wal"} {
		text, err := os.ReadFile(filepath.Join(folder, file))
		if err != nil && !errors.Is(err, os.ErrNotExist) || bytes.Contains(text, []byte(secret)) {
			t.Errorf("%s: %v, or the secret is in it", file, err)
		}
	}
}

// linkChange returns what the database holds of an event link of that state about such a broker; nil where there is none.
func linkChange(t *testing.T, s *store.Store, device, state, broker string) *holdfast.LinkChange {
	t.Helper()
	events, err := s.Events(t.Context(), device, holdfast.EventLink, time.Time{}, time.Now().Add(time.Hour), 100)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range events {
		var change holdfast.LinkChange
		if err := json.Unmarshal(e.Data, &change); err != nil {
			t.Fatal(err)
		}
		if change.State == state && strings.Contains(change.Broker, broker) {
			return &change
		}
	}
	return nil
}

// A move is a gateway with a database, and a second broker with a database of its own.
type move struct {
	*bubble
	other   *bubble
	gateway *gateway
	stop    func() uint64
}

func newMove(t *testing.T) *move {
	m := &move{bubble: newBubble(t), other: newBubble(t)}
	m.dialHost = func(host string) func(context.Context) (net.Conn, error) {
		return map[string]func(context.Context) (net.Conn, error){"memory": m.broker.Dial, "other": m.other.broker.Dial}[host]
	}
	made := make(chan *gateway, 1)
	m.assembled = func(g *gateway) { made <- g }
	m.receiver()
	m.other.receiver()
	m.stop = m.bubble.gateway(holdfast.AckReceipt)
	m.gateway = <-made
	time.Sleep(time.Minute)
	return m
}

// push sets the broker to a join string of the other broker and that database.
func (m *move) push(database holdfast.Stream) {
	m.t.Helper()
	j := holdfast.Join{Host: "other", Port: 1883, Device: "bubble", Secret: "secret", Store: database}
	value, err := json.Marshal(holdfast.Broker{Join: j.Encode()})
	if err == nil {
		_, err = m.gateway.control.Set(m.t.Context(), holdfast.SettingBroker, value, holdfast.OriginCommand, "test")
	}
	if err != nil {
		m.t.Fatal(err)
	}
}

// Another broker with another database, while the site is offline: nobody condemns it, and all readings get there.
func TestMoveWhileOffline(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newMove(t)
		m.broker.Block()
		m.other.broker.Block()
		m.push(m.other.store.ID())
		time.Sleep(late)
		m.broker.Unblock()
		m.other.broker.Unblock()
		time.Sleep(late)
		if to := m.gateway.links.inUse().Host; to != "other" || m.gateway.kept().Store != m.other.store.ID() || linkChange(t, m.other.store, "bubble", "accepted", "other") == nil {
			t.Errorf("at %s, bound to %v", to, m.gateway.kept())
		}
		m.other.allStored(m.stop())
	})
}

// A database that the gateway was sent to and that does not answer takes nothing with it: not the binding, and no reading, be it
// pending or in history, though another database on its broker sends receipts for whatever it gets.
func TestMoveToAWrongDatabase(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("hours in a bubble")
	}
	synctest.Test(t, func(t *testing.T) {
		m := newMove(t)
		before := m.gateway.kept()
		m.push(holdfast.Stream{7})
		time.Sleep(2 * late)
		if s, _ := m.gateway.control.Get(holdfast.SettingBroker); string(s.Value) != "{}" || s.Origin != holdfast.OriginTrial {
			t.Errorf("setting %+v", s)
		}
		change := linkChange(t, m.store, "bubble", "rejected", "other")
		if change == nil || !strings.Contains(change.Error, "another database answers") || m.gateway.kept() != before {
			t.Errorf("event %+v, bound to %v, was %v", change, m.gateway.kept(), before)
		}
		if m.other.telemetry().Data == 0 {
			t.Error("the other database got nothing: this test shows nothing")
		}
		m.allStored(m.stop())
	})
}

// Rules under which nothing is answered for any more, though broker and receiver are there, go back to those before; an outage
// does not count against them.
func TestRulesOnTrial(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("hours in a bubble")
	}
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t)
		made := make(chan *gateway, 1)
		b.assembled = func(g *gateway) { made <- g }
		b.receiver()
		stop := b.gateway(holdfast.AckReceipt)
		g := <-made
		time.Sleep(time.Minute)
		set := func(version int) {
			t.Helper()
			value, err := json.Marshal(holdfast.RuleSet{Version: version, YAML: fmt.Sprintf("version: %d\nrules: []\n", version)})
			if err == nil {
				_, err = g.control.Set(t.Context(), holdfast.SettingRules, value, holdfast.OriginCommand, "test")
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		holds := func(version int, when string) {
			t.Helper()
			s, _ := g.control.Get(holdfast.SettingRules)
			if !strings.Contains(string(s.Value), fmt.Sprintf(`"version":%d,`, version)) {
				t.Errorf("%s: %s by %s, want version %d", when, s.Value, s.Origin, version)
			}
		}
		mute := func(_, topic string, write bool) bool { return write && strings.HasSuffix(topic, "/receipt") }
		b.broker.Deny(mute)
		set(1)
		time.Sleep(2 * late)
		if s, ok := g.control.Get(holdfast.SettingRules); ok {
			t.Errorf("with none before: %s by %s, want those of the configuration", s.Value, s.Origin)
		}
		b.broker.Deny(nil)
		time.Sleep(late)
		set(2)
		time.Sleep(time.Minute)
		b.broker.Block()
		set(3)
		time.Sleep(2 * late)
		holds(3, "in an outage")
		b.broker.Unblock()
		time.Sleep(2 * late)
		holds(3, "after an outage")
		b.broker.Deny(mute)
		set(4)
		time.Sleep(2 * late)
		for range 4 { // a receiver whose receipts are refused may lose its link, and the trial begins anew with each
			if s, _ := g.control.Get(holdfast.SettingRules); s.Origin == holdfast.OriginTrial {
				break
			}
			time.Sleep(late)
		}
		b.broker.Deny(nil)
		holds(3, "without receipts")
		time.Sleep(late)
		b.allStored(stop())
		events, err := b.store.Events(t.Context(), "bubble", holdfast.EventRules, time.Time{}, time.Now(), 100)
		var told []string
		for _, e := range events {
			told = append(told, string(e.Data))
		}
		if all := strings.Join(told, "\n"); err != nil || !strings.Contains(all, `"rejected","version":4`) || !strings.Contains(all, `"before":{"version":4`) {
			t.Errorf("%v, events\n%s", err, all)
		}
	})
}
