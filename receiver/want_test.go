package receiver

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"holdfast"
	"holdfast/mqtt"
	"holdfast/receiver/store"
	"holdfast/wire"
)

// online makes the device known as online, with the given stream as its current one and what waits of an older stream.
func (r *rig) online(current holdfast.Stream, older ...holdfast.StreamStatus) {
	r.t.Helper()
	payload, err := wire.Encode(&holdfast.Status{V: holdfast.Version, Online: true, Stream: current, OlderStreams: older})
	if err != nil {
		r.t.Fatal(err)
	}
	r.publish(holdfast.Topics{}.Device(device, holdfast.TopicState), payload)
}

// after lets time pass, with heartbeats so that the device stays online, and returns what was received.
func (r *rig) after(d time.Duration, current holdfast.Stream) []*holdfast.Receipt {
	r.t.Helper()
	for ; d > 0; d -= time.Minute {
		time.Sleep(min(d, time.Minute))
		r.online(current)
	}
	synctest.Wait()
	return r.received()
}

// Holes below the highest held number of the running stream are asked for, ever more rarely, until they are filled; numbers
// above it are still on their way and are not.
func TestWantHoles(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, r *rig) {
		r.online(streamA)
		b := readings(streamA, 11, 20)
		b.Head = 100
		r.send(b)
		if got := r.after(25*time.Second, streamA); len(got) > 0 {
			t.Errorf("asked before the lane was quiet: %s", text(got))
		}
		got := r.after(20*time.Second, streamA)
		if len(got) != 1 || !slices.Equal(got[0].Want, holdfast.Ranges{{First: 1, Last: 10}}) || got[0].Stream != streamA {
			t.Fatalf("receipts %s, want one that wants 1 to 10", text(got))
		}
		if n := len(r.after(20*time.Minute, streamA)); n != 5 {
			t.Errorf("asked %d times within 20 minutes, want 5: 30 s doubling to 10 min", n)
		}
		r.sendReadings(streamA, 1, 10)
		if got := r.after(2*time.Minute, streamA); len(got) > 0 {
			t.Errorf("asked for what is there: %s", text(got))
		}
	})
}

// A lane that never rests has its holes asked for too, and a number that only comes late is not.
func TestWantHolesOfBusyLane(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, r *rig) {
		r.online(streamA)
		r.sendReadings(streamA, 1, 5)
		r.sendReadings(streamA, 11, 20)
		var wants []holdfast.Ranges
		for next := uint64(21); next < 81; next++ {
			time.Sleep(2 * time.Second)
			if next%10 == 5 {
				r.send(readings(streamA, next+1, next+1)) // overtakes its neighbour
			}
			for _, got := range r.send(readings(streamA, next, next)) {
				if len(got.Want) > 0 {
					wants = append(wants, got.Want)
				}
			}
		}
		if len(wants) < 2 || len(wants) > 3 {
			t.Errorf("asked %d times in two minutes, want 2 or 3: 30 to 60 s after the hole, then after 30 s, 60 s", len(wants))
		}
		for _, want := range wants {
			if !slices.Equal(want, holdfast.Ranges{{First: 6, Last: 10}}) {
				t.Errorf("wanted %v, want 6 to 10", want)
			}
		}
	})
}

// Where the device says that it owes nothing, what is missing at the end of a lane is asked for too: a database that was put
// back to an earlier state, and a lane in which nothing new shows it.
func TestWantWhatNobodyOwes(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, r *rig) {
		says := func(pending uint64) {
			payload, err := wire.Encode(&holdfast.Status{V: holdfast.Version, Online: true, Stream: streamA,
				Lanes: map[holdfast.Lane]holdfast.LaneStatus{holdfast.LaneTelemetry: {Head: 30, Pending: pending}}})
			if err != nil {
				t.Fatal(err)
			}
			r.publish(holdfast.Topics{}.Device(device, holdfast.TopicState), payload)
		}
		r.sendReadings(streamA, 1, 20)
		says(10)
		time.Sleep(100 * time.Second)
		synctest.Wait()
		if got := r.received(); len(got) > 0 {
			t.Errorf("asked for what is on its way: %s", text(got))
		}
		says(0)
		time.Sleep(55 * time.Second)
		synctest.Wait()
		if got := r.received(); len(got) != 1 || !slices.Equal(got[0].Want, holdfast.Ranges{{First: 21, Last: 30}}) {
			t.Errorf("receipts %s, want one that wants 21 to 30", text(got))
		}
	})
}

// Of a stream that is over everything up to its head is due, whether a boot event or the device's state told of it.
func TestWantOlderStream(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, r *rig) {
		r.online(streamB, holdfast.StreamStatus{Stream: streamA, Lanes: map[holdfast.Lane]holdfast.LaneStatus{
			holdfast.LaneTelemetry: {Head: 30, Pending: 12},
		}})
		r.sendReadings(streamA, 1, 18)
		got := r.after(45*time.Second, streamB)
		if len(got) != 1 || !slices.Equal(got[0].Want, holdfast.Ranges{{First: 19, Last: 30}}) {
			t.Errorf("receipts %s, want one that wants 19 to 30", text(got))
		}
	})
}

// A device that is offline is not asked. A last will of an earlier stream does not make it so; silence does.
func TestOffline(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, r *rig) {
		isOnline := func() bool {
			n, err := r.store.Online(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			return n == 1
		}
		r.online(streamA)
		r.sendReadings(streamA, 11, 20)
		r.publish("devices/pi-7/state", []byte(`{"v":1,"online":false,"stream":"`+streamB.String()+`"}`))
		if !isOnline() {
			t.Error("offline by the will of another stream")
		}
		r.publish("devices/pi-7/state", []byte(`{"v":1,"online":false,"stream":"`+streamA.String()+`"}`))
		if isOnline() {
			t.Error("online after its will")
		}
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		if got := r.received(); len(got) > 0 {
			t.Errorf("asked while offline: %s", text(got))
		}
		r.online(streamA)
		if !isOnline() {
			t.Error("offline after a birth")
		}
		time.Sleep(4 * time.Minute)
		synctest.Wait()
		if isOnline() {
			t.Error("online after four silent minutes")
		}
	})
}

// Guessed times get their true ones once an anchor is known, also those that come later; the guess is kept.
func TestRetime(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, r *rig) {
		guessedReading := func(seq uint64, boot string, mono int64) *holdfast.Batch {
			b := readings(streamA, seq, seq)
			b.Records[0] = encode(&holdfast.Reading{Time: time.Unix(int64(seq), 0).UTC(), Sensor: "bme280-1-76",
				Values: map[string]float64{"temperature_celsius": float64(seq)}, Clock: &holdfast.Clock{Boot: boot, Mono: mono}})
			return b
		}
		r.send(guessedReading(1, "boot-1", 5_000_000))
		r.send(guessedReading(2, "boot-2", 5_000_000)) // never anchored
		r.send(event(streamA, 1, holdfast.EventAnchor, moment(100), holdfast.Anchor{Boot: "boot-1", Mono: 10_000_000, UncertaintyUS: 1200}))
		time.Sleep(11 * time.Second)
		r.send(guessedReading(3, "boot-1", 6_500_000))
		time.Sleep(11 * time.Second)
		synctest.Wait()
		got := map[int]store.Sample{}
		for _, s := range r.samples() {
			got[int(s.Value)] = s
		}
		for seq, want := range map[int]time.Time{1: moment(95), 2: time.Unix(2, 0), 3: moment(96).Add(500 * time.Millisecond)} {
			if !got[seq].Time.Equal(want) {
				t.Errorf("sample %d at %v, want %v", seq, got[seq].Time, want)
			}
		}
		if guess := got[3].Original; !guess.Equal(time.Unix(3, 0)) || !got[2].Original.IsZero() {
			t.Errorf("original times %v and %v", guess, got[2].Original)
		}
	})
}

// A subscriber gets what is committed; one that does not read misses things, is told how many, and holds nobody up.
func TestLive(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, r *rig) {
		slow, cancelSlow := r.receiver.Subscribe("")
		defer cancelSlow()
		other, cancelOther := r.receiver.Subscribe("pi-8")
		defer cancelOther()
		r.sendReadings(streamA, 1, 300)
		for want := uint64(1); want <= liveQueue; want++ {
			if l := <-slow; l.Kind != LiveSample || l.Seq != want || l.Device != device {
				t.Fatalf("got %+v, want sample %d", l, want)
			}
		}
		r.sendReadings(streamA, 301, 301)
		if l := <-slow; l.Kind != LiveLagged || l.Dropped != 300-liveQueue {
			t.Errorf("got %+v, want word of %d missed", l, 300-liveQueue)
		}
		if l := <-slow; l.Seq != 301 {
			t.Errorf("got %+v, want sample 301", l)
		}
		if len(other) > 0 {
			t.Errorf("a subscriber of another device got %+v", <-other)
		}
	})
}

// Catalog, state and answers that are none become dead letters; the good ones are kept.
func TestStateAndCatalog(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, r *rig) {
		topics := holdfast.Topics{}
		for leaf, files := range map[string]string{
			holdfast.TopicState: "state_online.json", holdfast.TopicCatalog: "catalog.json", holdfast.TopicResponse: "result_succeeded.json",
		} {
			r.publish(topics.Device(device, leaf), golden(t, files))
			r.publish(topics.Device(device, leaf), []byte(`{"v":2}`))
		}
		if n := len(r.letters()); n != 3 {
			t.Errorf("%d dead letters, want 3: %+v", n, r.letters())
		}
		devices, err := r.store.Devices(t.Context(), "", 10)
		if err != nil || len(devices) != 1 || !devices[0].Online || len(devices[0].State) == 0 || len(devices[0].Catalog) == 0 {
			t.Fatalf("devices %+v, %v", devices, err)
		}
		series, err := r.store.Series(t.Context(), store.Query{Device: device}, 10)
		if err != nil || len(series) != 1 || series[0].Unit != "°C" {
			t.Errorf("series %+v, %v", series, err)
		}
		totals, err := r.store.Totals(t.Context(), device)
		if err != nil || NewTotals(totals[device]).Missing != 98000+97012 {
			t.Errorf("totals %+v, %v: want the heads that the state names", totals, err)
		}
	})
}

// What a state says of an earlier connection is kept by the broker; it does not count as being heard.
func TestRetainedIsNoNews(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, r *rig) {
		r.stop()
		state := mqtt.Message{Topic: "devices/pi-7/state", Retained: true, Payload: []byte(`{"v":1,"online":true,"stream":"` + streamA.String() + `"}`)}
		if err := r.gateway.Publish(t.Context(), state); err != nil {
			t.Fatal(err)
		}
		r.run()
		time.Sleep(4 * time.Minute)
		r.stop()
		r.run() // the broker says it again
		time.Sleep(11 * time.Second)
		synctest.Wait()
		if n, err := r.store.Online(t.Context()); err != nil || n != 0 {
			t.Errorf("%d online, %v: want none", n, err)
		}
	})
}
