package desk

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"holdfast"
	"holdfast/internal/testenv"
	"holdfast/mqtt"
	"holdfast/receiver/store"
)

const stream = `"stream":"9f2c0000000000000000000000000000"`

// office is a desk with its database, a broker in memory, and the devices pi-7 and pi-8, which are registered. It stands in
// a bubble.
type office struct {
	*testing.T
	broker *testenv.Broker
	store  *store.Store
	desk   *Desk
}

func newOffice(t *testing.T) *office {
	o := &office{T: t, broker: testenv.MemoryBroker(t)}
	o.store = o.database()
	o.desk = o.open("one", o.store)
	return o
}

func (o *office) database() *store.Store {
	o.Helper()
	s, err := store.Open(o.Context(), store.Options{Path: filepath.Join(o.TempDir(), "receiver.db")})
	if err != nil {
		o.Fatal(err)
	}
	o.Cleanup(func() { s.Close() })
	err = s.Write(o.Context(), func(tx *store.Tx) error {
		for _, device := range []string{"pi-7", "pi-8"} {
			if _, err := tx.Seen(device, store.StatusActive, true, time.Now()); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		o.Fatal(err)
	}
	return s
}

// open runs a desk until the test ends.
func (o *office) open(instance string, s *store.Store) *Desk {
	d := New(Options{Store: s, Link: mqtt.Options{Dial: o.broker.Dial}, Instance: instance})
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- d.Run(ctx) }()
	o.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			o.Errorf("desk: %v", err)
		}
	})
	wait(time.Second)
	return d
}

func wait(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func (o *office) publish(leaf, payload string) {
	o.Helper()
	if err := o.broker.Publish("devices/pi-7/"+leaf, []byte(payload), false); err != nil {
		o.Fatal(err)
	}
	wait(200 * time.Millisecond)
}

func (o *office) commands() []store.Command {
	o.Helper()
	all, err := o.store.Commands(o.Context(), "pi-7", "", 1000)
	if err != nil {
		o.Fatal(err)
	}
	return all
}

// states tells of each command id and state, the newest first.
func (o *office) states() string {
	o.Helper()
	var all []string
	for _, c := range o.commands() {
		all = append(all, c.ID+" "+c.StateAt(time.Now()))
	}
	return strings.Join(all, ", ")
}

// A pi is a device that takes what comes and answers as told.
type pi struct {
	*office
	conn   *mqtt.Conn
	taken  []string // ids of commands, in order
	asked  []holdfast.Shadow
	answer func(id string) string // state and more of a result; "" for none
	at     []time.Time
}

// pi connects the device pi-7, which is heard only with [pi.beat].
func (o *office) pi() *pi {
	o.Helper()
	p := &pi{office: o, answer: func(string) string { return `"state":"succeeded"` }}
	in := make(chan mqtt.Message, 2000)
	var err error
	p.conn, err = mqtt.Connect(o.Context(), mqtt.Options{Dial: o.broker.Dial, ClientID: "pi-7-x", CleanSession: true, Handler: func(m mqtt.Message) { in <- m }})
	if err != nil {
		o.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case m := <-in:
				p.take(m)
			case <-p.conn.Lost():
				return
			}
		}
	}()
	o.Cleanup(func() { p.conn.Close(context.Background()); <-done })
	if err := p.conn.Subscribe(o.Context(), "devices/pi-7/command", "devices/pi-7/shadow/update", "devices/pi-7/shadow/get"); err != nil {
		o.Fatal(err)
	}
	return p
}

func (p *pi) take(m mqtt.Message) {
	if m.Retained {
		p.Errorf("%s is retained", m.Topic)
	}
	if strings.HasSuffix(m.Topic, "get") {
		p.asked = append(p.asked, holdfast.Shadow{})
		return
	}
	if strings.HasSuffix(m.Topic, "update") {
		var request holdfast.Shadow
		if err := json.Unmarshal(m.Payload, &request); err != nil {
			p.Error(err)
		}
		p.asked = append(p.asked, request)
		return
	}
	var c holdfast.Command
	if err := json.Unmarshal(m.Payload, &c); err != nil {
		p.Error(err)
	}
	p.taken, p.at = append(p.taken, c.ID), append(p.at, time.Now())
	if more := p.answer(c.ID); more != "" {
		p.conn.Send(mqtt.Message{Topic: "devices/pi-7/response", Payload: fmt.Appendf(nil, `{"v":1,"id":%q,"name":%q,%s}`, c.ID, c.Name, more)})
	}
}

// beat publishes birth or heartbeat.
func (p *pi) beat() { p.publish("state", `{"v":1,"online":true,`+stream+`,"boot":"b"}`) }

func say(words ...any) string { return strings.TrimSpace(fmt.Sprintln(words...)) }

func expect(t *testing.T, what, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s:\ngot  %s\nwant %s", what, got, want)
	}
}

// Of a flood the first hundred are kept. They go out in order, once, and no faster than a gateway takes them.
func TestFlood(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := newOffice(t)
		for i := range 1000 {
			if err := o.broker.Publish("devices/pi-7/command", fmt.Appendf(nil, `{"v":1,"id":"c%d","name":"ping"}`, i), false); err != nil {
				t.Fatal(err)
			}
		}
		wait(5 * time.Second)
		if all := o.commands(); len(all) != store.MaxWaiting || all[0].ID != "c99" || all[0].State != store.CommandKept {
			t.Fatalf("%d kept, the last %+v", len(all), all[0])
		}
		p := o.pi()
		wait(2 * time.Minute)
		if len(p.taken) > 0 {
			t.Errorf("%v were sent to a device that nobody heard", p.taken)
		}
		p.beat()
		wait(20 * time.Second)
		for i, id := range p.taken {
			expect(t, "order", id, fmt.Sprintf("c%d", i))
		}
		if len(p.taken) != store.MaxWaiting {
			t.Errorf("%d were sent", len(p.taken))
		}
		for i := range len(p.at) - 20 {
			if took := p.at[i+20].Sub(p.at[i]); took < 900*time.Millisecond {
				t.Errorf("20 commands in %v", took)
				break
			}
		}
		if all := o.states(); strings.Count(all, "succeeded") != store.MaxWaiting {
			t.Error(all)
		}
		p.beat()
		wait(2 * time.Minute)
		if len(p.taken) != store.MaxWaiting {
			t.Errorf("what was answered was sent again: %v", p.taken[store.MaxWaiting:])
		}
	})
}

// What waits is sent with each heartbeat until it is answered, has expired or is withdrawn. A device's answer counts whenever it comes.
func TestUntilAnswered(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := newOffice(t)
		soon := time.Now().Add(90 * time.Second).Format(time.RFC3339Nano)
		o.publish("command", `{"v":1,"id":"a","name":"reboot"}`)
		o.publish("command", `{"v":1,"id":"a","name":"reboot"}`)
		o.publish("command", `{"v":1,"id":"b","name":"ping","expires":"`+soon+`"}`)
		o.publish("command", `{"v":1,"id":"c","name":"ping"}`)
		p := o.pi()
		p.answer = func(id string) string {
			return map[string]string{"a": `"state":"running"`, "c": `"state":"refused","error":{"code":"rate_limited","message":"x"}`}[id]
		}
		p.beat()
		wait(time.Second)
		expect(t, "after birth", say(p.taken, o.states()), "[a b c] c sent, b sent, a running")
		wait(time.Minute)
		p.beat()
		wait(time.Minute)
		p.beat()
		wait(15 * time.Second)
		expect(t, "after two beats", say(p.taken, o.states()), "[a b c a b c a c] c sent, b expired, a running")
		o.publish("response", `{"v":1,"id":"b","name":"ping","state":"succeeded","result":{"time":"x"}}`)
		if err := Withdraw(t.Context(), o.store, "pi-7", "c"); err != nil {
			t.Fatal(err)
		}
		p.answer = func(string) string {
			return `"state":"succeeded","result":{"text":"` + strings.Repeat("x", 5000) + `"}`
		}
		p.beat()
		wait(time.Second)
		expect(t, "at last", say(p.taken[8:], o.states()), "[a] c withdrawn, b succeeded, a succeeded")
		if last := o.commands()[2]; !strings.Contains(string(last.Answer), `"bytes":5011`) || len(last.Answer) > 200 {
			t.Errorf("a long answer is kept: %d bytes", len(last.Answer))
		}
		p.answer = func(string) string { return "" }
		o.publish("command", `{"v":1,"id":"a","name":"reboot"}`) // once more, straight to the device
		p.beat()
		wait(time.Second)
		expect(t, "after an id that is known", say(p.taken[9:], o.states()), "[a] c withdrawn, b succeeded, a succeeded")
		p.publish("state", `{"v":1,"online":false,`+stream+`}`)
		if _, err := Keep(t.Context(), o.store, "pi-7", holdfast.Command{Name: "ping", ID: "d"}, time.Now().Add(5*time.Minute-shelfLife)); err != nil {
			t.Fatal(err)
		}
		o.desk.Wake()
		wait(3 * time.Minute)
		expect(t, "to a device that is gone", say(len(p.taken), o.commands()[0].State), "10 kept")
		wait(3 * time.Minute)
		p.beat()
		wait(time.Second)
		expect(t, "past its time", say(len(p.taken), o.commands()[0].State), "10 expired")
	})
}

// A command to a device that is online goes past the desk, which sends it only where no answer comes until the next heartbeat.
func TestPresent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := newOffice(t)
		p := o.pi()
		p.beat()
		limited := `"state":"refused","error":{"code":"rate_limited","message":"x"}`
		p.answer = func(id string) string { return map[string]string{"a": `"state":"succeeded"`, "c": limited}[id] }
		for _, id := range []string{"a", "b", "c"} {
			o.publish("command", `{"v":1,"id":"`+id+`","name":"ping"}`)
		}
		wait(50 * time.Second)
		expect(t, "commands", say(p.taken, o.states()), "[a b c] c refused, b sent, a succeeded")
		p.beat()
		wait(time.Second)
		expect(t, "commands", say(p.taken), "[a b c b]")
		p.publish("state", `{"v":1,"online":false,"stream":"77aa0000000000000000000000000000"}`) // of an older card
		if _, err := Keep(t.Context(), o.store, "pi-7", holdfast.Command{Name: "ping", ID: "a2"}, time.Now()); err != nil {
			t.Fatal(err)
		}
		o.desk.Wake()
		synctest.Wait()
		expect(t, "one from the API", p.taken[len(p.taken)-1], "a2")
	})
}

// What nobody should hold for a device is not kept, and what is broken breaks nothing.
func TestNotKept(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := newOffice(t)
		past := time.Now().Add(-time.Second).Format(time.RFC3339Nano)
		for _, bad := range []string{
			``, `no`, `{}`, `{"v":1,"name":"ping"}`, `{"v":1,"id":"a"}`, `{"v":2,"id":"a","name":"ping"}`, `{"v":1,"id":"a","name":"ping","expires":"` + past + `"}`,
			`{"v":1,"id":"a","name":"ping","args":"` + strings.Repeat("x", holdfast.MaxCommandBytes) + `"}`, "\xff",
		} {
			for _, leaf := range []string{"command", "response", "state", "shadow/update", "shadow/delete", "shadow/document", "shadow/update/rejected"} {
				o.publish(leaf, bad)
			}
		}
		good := []byte(`{"v":1,"id":"a","name":"ping"}`)
		for _, topic := range []string{"devices/pi-9/command", "devices/broadcast/command", "groups/roof/command", "devices//command"} {
			if err := o.broker.Publish(topic, good, false); err != nil {
				t.Fatal(err)
			}
		}
		wait(time.Second)
		for _, device := range []string{"pi-7", "pi-8", "pi-9", "broadcast", ""} {
			if all, err := o.store.Commands(t.Context(), device, "", 10); err != nil || len(all) > 0 {
				t.Errorf("%s: %+v, %v", device, all, err)
			}
			if s, err := o.store.Shadow(t.Context(), device); err != nil || string(s.Desired) != "{}" {
				t.Errorf("%s: %+v, %v", device, s, err)
			}
		}
		o.publish("command", `{"v":1,"id":"a","name":"ping"}`)
		expect(t, "a good one after all these", o.states(), "a kept")
		o.store.Write(t.Context(), func(tx *store.Tx) error { return tx.SetStatus("pi-7", store.StatusRetired) })
		p := o.pi()
		p.beat()
		wait(time.Second)
		if len(p.taken) > 0 {
			t.Errorf("a retired device was sent %v", p.taken)
		}
	})
}

// A retained command waits at the broker, where the gateway refuses it; the desk lets it be.
func TestRetained(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := &office{T: t, broker: testenv.MemoryBroker(t)}
		o.store = o.database()
		if err := o.broker.Publish("devices/pi-7/command", []byte(`{"v":1,"id":"a","name":"ping"}`), true); err != nil {
			t.Fatal(err)
		}
		o.open("one", o.store)
		expect(t, "commands", o.states(), "")
	})
}

// Two receivers with a database each hear each other's messages, and do not answer them for ever.
func TestTwoDesks(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := newOffice(t)
		o.open("two", o.database())
		o.publish("command", `{"v":1,"id":"a","name":"ping"}`)
		o.publish("shadow/update", `{"state":{"desired":{"measuring":false}}}`)
		if _, err := Keep(t.Context(), o.store, "pi-7", holdfast.Command{Name: "ping", ID: "b"}, time.Now()); err != nil {
			t.Fatal(err)
		}
		p := o.pi()
		p.answer = func(string) string { return "" }
		for range 3 {
			p.beat()
			wait(time.Minute)
		}
		count := make(map[string]int)
		for _, id := range p.taken {
			count[id]++
		}
		expect(t, "each of two sends with each beat", say(count), "map[a:6 b:5]") // the second hears of b from the first
		updates := 0
		for _, a := range p.asked {
			if a.State.Desired != nil {
				updates++
			}
		}
		expect(t, "updates", say(updates), "6")
	})
}
