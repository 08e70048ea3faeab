package receiver

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"holdfast"
	"holdfast/internal/proof"
	"holdfast/mqtt"
	"holdfast/receiver/store"
	"holdfast/wire"
)

func TestMain(m *testing.M) {
	flag.Parse()
	flag.Set("rapid.nofailfile", "true") // the seed is printed; the tree stays as it is
	os.Exit(m.Run())
}

// The model: what the receiver must hold of each number of each stream of a device. The messages are those that gateways
// send, in any order, twice, overlapping, with heads that run ahead; they go through the decoder into a real database. The
// transaction fails now and then, and the database is closed and opened again. After each step the ledger, the lists of
// losses and gaps and the stored values are compared with the model.

// A fate is what became of a number.
type fate struct {
	state holdfast.What
	cause holdfast.Cause
}

var crashed = fate{holdfast.Dropped, holdfast.CauseCrash}

type ledgerStream struct {
	id      holdfast.Stream
	fates   map[uint64]fate
	head    uint64
	ended   string
	durable uint64 // newest number that was durable at a crash
}

type ledgerModel struct {
	device  string
	path    string
	store   **store.Store // shared by all runs of the model
	streams []*ledgerStream
	sent    []*holdfast.Batch
	steps   *int
}

// most is the highest number of a stream of the model.
const most = 40

// put sends messages in one transaction, which fails where fail is set.
func (m *ledgerModel) put(t *rapid.T, fail bool, batches ...*holdfast.Batch) {
	failure := errors.New("the disk is full")
	err := (*m.store).Write(t.Context(), func(tx *store.Tx) error {
		w := &writer{Tx: tx, now: moment(0), fresh: store.StatusActive, outcome: outcome{stored: make(map[holdfast.What]uint64)}}
		for _, b := range batches {
			payload, err := wire.EncodeBatch(b, false)
			if err != nil {
				return err
			}
			d := read(holdfast.Topics{}, mqtt.Message{Topic: holdfast.Topics{}.Batch(m.device, b.Lane), Payload: payload}, moment(0))
			if err := w.put(d); err != nil {
				return err
			}
			m.receipted(t, &w.outcome, b)
		}
		if fail {
			return failure
		}
		return nil
	})
	if fail && !errors.Is(err, failure) || !fail && err != nil {
		t.Fatal(err)
	}
}

// receipted expects the newest receipt to be for the whole batch: a device must be able to let it go.
func (m *ledgerModel) receipted(t *rapid.T, out *outcome, b *holdfast.Batch) {
	if n := len(out.receipts); n == 0 || out.receipts[n-1].Stream != b.Stream || !out.receipts[n-1].Ranges.Covers(b.Range()) || out.receipts[n-1].Hold {
		t.Fatalf("%d to %d of %s: receipts %s", b.First, b.Last, b.Stream, text(out.receipts))
	}
}

// batch draws a statement about a stream's telemetry.
func (m *ledgerModel) batch(t *rapid.T) *holdfast.Batch {
	n := rapid.IntRange(0, len(m.streams)-1).Draw(t, "stream")
	first := rapid.Uint64Range(1, most).Draw(t, "first")
	last := min(most, first+rapid.Uint64Range(0, 15).Draw(t, "more"))
	b := &holdfast.Batch{
		V: holdfast.Version, Device: m.device, Stream: m.streams[n].id, Lane: holdfast.LaneTelemetry, First: first, Last: last,
		Head: min(most, last+rapid.SampledFrom([]uint64{0, 0, 3}).Draw(t, "ahead")),
		What: rapid.SampledFrom([]holdfast.What{holdfast.Data, holdfast.Data, holdfast.Data, holdfast.Thin, holdfast.Dropped, holdfast.Rejected}).Draw(t, "what"),
	}
	switch b.What {
	case holdfast.Data:
		for seq := first; seq <= last; seq++ {
			record := encode(&holdfast.Reading{Time: moment(seq), Sensor: "a", Values: map[string]float64{"x_count": float64(1000*n) + float64(seq)}})
			if rapid.IntRange(0, 9).Draw(t, "invalid") == 0 {
				record = json.RawMessage(`{"sensor":"BAD NAME"}`)
			}
			b.Records = append(b.Records, record)
		}
	case holdfast.Thin:
		b.Records = append(b.Records, encode(&holdfast.Thinned{
			Sensor: "a", From: moment(first), To: moment(last + 1), Values: map[string]holdfast.Summary{"x_count": {Min: 1, Max: 2, Mean: 1.5, Count: 9}},
		}))
	default:
		b.Cause = rapid.SampledFrom([]holdfast.Cause{holdfast.CauseFull, holdfast.CauseCorrupt, holdfast.CauseCrash, holdfast.CauseTooLarge}).Draw(t, "cause")
	}
	return b
}

// apply does in the model what a statement does.
func (m *ledgerModel) apply(b *holdfast.Batch) {
	s := m.streams[slices.IndexFunc(m.streams, func(s *ledgerStream) bool { return s.id == b.Stream })]
	for seq := b.First; seq <= b.Last; seq++ {
		f := fate{b.What, b.Cause}
		if b.What == holdfast.Data {
			if _, err := holdfast.DecodeRecord(b.Lane, b.Records[seq-b.First]); err != nil {
				f = fate{holdfast.Rejected, CauseInvalid}
			}
		}
		brings := f.state == holdfast.Data || f.state == holdfast.Thin
		if held, ok := s.fates[seq]; !ok || held == crashed && brings {
			s.fates[seq] = f
		}
	}
	s.head = max(s.head, b.Head)
	s.presume()
}

// presume: what lies between the newest durable number of a stream that crashed and the highest that anybody saw is lost.
func (s *ledgerStream) presume() {
	if s.ended != store.EndedCrash {
		return
	}
	for seq := s.durable + 1; seq <= s.head; seq++ {
		if _, ok := s.fates[seq]; !ok {
			s.fates[seq] = crashed
		}
	}
}

// State sends one to three statements in one transaction.
func (m *ledgerModel) State(t *rapid.T) {
	var batches []*holdfast.Batch
	for range rapid.IntRange(1, 3).Draw(t, "batches") {
		batches = append(batches, m.batch(t))
	}
	m.put(t, false, batches...)
	for _, b := range batches {
		m.apply(b)
	}
	m.sent = append(m.sent, batches...)
}

// Again sends what was sent before.
func (m *ledgerModel) Again(t *rapid.T) {
	if len(m.sent) == 0 {
		return
	}
	b := rapid.SampledFrom(m.sent).Draw(t, "sent")
	m.put(t, false, b)
	m.apply(b)
}

// Fail sends a statement whose transaction does not come through.
func (m *ledgerModel) Fail(t *rapid.T) { m.put(t, true, m.batch(t)) }

// Boot begins a stream, which tells how the one before it ended. Boot events of earlier streams come again too.
func (m *ledgerModel) Boot(t *rapid.T) {
	if len(m.streams) > 3 {
		return
	}
	last := m.streams[len(m.streams)-1]
	clean := rapid.Bool().Draw(t, "clean")
	durable := rapid.Uint64Range(0, most).Draw(t, "durable")
	next := &ledgerStream{id: holdfast.NewStream(), fates: map[uint64]fate{}}
	m.streams = append(m.streams, next)
	for range rapid.IntRange(1, 2).Draw(t, "times") {
		b := boot(next.id, last.id, clean, durable)
		b.V, b.Device, b.Head = holdfast.Version, m.device, 1
		m.put(t, false, b)
	}
	last.ended, last.durable = store.EndedCrash, durable
	if clean {
		last.ended = store.EndedClean
	}
	last.head = max(last.head, durable)
	last.presume()
}

// Reopen closes the database and opens it again.
func (m *ledgerModel) Reopen(t *rapid.T) {
	if rapid.IntRange(0, 29).Draw(t, "rarely") > 0 {
		return
	}
	if err := (*m.store).Close(); err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(context.WithoutCancel(t.Context()), store.Options{Path: m.path})
	if err != nil {
		t.Fatal(err)
	}
	*m.store = s
}

// Check compares the database with the model.
func (m *ledgerModel) Check(t *rapid.T) {
	*m.steps++
	complete, err := Complete(t.Context(), *m.store, m.device)
	if err != nil {
		t.Fatal(err)
	}
	streams, err := (*m.store).Streams(t.Context(), m.device, 10)
	if err != nil {
		t.Fatal(err)
	}
	var want []int
	for n, s := range m.streams {
		want = append(want, m.checkStream(t, n, s, streams, complete)...)
	}
	series, err := (*m.store).Series(t.Context(), store.Query{Device: m.device}, 10)
	if err != nil {
		t.Fatal(err)
	}
	var got []int
	for _, one := range series {
		samples, err := (*m.store).Samples(t.Context(), one.ID, time.Unix(0, 0), moment(1e6), store.Place{}, 10000)
		if err != nil {
			t.Fatal(err)
		}
		for _, sample := range samples {
			got = append(got, int(sample.Value))
		}
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Fatalf("stored values %v, want %v", got, want)
	}
}

// checkStream compares one stream, and returns the values that must be stored of it.
func (m *ledgerModel) checkStream(t *rapid.T, n int, s *ledgerStream, streams []store.Stream, complete *Completeness) (values []int) {
	var intervals []store.Interval
	for seq := uint64(1); seq <= most; seq++ {
		if f, ok := s.fates[seq]; ok {
			cause := f.cause
			if f.state == holdfast.Thin || f.state == holdfast.Data {
				cause = ""
			}
			intervals = append(intervals, span(seq, seq, f.state, cause))
			if f.state == holdfast.Data {
				values = append(values, 1000*n+int(seq))
			}
		}
	}
	intervals = coalesce(intervals)
	want := account(intervals, s.head)
	got := LaneCompleteness{Ranges: []Span{}}
	for _, one := range complete.Streams {
		for _, lane := range one.Lanes {
			if one.Stream == s.id.String() && lane.Lane == holdfast.LaneTelemetry {
				got = lane
			}
		}
	}
	if got.Totals != want.Totals || !slices.Equal(got.Ranges, want.Ranges) {
		t.Fatalf("stream %d (%s, durable %d): %s, want %s", n, s.ended, s.durable, text(got), text(want))
	}
	for _, known := range streams {
		if known.ID != s.id {
			continue
		}
		held, err := (*m.store).Intervals(t.Context(), known.N, holdfast.LaneTelemetry)
		if err != nil || !slices.Equal(held, intervals) {
			t.Fatalf("stream %d: ledger %v, %v, want %v", n, held, err, intervals)
		}
	}
	return values
}

func TestLedgerModel(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "receiver.db")
	s, err := store.Open(t.Context(), store.Options{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { s.Close() }()
	runs, steps := 0, 0
	defer func() { // also where the model fails
		proof.Record(t, proof.Trial{
			Part: "Models", Fault: "statements in any order, twice, overlapping, invalid; crashes; failed transactions; restarts of the receiver",
			Holds: "ledger, completeness and stored values are those of a map from number to fate, after each step", Tried: runs, Unit: "runs", Failed: map[bool]int{true: 1}[t.Failed()],
			Note: fmt.Sprintf("%d steps compared", steps),
		})
	}()
	rapid.Check(t, func(t *rapid.T) {
		if testing.Short() && runs == 10 {
			return // a database takes its time
		}
		runs++
		m := &ledgerModel{device: fmt.Sprint("model-", runs), path: path, store: &s, steps: &steps,
			streams: []*ledgerStream{{id: holdfast.NewStream(), fates: map[uint64]fate{}}}}
		t.Repeat(rapid.StateMachineActions(m))
	})
}
