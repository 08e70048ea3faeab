package rules

import "holdfast"

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
	Panes panes   `json:"panes,omitzero"`
	Past  *window `json:"past,omitempty"` // the pane that ended last
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
		if h.Open != nil || h.Panes.empty() || h.Past == nil || at.Mono < h.Past.End+h.aggregate.Every.Microseconds() {
			return records
		}
		next := h.Past.behind(h.aggregate.Every)
		records = append(records, h.end(o, next, next.whole(at))...)
	}
	h.Panes, h.Past = panes{}, nil // of a damaged checkpoint
	return records
}

// end makes the record of the window that ends with pane w, and forgets the panes that no later window holds.
func (h *hops) end(o origin, w *window, b bounds) []holdfast.Record {
	if h.Count > 0 {
		h.Panes.push(w.Start, h.tally, h.needs)
	}
	h.Grid.closed(w, b.partial)
	h.Open, h.Past, h.tally = nil, w, tally{}
	size, every := h.aggregate.Window, h.aggregate.Every
	begin := w.End - size.Microseconds()
	h.Panes.forget(begin, h.needs)
	records := h.Panes.union(&h.tally, h.needs).records(h.aggregate, o, b.reaching(size))
	h.Panes.forget(begin+every.Microseconds(), h.needs)
	if h.Panes.empty() {
		h.Past = nil
	}
	return records
}

func (h *hops) reboot(o origin, at holdfast.Instant) []holdfast.Record {
	var records []holdfast.Record
	if h.Open != nil {
		records = h.end(o, h.Open, h.Open.part(at))
	}
	h.Panes, h.Past = panes{}, nil
	return records
}

func (h *hops) retire(o origin, at holdfast.Instant) []holdfast.Record { return h.reboot(o, at) }
