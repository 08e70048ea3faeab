package receiver

import (
	"cmp"
	"slices"

	"holdfast"
	"holdfast/receiver/store"
)

// CauseInvalid is the cause of numbers that the receiver itself set aside: their records were not valid.
const CauseInvalid holdfast.Cause = "invalid"

// settle says how a lane's ledger changes with a statement: added are the numbers that the statement newly settles, out and
// in the intervals to take out of the ledger and to put in. held is what the ledger has within the statement's range and right
// beside it; both lists ascend.
//
// What the ledger holds stays as it is, with one exception: a loss by crash or with a card is an inference from heads that
// somebody saw, and gives way when the records themselves arrive after all. In a replay, so does what the receiver itself
// had set aside.
func settle(held, stated []store.Interval, replay bool) (added holdfast.Ranges, out, in []store.Interval) {
	var firm, all holdfast.Ranges
	for _, h := range held {
		all.Add(h.Range)
		if !inferred(h) && !(replay && setAside(h)) {
			firm.Add(h.Range)
		}
	}
	var settled []store.Interval
	for _, s := range stated {
		blocked := all
		if s.State == holdfast.Data || s.State == holdfast.Thin {
			blocked = firm
		}
		for _, r := range blocked.Missing(s.Range) {
			added.Add(r)
			settled = append(settled, store.Interval{Range: r, State: s.State, Cause: s.Cause})
		}
	}
	for _, h := range held {
		for _, r := range added.Missing(h.Range) {
			settled = append(settled, store.Interval{Range: r, State: h.State, Cause: h.Cause})
		}
	}
	settled = coalesce(settled)
	return added, without(held, settled), without(settled, held)
}

func inferred(i store.Interval) bool {
	return i.State == holdfast.Dropped && (i.Cause == holdfast.CauseCrash || i.Cause == CauseCardLost)
}

// setAside reports whether the receiver itself has set the numbers aside.
func setAside(i store.Interval) bool {
	return i.State == holdfast.Rejected && i.Cause == CauseInvalid
}

// coalesce sorts intervals and joins those that touch and say the same.
func coalesce(intervals []store.Interval) []store.Interval {
	slices.SortFunc(intervals, func(a, b store.Interval) int { return cmp.Compare(a.First, b.First) })
	var out []store.Interval
	for _, i := range intervals {
		if n := len(out) - 1; n >= 0 && out[n].Last+1 == i.First && out[n].State == i.State && out[n].Cause == i.Cause {
			out[n].Last = i.Last
			continue
		}
		out = append(out, i)
	}
	return out
}

// without returns the intervals of a that are not in b.
func without(a, b []store.Interval) []store.Interval {
	known := make(map[store.Interval]bool, len(b))
	for _, i := range b {
		known[i] = true
	}
	return slices.DeleteFunc(slices.Clone(a), func(i store.Interval) bool { return known[i] })
}

// account is a lane's completeness: set arithmetic on [1, head] over the whole ledger of the lane, ascending.
func account(held []store.Interval, head uint64) LaneCompleteness {
	c := LaneCompleteness{Ranges: []Span{}}
	if n := len(held); n > 0 {
		head = max(head, held[n-1].Last)
	}
	c.Head = head
	next := uint64(1)
	miss := func(to uint64) {
		if to >= next {
			c.add(Span{First: next, Last: to, State: missing})
		}
	}
	for _, h := range held {
		miss(h.First - 1)
		c.add(Span{First: h.First, Last: h.Last, State: string(h.State), Cause: h.Cause})
		next = h.Last + 1
	}
	miss(head)
	return c
}

// holes returns the numbers of [1, limit] that the ledger does not have, the first most of them.
func holes(held []store.Interval, limit uint64, most int) holdfast.Ranges {
	if limit == 0 {
		return nil
	}
	var have holdfast.Ranges
	for _, h := range held {
		have.Add(h.Range)
	}
	lacking := have.Missing(holdfast.Range{First: 1, Last: limit})
	return lacking[:min(len(lacking), most)]
}
