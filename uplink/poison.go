package uplink

import "holdfast"

// poisonDeaths is how many times in a row the link must die with the same batch first in line.
const poisonDeaths = 3

// poison finds the batch that kills the link, by its size or by what it holds: one that is first in line at three deaths in a
// row is halved, again and again. When a single record is left it is set aside for one session; where the lane's next
// batch gets through then, the record is proven guilty and may be rejected. Where that one does not, the record was innocent
// (a broker that allows nothing on the topic, a network that carries nothing), and stays. It outlives sessions.
type poison struct {
	lane   holdfast.Lane
	stream holdfast.Stream
	span   holdfast.Range
	deaths int
	limit  uint64 // records of a batch that starts at span.First; 0 for no limit
	aside  bool
}

// suspects reports whether the batch is the one under suspicion.
func (p *poison) suspects(b *holdfast.Batch) bool {
	return p.deaths+int(p.limit) > 0 && p.lane == b.Lane && p.stream == b.Stream && p.span.First == b.First
}

// most returns how many records b may have, 0 for no limit.
func (p *poison) most(b *holdfast.Batch) uint64 {
	if !p.suspects(b) {
		return 0
	}
	return p.limit
}

// skips reports whether b is to be stepped over in this session.
func (p *poison) skips(b *holdfast.Batch) bool { return p.aside && p.suspects(b) }

// died is told which batch was first in line when the link died.
func (p *poison) died(b *holdfast.Batch) {
	if p.aside {
		p.aside, p.deaths = false, 0
		return
	}
	if !p.suspects(b) {
		*p = poison{lane: b.Lane, stream: b.Stream, span: b.Range(), deaths: 1}
		return
	}
	p.span = b.Range()
	p.deaths++
	if p.deaths < poisonDeaths || b.What != holdfast.Data {
		return // a statement without records has nothing to halve
	}
	p.deaths, p.limit = 0, max(b.Range().Len()/2, 1)
	p.aside = b.Range().Len() == 1
}

// acknowledged is told which batch the broker took, and reports whether this proves the one that was set aside guilty.
func (p *poison) acknowledged(b *holdfast.Batch) (guilty bool) {
	if p.aside {
		return p.lane == b.Lane && !p.suspects(b)
	}
	if p.suspects(b) {
		*p = poison{}
	}
	return false
}
