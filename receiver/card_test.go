package receiver

import (
	"maps"
	"slices"
	"testing"
	"time"

	"holdfast"
	"holdfast/internal/proof"
	"holdfast/receiver/store"
	"holdfast/wire"
)

// state publishes a device's birth: the current stream, and how far the telemetry of each stream reaches.
func (r *rig) state(current holdfast.Stream, head uint64, older map[holdfast.Stream]uint64) {
	r.t.Helper()
	lane := func(head uint64) map[holdfast.Lane]holdfast.LaneStatus {
		return map[holdfast.Lane]holdfast.LaneStatus{holdfast.LaneTelemetry: {Head: head}}
	}
	st := &holdfast.Status{V: holdfast.Version, Online: true, Stream: current, Lanes: lane(head)}
	for id, head := range older {
		st.OlderStreams = append(st.OlderStreams, holdfast.StreamStatus{Stream: id, Lanes: lane(head)})
	}
	payload, err := wire.Encode(st)
	if err != nil {
		r.t.Fatal(err)
	}
	r.publish(holdfast.Topics{}.Device(device, holdfast.TopicState), payload)
}

// firstBoot is the boot event of a card that knows of nothing before.
func firstBoot(stream holdfast.Stream) *holdfast.Batch {
	return event(stream, 1, holdfast.EventBoot, moment(0), holdfast.Boot{Boot: "boot-1", Version: "1.2.0"})
}

// The card is lost with what it alone held. The new one says that there was nothing before it: the receiver states what it
// lacks of the old one's numbers, and from which number on nobody knows.
func TestCardLost(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, r *rig) {
		r.send(firstBoot(streamA))
		r.state(streamA, 20, nil)
		r.sendReadings(streamA, 1, 10)

		r.state(streamB, 0, nil)
		r.send(firstBoot(streamB))
		r.sendReadings(streamB, 1, 5)
		got := r.telemetry(streamA)
		want := Span{First: 11, Last: 20, State: string(holdfast.Dropped), Cause: CauseCardLost}
		if !slices.Equal(got.Ranges, []Span{want}) || got.Missing > 0 || got.Open == nil || *got.Open != (Open{21, CauseCardLost}) {
			t.Errorf("completeness %s, want 11 to 20 lost with the card, from 21 on unknown", text(got))
		}
		if got := r.telemetry(streamB); got.Data != 5 || got.Open != nil || len(got.Ranges) > 0 {
			t.Errorf("the new card: completeness %s", text(got))
		}
		time.Sleep(2 * time.Minute) // nobody is asked for what nobody has
		for _, receipt := range r.received() {
			if len(receipt.Want) > 0 && receipt.Stream == streamA {
				t.Errorf("wanted %s", text(receipt))
			}
		}

		// A batch that a broker had kept all the while is taken all the same.
		r.sendReadings(streamA, 11, 12)
		if got := r.telemetry(streamA); got.Data != 12 || got.Dropped != 8 || got.Open == nil {
			t.Errorf("after a late batch: completeness %s", text(got))
		}

		// The old card comes back into the Pi: nothing of it is lost.
		r.state(holdfast.Stream{0xcc}, 0, map[holdfast.Stream]uint64{streamA: 20})
		if got := r.telemetry(streamA); got.Missing != 8 || got.Dropped > 0 || got.Open != nil {
			t.Errorf("the card is back: completeness %s, want 13 to 20 missing", text(got))
		}
		r.sendReadings(streamA, 13, 20)
		if got := r.telemetry(streamA); got.Data != 20 || len(got.Ranges) > 0 {
			t.Errorf("in the end: completeness %s", text(got))
		}
		proof.Record(t, proof.Trial{Part: "Named counterexamples", Fault: "the card is lost, a new one comes, the old one comes back",
			Holds: "the receiver states what it lacks of the lost card, and from which number on nothing is known; what comes after all is taken", Tried: 1, Unit: "cards"})
	})
}

// A device says who it is before its first record is durable, and a power cut makes it forget that stream: it was none, and
// the next boot tells how the one before it ended. That one has a card whether the state comes first or the boot.
func TestCutBeforeTheFirstRecord(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, r *rig) {
		streamC, unborn := holdfast.Stream{0xcc}, holdfast.Stream{0xdd}
		r.send(firstBoot(streamA))
		r.sendReadings(streamA, 1, 10)
		r.state(streamB, 20, map[holdfast.Stream]uint64{streamA: 10})
		r.state(unborn, 0, map[holdfast.Stream]uint64{streamA: 10, streamB: 20})
		r.send(boot(streamB, streamA, true, 10))
		r.sendReadings(streamB, 1, 18)
		r.send(boot(streamC, streamB, false, 18))
		r.sendReadings(streamC, 1, 3)

		c, err := Complete(t.Context(), r.store, device)
		if err != nil {
			t.Fatal(err)
		}
		ends := make(map[string]string)
		for _, s := range c.Streams {
			ends[s.Stream] = s.Ended
		}
		want := map[string]string{streamA.String(): "clean", streamB.String(): "crash", streamC.String(): "running"}
		if !maps.Equal(ends, want) {
			t.Errorf("streams %v, want %v", ends, want)
		}
		if got := r.telemetry(streamB); got.Missing > 0 || got.Dropped != 2 {
			t.Errorf("the stream that was cut: completeness %s, want 19 and 20 lost by the crash", text(got))
		}
	})
}

// The very first boot of a card may arrive after later streams of the same card: no card is lost.
func TestFirstBootArrivesLate(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, r *rig) {
		streamC := holdfast.Stream{0xcc}
		r.state(streamC, 3, map[holdfast.Stream]uint64{streamA: 10, streamB: 20})
		r.send(firstBoot(streamA))
		r.send(boot(streamB, streamA, true, 10))
		r.send(boot(streamC, streamB, false, 20))
		r.sendReadings(streamA, 1, 10)
		r.sendReadings(streamB, 1, 20)
		r.sendReadings(streamC, 1, 3)
		c, err := Complete(t.Context(), r.store, device)
		if err != nil {
			t.Fatal(err)
		}
		if c.Totals.Data != c.Totals.Head {
			t.Errorf("completeness %s", text(c))
		}
		for _, s := range c.Streams {
			if s.Ended == "lost" {
				t.Errorf("stream %s is taken for lost", s.Stream)
			}
		}
	})
}

// A device gets another id, with a backlog under the old one: what it brings of the old stream waits at the device until
// an operator says that it is the same; then it is stored once, and what happened to the old stream's end counts.
func TestChangedID(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, r *rig) {
		r.sendReadings(streamA, 1, 10)
		const renamed = "pi-9"
		if err := r.gateway.Subscribe(t.Context(), holdfast.Topics{}.Device(renamed, holdfast.TopicReceipt)); err != nil {
			t.Fatal(err)
		}
		as := func(b *holdfast.Batch) *holdfast.Batch { b.Device = renamed; return b }
		r.send(as(boot(streamB, streamA, false, 20)))
		held := func(got []*holdfast.Receipt) bool { return len(got) == 1 && got[0].Hold && got[0].Stream == streamA }
		if got := r.send(as(readings(streamA, 11, 20))); !held(got) {
			t.Errorf("receipts %s, want the order to keep the stream", text(got))
		}
		if got := r.send(as(readings(streamB, 1, 5))); len(got) != 1 || got[0].Hold {
			t.Errorf("the new stream's receipts %s", text(got))
		}
		if letters := r.letters(); len(letters) != 1 || letters[0].Code != codeForeignStream || letters[0].Device != renamed {
			t.Errorf("dead letters %s", text(letters))
		}

		if err := r.receiver.Adopt(t.Context(), renamed, "pi-8"); err == nil {
			t.Error("a former id that nobody knows was accepted")
		}
		if err := r.receiver.Adopt(t.Context(), renamed, device); err != nil {
			t.Fatal(err)
		}
		got := r.send(as(readings(streamA, 8, 20)))
		if len(got) != 1 || got[0].Hold || !slices.Equal(got[0].Ranges, holdfast.Ranges{{First: 8, Last: 20}}) {
			t.Errorf("after the operator's word: receipts %s", text(got))
		}
		r.expectValues(20) // under the id that the stream began with
		if got := r.telemetry(streamA); got.Data != 20 || got.Open == nil || *got.Open != (Open{21, holdfast.CauseCrash}) {
			t.Errorf("completeness %s, want 20 here and a crash behind them", text(got))
		}
		proof.Record(t, proof.Trial{Part: "Named counterexamples", Fault: "a device gets another id, with a backlog under the old one",
			Holds: "new readings flow, the old stream waits on the card until an operator names the former id, then is stored once", Tried: 1, Unit: "devices"})
	})
}

// A device is suspended and registered again under its own id: it was told to keep its data, and nothing is missing.
func TestReRegistered(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, r *rig) {
		r.sendReadings(streamA, 1, 5)
		r.setStatus("suspended")
		if got := r.send(readings(streamA, 6, 9)); len(got) != 1 || !got[0].Hold || !got[0].Stream.IsZero() {
			t.Errorf("receipts %s, want hold", text(got))
		}
		r.setStatus("active")
		r.sendReadings(streamA, 6, 9)
		r.expectValues(9)
		if got := r.telemetry(streamA); got.Data != 9 || len(got.Ranges) > 0 {
			t.Errorf("completeness %s", text(got))
		}
		proof.Record(t, proof.Trial{Part: "Named counterexamples", Fault: "a device is suspended, then registered again",
			Holds: "it keeps its data meanwhile; all of it is stored once", Tried: 1, Unit: "devices"})
	})
}

// setStatus sets the device's status in the registry.
func (r *rig) setStatus(status string) {
	r.t.Helper()
	if err := r.store.Write(r.t.Context(), func(tx *store.Tx) error { return tx.SetStatus(device, status) }); err != nil {
		r.t.Fatal(err)
	}
}
