package uplink

import (
	"slices"
	"testing"
	"time"

	"holdfast"
	"holdfast/internal/testenv"
	"holdfast/mqtt"
)

// A target that has not proven itself changes nothing that lasts; its first receipt makes its binding last, and only then is
// everything offered again. Going back before that costs nothing.
func TestUnprovenTarget(t *testing.T) {
	bubble(t, func(t *testing.T, broker *testenv.Broker) {
		r := newReceiver(t, broker, "cloud", store)
		r.start("1")
		other := testenv.MemoryBroker(t)
		r2 := newReceiver(t, other, "cloud", store2)
		r2.silence(true)
		r2.start("1")
		q := newTable(stream)
		q.fill(holdfast.LaneTelemetry, 500)
		g := start(t, broker, q, nil)
		settled()
		bound, again := []Binding{{store, "cloud"}}, q.again
		candidate := Target{Broker: mqtt.Options{Dial: other.Dial}, First: store2, Bound: bound[0], Unproven: true}
		unchanged := func(when string) {
			t.Helper()
			if got := g.bindings(); !slices.Equal(got, bound) || q.again != again {
				t.Errorf("%s: bindings %v, offered again %d times", when, got, q.again-again)
			}
		}

		g.Retarget(candidate)
		q.fill(holdfast.LaneTelemetry, 100)
		time.Sleep(time.Minute)
		unchanged("without a receipt")
		if s := g.Status(); !s.Up || s.Store != store2 || q.pending(holdfast.LaneTelemetry) != 100 {
			t.Errorf("%d pending, status %+v", q.pending(holdfast.LaneTelemetry), s)
		}
		g.Retarget(Target{Broker: mqtt.Options{Dial: broker.Dial}, Bound: bound[0]})
		settled()
		unchanged("back")
		if q.pending(holdfast.LaneTelemetry) != 0 || r.holds(holdfast.LaneTelemetry) != 600 {
			t.Errorf("back: %d pending, %d stored", q.pending(holdfast.LaneTelemetry), r.holds(holdfast.LaneTelemetry))
		}

		freed := 0
		candidate.Freed = func(holdfast.Stream, holdfast.Lane, holdfast.Ranges) { freed++ }
		r2.silence(false)
		q.fill(holdfast.LaneTelemetry, 1)
		g.Retarget(candidate)
		settled()
		settled()
		if got := g.bindings(); len(got) != 2 || got[1].Store != store2 || q.again != again+1 || freed == 0 {
			t.Errorf("proven: bindings %v, offered again %d times, freed %d times", got, q.again-again, freed)
		}
		if r2.holds(holdfast.LaneTelemetry) != 601 || q.pending(holdfast.LaneTelemetry) != 0 {
			t.Errorf("proven: %d stored, %d pending", r2.holds(holdfast.LaneTelemetry), q.pending(holdfast.LaneTelemetry))
		}

		// Back again, as after a kill between the binding and the word that the target has proven itself.
		g.Retarget(Target{Broker: mqtt.Options{Dial: broker.Dial}, Bound: bound[0]})
		q.fill(holdfast.LaneTelemetry, 1)
		settled()
		if got := g.bindings(); len(got) != 3 || got[2] != bound[0] || q.again != again+2 || r.holds(holdfast.LaneTelemetry) != 602 {
			t.Errorf("back once more: bindings %v, %d stored", got, r.holds(holdfast.LaneTelemetry))
		}
	})
}
