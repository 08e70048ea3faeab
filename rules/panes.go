package rules

import "slices"

// A pane is a part of a window: what was read in it.
type pane struct {
	Start int64 `json:"start"` // monotonic µs
	tally
}

// panes are the full parts of a window that moves on. Their union is at hand at any time, for two merges and not one for each
// pane: Old holds unions already, New is summed up as it comes. Once Old is used up New takes its place (the queue of two
// stacks), which is the one expensive step, once in a window.
type panes struct {
	Old []pane `json:"old,omitempty"` // each with all behind it, oldest first
	New []pane `json:"new,omitempty"` // oldest first, each for itself
	Sum tally  `json:"sum,omitzero"`  // of New
}

func (p *panes) push(start int64, t tally, n needs) {
	t.shrink()
	p.New = append(p.New, pane{start, t})
	p.Sum.merge(&t, n)
}

// forget drops the panes that began before the given monotonic time.
func (p *panes) forget(before int64, n needs) {
	p.Old = dropped(p.Old, before)
	if len(p.Old) > 0 || len(p.New) == 0 || p.New[0].Start >= before {
		return
	}
	p.Old = dropped(p.New, before)
	p.New, p.Sum = nil, tally{}
	for i := len(p.Old) - 2; i >= 0; i-- {
		p.Old[i].merge(&p.Old[i+1].tally, n)
		p.Old[i].shrink()
	}
}

// dropped returns the panes without those at the front that began before the given time. Panes that end up empty are nil.
func dropped(list []pane, before int64) []pane {
	i := 0
	for i < len(list) && list[i].Start < before {
		i++
	}
	if i == len(list) {
		return nil
	}
	return slices.Delete(list, 0, i)
}

func (p *panes) empty() bool { return len(p.Old) == 0 && len(p.New) == 0 }

// union is what all panes and the one that still fills hold together.
func (p *panes) union(filling *tally, n needs) *tally {
	var all tally
	if len(p.Old) > 0 {
		all.merge(&p.Old[0].tally, n)
	}
	all.merge(&p.Sum, n)
	all.merge(filling, n)
	return &all
}
