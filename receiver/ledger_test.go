package receiver

import (
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"holdfast"
	"holdfast/internal/proof"
	"holdfast/receiver/store"
)

func span(first, last uint64, state holdfast.What, cause holdfast.Cause) store.Interval {
	return store.Interval{Range: holdfast.Range{First: first, Last: last}, State: state, Cause: cause}
}

func data(first, last uint64) store.Interval { return span(first, last, holdfast.Data, "") }

func TestSettle(t *testing.T) {
	t.Parallel()
	crash := func(first, last uint64) store.Interval {
		return span(first, last, holdfast.Dropped, holdfast.CauseCrash)
	}
	full := func(first, last uint64) store.Interval {
		return span(first, last, holdfast.Dropped, holdfast.CauseFull)
	}
	for _, test := range []struct {
		name         string
		held, stated []store.Interval
		added        holdfast.Ranges
		want         []store.Interval // the ledger afterwards
	}{
		{"first", nil, []store.Interval{data(1, 10)}, holdfast.Ranges{{First: 1, Last: 10}}, []store.Interval{data(1, 10)}},
		{"next", []store.Interval{data(1, 10)}, []store.Interval{data(11, 20)}, holdfast.Ranges{{First: 11, Last: 20}}, []store.Interval{data(1, 20)}},
		{"before", []store.Interval{data(11, 20)}, []store.Interval{data(1, 10)}, holdfast.Ranges{{First: 1, Last: 10}}, []store.Interval{data(1, 20)}},
		{"again", []store.Interval{data(1, 20)}, []store.Interval{data(5, 10)}, nil, []store.Interval{data(1, 20)}},
		{"overlap", []store.Interval{data(1, 10)}, []store.Interval{data(5, 15)}, holdfast.Ranges{{First: 11, Last: 15}}, []store.Interval{data(1, 15)}},
		{"round a hole", []store.Interval{data(1, 3), data(7, 9)}, []store.Interval{data(1, 9)}, holdfast.Ranges{{First: 4, Last: 6}}, []store.Interval{data(1, 9)}},
		{"a loss stays lost", []store.Interval{full(1, 10)}, []store.Interval{data(1, 12)}, holdfast.Ranges{{First: 11, Last: 12}},
			[]store.Interval{full(1, 10), data(11, 12)}},
		{"data stays data", []store.Interval{data(4, 6)}, []store.Interval{full(1, 10)}, holdfast.Ranges{{First: 1, Last: 3}, {First: 7, Last: 10}},
			[]store.Interval{full(1, 3), data(4, 6), full(7, 10)}},
		{"causes are kept apart", []store.Interval{full(1, 3)}, []store.Interval{crash(4, 6)}, holdfast.Ranges{{First: 4, Last: 6}},
			[]store.Interval{full(1, 3), crash(4, 6)}},
		{"an inferred loss gives way to data", []store.Interval{data(1, 3), crash(4, 9)}, []store.Interval{data(4, 6)}, holdfast.Ranges{{First: 4, Last: 6}},
			[]store.Interval{data(1, 6), crash(7, 9)}},
		{"but not to another loss", []store.Interval{crash(4, 9)}, []store.Interval{full(4, 10)}, holdfast.Ranges{{First: 10, Last: 10}},
			[]store.Interval{crash(4, 9), full(10, 10)}},
		{"a rejected record among data", nil, []store.Interval{data(1, 2), span(3, 3, holdfast.Rejected, CauseInvalid), data(4, 5)},
			holdfast.Ranges{{First: 1, Last: 5}}, []store.Interval{data(1, 2), span(3, 3, holdfast.Rejected, CauseInvalid), data(4, 5)}},
	} {
		added, out, in := settle(test.held, test.stated, false)
		if !slices.Equal(added, test.added) {
			t.Errorf("%s: added %v, want %v", test.name, added, test.added)
		}
		if got := change(test.held, out, in); !slices.Equal(got, test.want) {
			t.Errorf("%s: ledger %v, want %v", test.name, got, test.want)
		}
		if len(test.added) == 0 && len(out)+len(in) > 0 {
			t.Errorf("%s: nothing is new, and yet out %v, in %v", test.name, out, in)
		}
	}
}

// change does to a ledger what the database is told to.
func change(ledger, out, in []store.Interval) []store.Interval {
	left := without(ledger, out)
	return coalesceNothing(append(left, in...))
}

// coalesceNothing sorts only: what touches must have been joined already.
func coalesceNothing(all []store.Interval) []store.Interval {
	slices.SortFunc(all, func(a, b store.Interval) int { return int(a.First) - int(b.First) })
	return all
}

// window returns what the database gives settle to look at: what lies in r, and what touches it.
func window(ledger []store.Interval, r holdfast.Range) []store.Interval {
	var out []store.Interval
	for _, i := range ledger {
		if i.Last+1 >= r.First && i.First <= r.Last+1 {
			out = append(out, i)
		}
	}
	return out
}

// Whatever is stated, in whatever order, the ledger is what a map from number to fate would be, in the fewest intervals.
func TestLedgerIsASet(t *testing.T) {
	t.Parallel()
	fates := []fate{
		{holdfast.Data, ""}, {holdfast.Data, ""}, {holdfast.Thin, ""}, {holdfast.Dropped, holdfast.CauseFull},
		{holdfast.Dropped, holdfast.CauseCrash}, {holdfast.Dropped, CauseCardLost}, {holdfast.Rejected, CauseInvalid},
	}
	const head = 60
	runs := 0
	defer func() { // also where the model fails
		proof.Record(t, proof.Trial{
			Part: "Models", Fault: "the ledger alone: up to 25 statements of all states, in any order, inferred losses and replays among them",
			Holds: "it is a map from number to fate, in the fewest intervals", Tried: runs, Unit: "runs", Failed: map[bool]int{true: 1}[t.Failed()],
		})
	}()
	rapid.Check(t, func(t *rapid.T) {
		runs++
		var ledger []store.Interval
		model := map[uint64]fate{}
		for range rapid.IntRange(1, 25).Draw(t, "statements") {
			first := rapid.Uint64Range(1, head).Draw(t, "first")
			last := min(head, first+rapid.Uint64Range(0, 20).Draw(t, "more"))
			var stated []store.Interval
			for seq := first; seq <= last; {
				end := min(last, seq+rapid.Uint64Range(0, 10).Draw(t, "run"))
				f := rapid.SampledFrom(fates).Draw(t, "fate")
				stated = append(stated, span(seq, end, f.state, f.cause))
				seq = end + 1
			}
			var news holdfast.Ranges
			replay := rapid.IntRange(0, 4).Draw(t, "replay") == 0
			for _, s := range stated {
				for seq := s.First; seq <= s.Last; seq++ {
					old, held := model[seq]
					brings := s.State == holdfast.Data || s.State == holdfast.Thin
					weak := old == crashed || old == fate{holdfast.Dropped, CauseCardLost} || replay && old == fate{holdfast.Rejected, CauseInvalid}
					if !held || brings && weak {
						model[seq] = fate{s.State, s.Cause}
						news.Add(holdfast.Range{First: seq, Last: seq})
					}
				}
			}
			added, out, in := settle(window(ledger, holdfast.Range{First: first, Last: last}), stated, replay)
			if !slices.Equal(added, news) {
				t.Fatalf("added %v, want %v", added, news)
			}
			ledger = change(ledger, out, in)
			var want []store.Interval
			for seq := uint64(1); seq <= head; seq++ {
				if f, ok := model[seq]; ok {
					want = append(want, span(seq, seq, f.state, f.cause))
				}
			}
			if want = coalesce(want); !slices.Equal(ledger, want) {
				t.Fatalf("ledger %v, want %v", ledger, want)
			}
		}
		checkAccount(t, ledger, head)
	})
}

// checkAccount expects the counts of an account to be those of its ranges, and to add up to the head.
func checkAccount(t *rapid.T, ledger []store.Interval, head uint64) {
	c := account(ledger, head)
	if sum := c.Data + c.Thinned + c.Dropped + c.Rejected + c.Missing; c.Head != head || sum != head {
		t.Fatalf("head %d, sum %d, want %d twice", c.Head, sum, head)
	}
	lacking := holes(ledger, head, 1000)
	var listed holdfast.Ranges
	for _, s := range c.Ranges {
		if s.State == missing {
			listed.Add(holdfast.Range{First: s.First, Last: s.Last})
		}
	}
	if !slices.Equal(listed, lacking) || lacking.Count() != c.Missing {
		t.Fatalf("missing %d: listed %v, holes %v", c.Missing, listed, lacking)
	}
}

func TestAccount(t *testing.T) {
	t.Parallel()
	held := []store.Interval{
		span(3, 10, holdfast.Dropped, holdfast.CauseFull), data(11, 20), span(30, 30, holdfast.Rejected, CauseInvalid), data(31, 40),
	}
	want := LaneCompleteness{
		Totals: Totals{Head: 50, Data: 20, Dropped: 8, Rejected: 1, Missing: 2 + 9 + 10},
		Ranges: []Span{
			{First: 1, Last: 2, State: missing},
			{First: 3, Last: 10, State: "dropped", Cause: holdfast.CauseFull},
			{First: 21, Last: 29, State: missing},
			{First: 30, Last: 30, State: "rejected", Cause: CauseInvalid},
			{First: 41, Last: 50, State: missing},
		},
	}
	if got := account(held, 50); !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if got, want := holes(held, 35, 1), (holdfast.Ranges{{First: 1, Last: 2}}); !slices.Equal(got, want) {
		t.Errorf("one hole up to 35: got %v, want %v", got, want)
	}
}
