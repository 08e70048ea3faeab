package uplink

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"holdfast"
	"holdfast/internal/testenv"
	"holdfast/mqtt"
)

// While the uplink is switched off nothing is forwarded, and commands are taken.
func TestSwitchedOff(t *testing.T) {
	bubble(t, func(t *testing.T, broker *testenv.Broker) {
		r := newReceiver(t, broker, "cloud", store)
		r.start("1")
		q := newTable(stream)
		g := start(t, broker, q, nil)
		settled()
		g.SetEnabled(false)
		q.fill(holdfast.LaneTelemetry, 10)
		q.fill(holdfast.LaneAlert, 1)
		time.Sleep(time.Hour)
		broker.Publish(holdfast.Topics{}.Device(device, holdfast.TopicCommand), []byte("on"), false)
		settled()
		if n := q.pending(holdfast.LaneTelemetry) + q.pending(holdfast.LaneAlert); n != 11 || len(g.took) != 1 || !g.Status().Up {
			t.Errorf("%d pending, %d commands, up %v", n, len(g.took), g.Status().Up)
		}
		g.SetEnabled(true)
		settled()
		if n := q.pending(holdfast.LaneTelemetry) + q.pending(holdfast.LaneAlert); n != 0 {
			t.Errorf("%d pending after it was switched on", n)
		}
	})
}

// While telemetry is held alerts and events go up, also over a new link, nothing waits for an answer, and afterwards everything
// arrives once.
func TestHeldTelemetry(t *testing.T) {
	bubble(t, func(t *testing.T, broker *testenv.Broker) {
		r := newReceiver(t, broker, "cloud", store)
		r.start("1")
		q := newTable(stream)
		g := start(t, broker, q, nil)
		settled()
		r.silence(true)
		q.fill(holdfast.LaneTelemetry, 50)
		settled()
		if n := g.Status().Inflight; n == 0 {
			t.Fatal("nothing is on its way")
		}
		r.silence(false)
		g.SetHeld(true)
		q.fill(holdfast.LaneTelemetry, 1000)
		q.fill(holdfast.LaneAlert, 3)
		q.fill(holdfast.LaneEvent, 5)
		settled()
		if s := g.Status(); q.pending(holdfast.LaneAlert)+q.pending(holdfast.LaneEvent) != 0 || r.holds(holdfast.LaneTelemetry) > 50 || s.Inflight != 0 {
			t.Errorf("%d alerts, %d events pending, %d readings arrived, %d batches on their way",
				q.pending(holdfast.LaneAlert), q.pending(holdfast.LaneEvent), r.holds(holdfast.LaneTelemetry), s.Inflight)
		}
		broker.Kick()
		r.start("2")
		time.Sleep(time.Hour)
		q.fill(holdfast.LaneAlert, 1)
		settled()
		if n := r.holds(holdfast.LaneTelemetry); n > 50 || q.pending(holdfast.LaneAlert) != 0 {
			t.Errorf("%d readings arrived by a new link, %d alerts wait", n, q.pending(holdfast.LaneAlert))
		}
		if s := g.Status(); s.Losses != 1 {
			t.Errorf("%d losses of the link, want 1", s.Losses)
		}
		g.SetHeld(false)
		settled()
		if n := r.holds(holdfast.LaneTelemetry); n != 1050 || q.pending(holdfast.LaneTelemetry) != 0 {
			t.Errorf("%d readings arrived, %d pending; want 1050 and none", n, q.pending(holdfast.LaneTelemetry))
		}
		if s := g.Status(); s.Records < 1050*8 || s.Wire < s.Records {
			t.Errorf("%d bytes of records, %d on the link", s.Records, s.Wire)
		}
	})
}

// Telemetry travels in rounds and an alert at once; Hurry begins a round.
func TestRounds(t *testing.T) {
	bubble(t, func(t *testing.T, broker *testenv.Broker) {
		r := newReceiver(t, broker, "cloud", store)
		r.start("1")
		q := newTable(stream)
		g := start(t, broker, q, nil)
		g.SetInterval(time.Minute)
		settled()
		pending := func() int { return int(q.pending(holdfast.LaneTelemetry)) }
		var seen []int
		for range 90 {
			q.fill(holdfast.LaneTelemetry, 10)
			time.Sleep(time.Second)
			synctest.Wait()
			seen = append(seen, pending())
		}
		if seen[30] < 280 || seen[89] > 320 || seen[89] < 250 {
			t.Errorf("pending second by second %v: want rounds of a minute", seen)
		}
		q.fill(holdfast.LaneAlert, 1)
		settled()
		if n := q.pending(holdfast.LaneAlert); n != 0 || pending() == 0 {
			t.Errorf("%d alerts and %d readings wait, want no alert", n, pending())
		}
		g.Hurry()
		settled()
		if n := pending(); n != 0 {
			t.Errorf("%d pending after Hurry", n)
		}
		q.fill(holdfast.LaneTelemetry, 10)
		settled()
		g.SetInterval(0)
		settled()
		if n := pending(); n != 0 {
			t.Errorf("%d pending without rounds", n)
		}
	})
}

// Groups change while the session stands, and hold for the next one.
func TestGroupsChange(t *testing.T) {
	bubble(t, func(t *testing.T, broker *testenv.Broker) {
		topics := holdfast.Topics{}
		g := start(t, broker, newTable(stream), func(o *Options) { o.Groups = []string{"north", "roof"} })
		settled()
		send := func(n int) {
			for _, group := range []string{"north", "south", "roof"} {
				broker.Publish(topics.Group(group), fmt.Append(nil, group, n, " "), false)
			}
			settled()
		}
		send(1)
		g.SetGroups([]string{"south", "roof"})
		settled()
		send(2)
		broker.Kick()
		time.Sleep(5 * time.Second)
		synctest.Wait()
		send(3)
		if got, want := strings.ReplaceAll(strings.Join(g.took, ""), " false", " "), "north1 roof1 south2 roof2 south3 roof3 "; got != want {
			t.Errorf("took %q, want %q", got, want)
		}
	})
}

// Requests to the shadow go their own way; documents are published at birth and when they have changed.
func TestShadowTopics(t *testing.T) {
	bubble(t, func(t *testing.T, broker *testenv.Broker) {
		topics := holdfast.Topics{}
		var seen []string
		conn, err := mqtt.Connect(t.Context(), mqtt.Options{Dial: broker.Dial, ClientID: "ops", CleanSession: true,
			Handler: func(m mqtt.Message) { seen = append(seen, string(m.Payload)) }})
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close(context.Background())
		leaf := holdfast.ShadowTopic("document")
		if err := conn.Subscribe(t.Context(), topics.Device(device, leaf)); err != nil {
			t.Fatal(err)
		}
		document := "one"
		var asked []string
		g := start(t, broker, newTable(stream), func(o *Options) {
			o.Documents = func() []Document { return []Document{{Leaf: leaf, Payload: []byte(document)}, {Leaf: "none"}} }
			o.Ask = func(_ context.Context, verb string, payload []byte, retained bool) {
				asked = append(asked, fmt.Sprint(verb, string(payload), retained))
			}
		})
		settled()
		g.Refresh()
		settled()
		document = "two"
		g.Refresh()
		settled()
		for _, verb := range []string{"get", "update", "delete", "get/accepted"} {
			broker.Publish(topics.Device(device, holdfast.ShadowTopic(verb)), []byte("!"), false)
		}
		settled()
		if got, want := strings.Join(seen, " "), "one two"; got != want {
			t.Errorf("documents %s, want %s", got, want)
		}
		if got, want := strings.Join(asked, " "), "get!false update!false delete!false"; got != want || len(g.took) != 0 {
			t.Errorf("asked %s, want %s; commands %v", got, want, g.took)
		}
	})
}

// Of more commands than can wait, each is told of at once; nothing blocks.
func TestOverflow(t *testing.T) {
	bubble(t, func(t *testing.T, broker *testenv.Broker) {
		release, over := make(chan struct{}), 0
		g := start(t, broker, newTable(stream), func(o *Options) {
			o.Command = func(context.Context, []byte, bool) { <-release }
			o.Overflow = func([]byte) { over++ }
		})
		settled()
		for range 200 {
			broker.Publish(holdfast.Topics{}.Device(device, holdfast.TopicCommand), []byte("x"), false)
		}
		settled()
		if want := 200 - maxCommands - 1; over != want || g.Status().Overflown != uint64(want) {
			t.Errorf("%d told of, %d counted, want %d", over, g.Status().Overflown, want)
		}
		close(release)
		settled()
		for range maxOutbox {
			g.Offer(holdfast.TopicResponse, []byte("x"))
		}
		if g.Status().Dropped == 0 {
			t.Error("what may be left out takes all the room")
		}
	})
}
