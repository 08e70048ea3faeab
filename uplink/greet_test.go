package uplink

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"holdfast"
	"holdfast/internal/testenv"
	"holdfast/mqtt"
	"holdfast/wire"
)

func TestStateAndCatalog(t *testing.T) {
	bubble(t, func(t *testing.T, broker *testenv.Broker) {
		topics := holdfast.Topics{}
		measuring := true
		state := func() *holdfast.Status {
			s, err := wire.DecodeStatus(broker.Retained(topics.Device(device, holdfast.TopicState)))
			if err != nil {
				t.Fatal(err)
			}
			return s
		}
		beats := 0
		g := start(t, broker, newTable(stream), func(o *Options) {
			o.Status = func() holdfast.Status { beats++; return holdfast.Status{Version: "test", Measuring: &measuring} }
		})
		settled()
		want := &holdfast.Status{V: 1, Online: true, Stream: stream, Version: "test", Measuring: &measuring, Ack: holdfast.AckReceipt}
		if got := state(); !reflect.DeepEqual(got, want) {
			t.Errorf("birth %+v, want %+v", got, want)
		}
		catalog, err := wire.DecodeCatalog(broker.Retained(topics.Device(device, holdfast.TopicCatalog)))
		if err != nil || catalog.Revision != 7 {
			t.Errorf("catalog %+v, %v", catalog, err)
		}
		time.Sleep(10*time.Minute - 2*time.Second)
		synctest.Wait()
		if beats != 10 {
			t.Errorf("state published %d times in ten minutes, want 10", beats)
		}
		measuring = false
		g.Refresh()
		settled()
		if got := state(); *got.Measuring {
			t.Error("the change was not published")
		}
		broker.Kick() // no good-bye: the last will speaks, then the next birth
		synctest.Wait()
		if got := state(); got.Online || got.Stream != stream {
			t.Errorf("after the link's death: %+v", got)
		}
		time.Sleep(3 * time.Second)
		if !state().Online {
			t.Error("no birth after the link's death")
		}
		begin := time.Now()
		g.stop()
		if got := state(); got.Online || time.Since(begin) > stopTimeout {
			t.Errorf("%v after the stop: %+v", time.Since(begin), got)
		}
	})
}

// Commands of all three kinds arrive in order; answers survive a lost link, the oldest give way.
func TestCommandsAndResponses(t *testing.T) {
	bubble(t, func(t *testing.T, broker *testenv.Broker) {
		topics := holdfast.Topics{Prefix: "plant/1"}
		broker.Publish(topics.Device(device, holdfast.TopicCommand), []byte("kept"), true)
		g := start(t, broker, newTable(stream), func(o *Options) { o.Topics, o.Groups = topics, []string{"north"} })
		settled()
		broker.Publish(topics.Device(device, holdfast.TopicCommand), []byte("own"), false)
		broker.Publish(topics.Broadcast(), []byte("all"), false)
		broker.Publish(topics.Group("north"), []byte("group"), false)
		broker.Publish(topics.Group("south"), []byte("others"), false)
		settled()
		if got, want := strings.Join(g.took, " "), "kepttrue ownfalse allfalse groupfalse"; got != want {
			t.Errorf("commands %s, want %s", got, want)
		}
		var answers []string
		conn, err := mqtt.Connect(t.Context(), mqtt.Options{Dial: broker.Dial, ClientID: "ops", CleanSession: true,
			Handler: func(m mqtt.Message) { answers = append(answers, string(m.Payload)) }})
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close(context.Background())
		if err := conn.Subscribe(t.Context(), topics.Device(device, holdfast.TopicResponse)); err != nil {
			t.Fatal(err)
		}
		g.Send(holdfast.TopicResponse, []byte("1"), false)
		settled()
		broker.Swallow(func(_, topic string) bool { return strings.HasSuffix(topic, "/response") })
		for i := range maxOutbox + 10 {
			g.Send(holdfast.TopicResponse, fmt.Append(nil, i+2), false)
		}
		settled()
		broker.Swallow(nil)
		time.Sleep(3 * time.Minute) // the silent broker is given up
		synctest.Wait()
		if n := len(answers); n != 1+maxOutbox || answers[1] != "12" || answers[n-1] != fmt.Sprint(maxOutbox+11) || g.Status().Dropped != 10 {
			t.Errorf("%d answers %v, %d dropped", n, answers, g.Status().Dropped)
		}
	})
}

// Data flows where the broker denies command topics, and does not where it denies receipts: that would only look like a link.
func TestDeniedSubscriptions(t *testing.T) {
	bubble(t, func(t *testing.T, broker *testenv.Broker) {
		r := newReceiver(t, broker, "cloud", store)
		r.start("1")
		broadcast := holdfast.Topics{}.Broadcast()
		broker.Deny(func(_, topic string, write bool) bool { return topic == broadcast && !write })
		q := newTable(stream)
		q.fill(holdfast.LaneTelemetry, 10)
		g := start(t, broker, q, nil)
		settled()
		if s := g.Status(); !s.Up || !slices.Equal(s.Denied, []string{broadcast}) || q.pending(holdfast.LaneTelemetry) != 0 {
			t.Errorf("%d pending, status %+v", q.pending(holdfast.LaneTelemetry), s)
		}
		g.stop()
		settled()
		receipts := holdfast.Topics{}.Device(device, holdfast.TopicReceipt)
		broker.Deny(func(_, topic string, write bool) bool { return topic == receipts && !write })
		g = start(t, broker, q, nil)
		settled()
		if s := g.Status(); s.Up || !strings.Contains(s.Error, receipts) {
			t.Errorf("status %+v, want down with an error that names %s", s, receipts)
		}
	})
}
