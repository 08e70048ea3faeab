package rules

import (
	"slices"

	"holdfast"
)

// A pane is a part of a window, as long as what the window moves on by: what was read in it.
type pane struct {
	Start int64 `json:"start"` // monotonic µs
	tally
}

// hops is what an aggregate over hopping windows remembers of one sensor. The windows share panes as long as one hop, which
// follow one another like tumbling windows. Each time a pane ends, a window ends with it: the one over the panes that began
// within its size. That goes on without readings for as long as a pane is left.
//
// After a reboot what was open comes out as one partial window, up to the last reading.
type hops struct {
	aggregate *aggregate
	needs     needs

	Open *window `json:"open,omitempty"` // the pane that fills
	tally
	Panes []pane  `json:"panes,omitempty"` // full ones, oldest first
	Past  *window `json:"past,omitempty"`  // the last that ended
	Grid  grid    `json:"grid,omitzero"`
}

func (h *hops) apply(o origin, r *holdfast.Reading, at holdfast.Instant) []holdfast.Record {
	if !h.aggregate.wants(r) {
		return nil
	}
	records := h.tick(o, at)
	if h.Open == nil {
		h.Open = h.Grid.open(h.aggregate.Every, at)
	}
	h.add(h.aggregate, h.needs, r, at.Mono)
	h.Open.Last = max(h.Open.Last, at.Mono)
	return records
}

// tick ends the windows that are over. There are at most as many as panes before nothing is left to tell.
func (h *hops) tick(o origin, at holdfast.Instant) []holdfast.Record {
	var records []holdfast.Record
	if h.Open != nil && at.Mono >= h.Open.End {
		records = h.end(o, h.Open, h.Open.whole(at))
	}
	for range maxHops {
		if h.Open != nil || len(h.Panes) == 0 || h.Past == nil || at.Mono < h.Past.End+h.aggregate.Every.Microseconds() {
			return records
		}
		next := h.Past.behind(h.aggregate.Every)
		records = append(records, h.end(o, next, next.whole(at))...)
	}
	h.Panes, h.Past = nil, nil // of a damaged checkpoint
	return records
}

// end makes the record of the window that ends with pane w, and forgets the panes that no later window holds.
func (h *hops) end(o origin, w *window, b bounds) []holdfast.Record {
	if h.Count > 0 {
		h.shrink()
		h.Panes = append(h.Panes, pane{w.Start, h.tally})
	}
	h.Grid.closed(w, b.partial)
	h.Open, h.Past, h.tally = nil, w, tally{}
	size := h.aggregate.Window
	h.Panes = slices.DeleteFunc(h.Panes, func(p pane) bool { return p.Start < w.End-size.Microseconds() })
	records := union(h.Panes, h.needs).records(h.aggregate, o, b.reaching(size))
	later := w.End + h.aggregate.Every.Microseconds() - size.Microseconds()
	h.Panes = slices.DeleteFunc(h.Panes, func(p pane) bool { return p.Start < later })
	if len(h.Panes) == 0 {
		h.Past = nil
	}
	return records
}

func (h *hops) reboot(o origin, at holdfast.Instant) []holdfast.Record {
	var records []holdfast.Record
	if h.Open != nil {
		records = h.end(o, h.Open, h.Open.part(at))
	}
	h.Panes, h.Past = nil, nil
	return records
}

func (h *hops) retire(o origin, at holdfast.Instant) []holdfast.Record { return h.reboot(o, at) }

// union is what all panes hold together.
func union(panes []pane, n needs) *tally {
	var all tally
	for i := range panes {
		all.merge(&panes[i].tally, n)
	}
	return &all
}
