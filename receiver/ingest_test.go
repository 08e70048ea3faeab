package receiver

import (
	"context"
	"encoding/json"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"holdfast"
	"holdfast/mqtt"
	"holdfast/receiver/store"
	"holdfast/wire"
)

// Each golden batch is stored and receipted, with the range that it is about.
func TestGoldenBatches(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, r *rig) {
		for _, name := range []string{
			"batch_data.json", "batch_aggregate.json", "batch_thinned.json", "batch_dropped.json",
			"batch_event.json", "batch_rejected.json", "batch_alert.json",
		} {
			payload := golden(t, name)
			batch, err := wire.DecodeBatch(payload)
			if err != nil {
				t.Fatal(err)
			}
			r.publish(holdfast.Topics{}.Batch(device, batch.Lane), payload)
			got := r.received()
			if len(got) != 1 || !slices.Equal(got[0].Ranges, holdfast.Ranges{batch.Range()}) || got[0].Store != r.store.ID() || len(got[0].Rejected) > 0 {
				t.Errorf("%s: receipts %s", name, text(got))
			}
		}
		if letters := r.letters(); len(letters) > 0 {
			t.Errorf("dead letters %s", text(letters))
		}
		stream, _ := holdfast.ParseStream("9f2c1ab4d07e4c5e8a3b6f1029384756")
		got := r.telemetry(stream)
		want := []Span{
			{First: 1, Last: 60, State: "thinned"}, {First: 61, Last: 1200, State: "dropped", Cause: "full"}, {First: 1204, Last: 98000, State: missing},
		}
		if !slices.Equal(got.Ranges, want) || got.Data != 3 {
			t.Errorf("completeness %s", text(got))
		}
		alerts, err := r.store.Alerts(t.Context(), device, "", 10)
		if err != nil || len(alerts) != 1 || alerts[0].State != holdfast.Acknowledged || alerts[0].By != "ops@example.org" {
			t.Errorf("alerts %+v, %v", alerts, err)
		}
		events, err := r.store.Events(t.Context(), device, "", moment(0).Add(-time.Hour), moment(0), 10)
		if err != nil || len(events) != 5 || events[4].Event.Event != holdfast.EventBoot {
			t.Errorf("events %+v, %v", events, err)
		}
	})
}

// Whatever comes twice, overlaps or comes late: every number is stored once, and every batch is receipted.
func TestAgainOverlappingAndLate(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, r *rig) {
		for _, b := range [][2]uint64{{21, 30}, {1, 10}, {1, 10}, {5, 25}, {24, 40}, {1, 40}} {
			r.sendReadings(streamA, b[0], b[1])
		}
		r.expectValues(40)
		if got := r.telemetry(streamA); got.Head != 40 || got.Data != 40 || len(got.Ranges) > 0 {
			t.Errorf("completeness %s", text(got))
		}
	})
}

// Two streams of one device number apart, even at the same instants.
func TestTwoStreams(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, r *rig) {
		r.sendReadings(streamA, 1, 5)
		r.sendReadings(streamB, 1, 5)
		if n := len(r.samples()); n != 10 {
			t.Errorf("%d samples, want 10: same time, sensor and number, but two streams", n)
		}
	})
}

// A stream belongs to the device that first used it.
func TestForeignStream(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, r *rig) {
		r.sendReadings(streamA, 1, 5)
		thief := readings(streamA, 6, 10)
		thief.Device = "pi-8"
		if err := r.gateway.Subscribe(t.Context(), holdfast.Topics{}.Device("pi-8", holdfast.TopicReceipt)); err != nil {
			t.Fatal(err)
		}
		got := r.send(thief)
		if len(got) != 1 || !got[0].Hold || got[0].Stream != streamA || got[0].Reason != codeForeignStream || len(got[0].Ranges) > 0 {
			t.Errorf("receipts %s, want the order to keep that stream", text(got))
		}
		letters := r.letters()
		if len(letters) != 1 || letters[0].Code != codeForeignStream || letters[0].Device != "pi-8" || letters[0].First != 6 {
			t.Errorf("dead letters %+v", letters)
		}
		r.expectValues(5)

		liar := readings(streamB, 1, 5)
		liar.V, liar.Device, liar.Head = holdfast.Version, "pi-8", 5
		payload, err := wire.EncodeBatch(liar, false)
		if err != nil {
			t.Fatal(err)
		}
		r.publish(holdfast.Topics{}.Batch(device, holdfast.LaneTelemetry), payload)
		if got := r.received(); len(got) > 0 {
			t.Errorf("a batch on another device's topic: receipts %s", text(got))
		}
		if letters := r.letters(); len(letters) != 2 || letters[0].Code != codeForeignTopic {
			t.Errorf("dead letters %+v", letters)
		}
	})
}

// A record that is not valid rejects itself alone, and a repetition says so again.
func TestRejectedRecord(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, r *rig) {
		b := readings(streamA, 1, 5)
		b.Records[2] = json.RawMessage(`{"time":"2026-05-01T12:00:03Z","sensor":"BAD NAME","values":{"x":1}}`)
		for range 2 {
			got := r.send(b)
			if len(got) != 1 || !slices.Equal(got[0].Ranges, holdfast.Ranges{{First: 1, Last: 5}}) {
				t.Fatalf("receipts %s", text(got))
			}
			rejected := got[0].Rejected
			if len(rejected) != 1 || rejected[0].Seq != 3 || rejected[0].Code != codeInvalidRecord || rejected[0].Reason == "" {
				t.Errorf("rejected %s", text(rejected))
			}
		}
		if n := len(r.samples()); n != 4 {
			t.Errorf("%d samples, want 4", n)
		}
		letters := r.letters()
		if len(letters) != 1 || letters[0].First != 3 || letters[0].Through != 3 || letters[0].Count != 1 {
			t.Errorf("dead letters %+v", letters)
		}
		if got := r.telemetry(streamA); got.Rejected != 1 || got.Data != 4 || got.Missing != 0 {
			t.Errorf("completeness %s", text(got))
		}
	})
}

// A batch that is no statement is given up at its third arrival, and what cannot even be read is counted.
func TestPoisonEnds(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, r *rig) {
		topic := holdfast.Topics{}.Batch(device, holdfast.LaneTelemetry)
		broken := []byte(`{"v":1,"device":"pi-7","stream":"` + streamA.String() + `","lane":"telemetry","first":7,"last":8,"head":9,"what":"data","records":[{"values":{"t":NaN}}]}`)
		for try := 1; try <= 3; try++ {
			r.publish(topic, broken)
			got := r.received()
			if try < 3 && len(got) > 0 {
				t.Errorf("try %d: receipts %s", try, text(got))
			}
			if try == 3 && (len(got) != 1 || !slices.Equal(got[0].Ranges, holdfast.Ranges{{First: 7, Last: 8}}) || len(got[0].Rejected) != 2) {
				t.Errorf("try %d: receipts %s", try, text(got))
			}
			r.publish(topic, []byte("garbage"))
		}
		letters := r.letters()
		if len(letters) != 2 {
			t.Fatalf("dead letters %+v", letters)
		}
		for _, l := range letters {
			if l.Count != 3 {
				t.Errorf("letter %s came %d times, want 3", l.Code, l.Count)
			}
		}
		if got := r.telemetry(streamA); got.Rejected != 2 {
			t.Errorf("completeness %s", text(got))
		}
	})
}

// After a clean stop the last numbers are final; what is missing stays missing, and nothing is open.
func TestCleanEnd(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, r *rig) {
		r.sendReadings(streamA, 1, 10)
		r.send(boot(streamB, streamA, true, 12))
		got := r.telemetry(streamA)
		if got.Head != 12 || got.Missing != 2 || got.Dropped != 0 || got.Open != nil {
			t.Errorf("completeness %s", text(got))
		}
		r.sendReadings(streamA, 11, 12)
		if got := r.telemetry(streamA); got.Missing != 0 || got.Data != 12 {
			t.Errorf("completeness %s", text(got))
		}
	})
}

// After a crash what lies above the durable numbers is lost, and beyond that nothing is known. What arrives after all is data.
func TestCrash(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, r *rig) {
		b := readings(streamA, 1, 10)
		b.Head = 20 // somebody saw numbers up to 20
		r.send(b)
		r.send(boot(streamB, streamA, false, 15))
		got := r.telemetry(streamA)
		want := []Span{{First: 11, Last: 15, State: missing}, {First: 16, Last: 20, State: "dropped", Cause: "crash"}}
		if !slices.Equal(got.Ranges, want) || got.Open == nil || got.Open.First != 16 {
			t.Errorf("completeness %s", text(got))
		}
		late := readings(streamA, 11, 17) // was under way when the daemon died, and knows of still higher numbers
		late.Head = 22
		r.send(late)
		got = r.telemetry(streamA)
		want = []Span{{First: 18, Last: 22, State: "dropped", Cause: "crash"}}
		if !slices.Equal(got.Ranges, want) || got.Data != 17 {
			t.Errorf("completeness %s", text(got))
		}
		r.expectValues(17)
		r.send(boot(streamA, streamB, false, 1)) // a stream cannot end twice, nor by a word from its own past
		if got := r.telemetry(streamA); !slices.Equal(got.Ranges, want) {
			t.Errorf("completeness %s", text(got))
		}
	})
}

// A process that dies between commit and receipt does no harm: the batch comes again and is receipted.
func TestDeathBeforeTheReceipt(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, r *rig) {
		r.broker.Swallow(func(client, topic string) bool { return client == "receiver-one" && topic == "devices/pi-7/receipt" })
		if got := r.send(readings(streamA, 1, 10)); len(got) > 0 {
			t.Fatalf("receipts %s", text(got))
		}
		r.stop()
		r.broker.Swallow(nil)
		r.run()
		r.sendReadings(streamA, 1, 10)
		r.expectValues(10)
	})
}

// The receiver comes back after the broker was gone, by itself.
func TestReconnect(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, r *rig) {
		r.sendReadings(streamA, 1, 5)
		r.broker.Block()
		time.Sleep(10 * time.Minute)
		if r.receiver.Connected() == nil {
			t.Error("connected to a broker that is gone")
		}
		r.broker.Unblock()
		time.Sleep(lastDelay + 5*time.Second)
		synctest.Wait()
		if err := r.receiver.Connected(); err != nil {
			t.Fatal(err)
		}
		r.connect()
		r.sendReadings(streamA, 6, 10)
		r.expectValues(10)
	})
}

// The presence tells gateways the store, the start and that compressed batches are read; a clean stop withdraws it.
func TestPresence(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, r *rig) {
		topic := holdfast.Topics{}.Receiver("one")
		read := func() *holdfast.Presence {
			p, err := wire.DecodePresence(r.broker.Retained(topic))
			if err != nil {
				t.Fatal(err)
			}
			return p
		}
		first := read()
		if !first.Online || first.Store != r.store.ID() || !slices.Equal(first.Accepts, []string{"json", "zstd"}) {
			t.Errorf("presence %s", text(first))
		}
		r.stop()
		synctest.Wait()
		if p := read(); p.Online {
			t.Errorf("presence after the stop %s", text(p))
		}
		r.run()
		if p := read(); !p.Online || p.Start == first.Start || p.Store != first.Store {
			t.Errorf("presence of another process %s, the first was %s", text(p), text(first))
		}
	})
}

// A device that is not active keeps its data.
func TestHold(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, r *rig) {
		r.sendReadings(streamA, 1, 5)
		if err := r.store.Write(t.Context(), func(tx *store.Tx) error { return tx.SetStatus(device, "suspended") }); err != nil {
			t.Fatal(err)
		}
		got := r.send(readings(streamA, 6, 10))
		if len(got) != 1 || !got[0].Hold || got[0].RetryS != 60 || got[0].Reason != "suspended" {
			t.Errorf("receipts %s", text(got))
		}
		r.expectValues(5)
	})
}

// Messages that were waiting are committed together: a thousand batches, each receipted, each stored once.
func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, r *rig) {
		const n = 200
		var sent []*mqtt.Sent
		for i := range uint64(n) {
			b := readings(streamA, i*2+1, i*2+2)
			b.V, b.Device, b.Head = holdfast.Version, device, 2*n
			payload, err := wire.EncodeBatch(b, true)
			if err != nil {
				t.Fatal(err)
			}
			sent = append(sent, r.gateway.Send(mqtt.Message{Topic: "devices/pi-7/telemetry", Payload: payload}))
		}
		var held holdfast.Ranges
		for held.Count() < 2*n {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			select {
			case receipt := <-r.receipts:
				for _, x := range receipt.Ranges {
					held.Add(x)
				}
			case <-ctx.Done():
				t.Fatalf("receipts for %v after a minute", held)
			}
			cancel()
		}
		for _, s := range sent {
			<-s.Done()
		}
		r.expectValues(2 * n)
	})
}
