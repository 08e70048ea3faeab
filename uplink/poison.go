package uplink

import "holdfast"

// poisonDeaths is how many times in a row the link must die with the same batch first in line.
const poisonDeaths = 3

// poison finds the batch that kills the link, by its size or by what it holds: one that is first in line at three deaths in a
// row is halved, again and again. When a single record is left it is set aside, and where the lane's next batch gets through
// then, it is tried once more: when the link dies of it again it is guilty, and may be rejected. Where the next batch does not
// get through either, the record is as innocent as that one (a broker that allows nothing on the topic, a network that
// carries nothing), and stays. It outlives sessions.
type poison struct {
	lane   holdfast.Lane
	stream holdfast.Stream
	span   holdfast.Range
	deaths int
	limit  uint64 // records of a batch that starts at span.First; 0 for no limit
	stage  stage
}

// A stage is how far the case against a single record has come.
type stage int

const (
	suspected stage = iota
	aside           // it is stepped over, until the next batch has had its chance
	tried           // the next batch got through; it is sent once more
	guilty
)

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

// skips reports whether b is to be stepped over.
func (p *poison) skips(b *holdfast.Batch) bool { return p.stage == aside && p.suspects(b) }

// died is told which batch was first in line when the link died.
func (p *poison) died(b *holdfast.Batch) {
	switch {
	case p.stage == aside:
		p.stage, p.deaths = suspected, 0
	case !p.suspects(b):
		*p = poison{lane: b.Lane, stream: b.Stream, span: b.Range(), deaths: 1}
	case p.stage == tried:
		p.stage = guilty
	default:
		p.again(b)
	}
}

// again counts one more death of the suspect.
func (p *poison) again(b *holdfast.Batch) {
	p.span = b.Range()
	p.deaths++
	if p.deaths < poisonDeaths || b.What != holdfast.Data {
		return // a statement without records has nothing to halve
	}
	p.deaths, p.limit = 0, max(b.Range().Len()/2, 1)
	if b.Range().Len() == 1 {
		p.stage = aside
	}
}

// acknowledged is told which batch the broker took. It reports whether the record that was set aside is to be tried.
func (p *poison) acknowledged(b *holdfast.Batch) (try bool) {
	switch {
	case p.stage == aside:
		if try = p.lane == b.Lane; try {
			p.stage = tried
		}
	case p.suspects(b):
		*p = poison{}
	}
	return try
}
