package receiver

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"holdfast"
	"holdfast/internal/proof"
)

// counter publishes what came of a story that an expert would tell against the promise.
func counter(t *testing.T, trial proof.Trial) {
	t.Helper()
	trial.Part = "Named counterexamples"
	if t.Failed() {
		trial.Failed = 1
	}
	proof.Record(t, trial)
}

// Batches are cut anywhere, come in any order, overlap and come again: every number is stored once, and every batch gets
// its receipt.
func TestCounterexampleOverlappingDuplicatedReordered(t *testing.T) {
	t.Parallel()
	const numbers = 500
	seed := proof.Count(t, "HOLDFAST_SEED", int(time.Now().UnixNano()%1e6))
	batches := proof.Count(t, "HOLDFAST_BATCHES", 200)
	bubble(t, func(t *testing.T, r *rig) {
		rng := rand.New(rand.NewPCG(uint64(seed), 0))
		send := func(first uint64) {
			r.sendReadings(streamA, first, min(first+rng.Uint64N(60), numbers))
		}
		for range batches {
			send(1 + rng.Uint64N(numbers))
		}
		for _, first := range rng.Perm(numbers / 10) { // what chance left out
			r.sendReadings(streamA, uint64(first)*10+1, uint64(first)*10+10)
		}
		r.expectValues(numbers)
		if got := r.telemetry(streamA); got.Head != numbers || got.Data != numbers || len(got.Ranges) > 0 {
			t.Errorf("completeness %s", text(got))
		}
	})
	counter(t, proof.Trial{Fault: "batches overlap, are repeated and come in any order", Holds: "every number is stored once, every batch is receipted",
		Tried: batches + numbers/10, Unit: "batches", Seed: fmt.Sprint(seed)})
}

// A statement about a range of which the ledger has a part: what is held stays, the rest is what the statement says. What
// comes after a statement of the device itself changes nothing any more.
func TestCounterexampleStatementAboutWhatIsHeld(t *testing.T) {
	t.Parallel()
	stated := 0
	for _, what := range []holdfast.What{holdfast.Dropped, holdfast.Thin, holdfast.Rejected} {
		bubble(t, func(t *testing.T, r *rig) {
			r.sendReadings(streamA, 4, 6)
			r.sendReadings(streamA, 9, 12)
			b := &holdfast.Batch{Stream: streamA, Lane: holdfast.LaneTelemetry, First: 1, Last: 10, What: what}
			span := Span{State: string(what)}
			switch what {
			case holdfast.Dropped:
				b.Cause = holdfast.CauseFull
			case holdfast.Rejected:
				b.Cause = holdfast.CauseTooLarge
			case holdfast.Thin:
				b.Records = append(b.Records, encode(&holdfast.Thinned{Sensor: "bme280-1-76", From: moment(1), To: moment(10),
					Values: map[string]holdfast.Summary{"temperature_celsius": {Min: 1, Max: 10, Mean: 5.5, Count: 10}}}))
			}
			span.Cause = b.Cause
			for range 2 {
				got := r.send(b)
				stated++
				if len(got) != 1 || !slices.Equal(got[0].Ranges, holdfast.Ranges{{First: 1, Last: 10}}) {
					t.Errorf("%s: receipts %s", what, text(got))
				}
			}
			r.sendReadings(streamA, 1, 12) // too late: the device itself said what became of them
			var values []int
			for _, s := range r.samples() {
				values = append(values, int(s.Value))
			}
			if want := []int{4, 5, 6, 9, 10, 11, 12}; !slices.Equal(values, want) {
				t.Errorf("%s: stored %v, want %v", what, values, want)
			}
			first, second := span, span
			first.First, first.Last, second.First, second.Last = 1, 3, 7, 8
			if got := r.telemetry(streamA); got.Head != 12 || got.Data != 7 || !slices.Equal(got.Ranges, []Span{first, second}) {
				t.Errorf("%s: completeness %s", what, text(got))
			}
		})
	}
	counter(t, proof.Trial{Fault: "a dropped, thinned or rejected range of which the ledger has a part", Holds: "what is held stays, the rest is listed, and is final",
		Tried: stated, Unit: "statements"})
}
