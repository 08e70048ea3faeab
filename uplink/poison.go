package uplink

import "holdfast"

// poisonDeaths is how many times in a row the link must die with the same batch first in line.
const poisonDeaths = 3

// poison finds the record that kills the link, by its size or by what it holds. A batch that is first in line when the link
// dies is under suspicion: it travels alone from then on, so that what it takes down with it is nothing else. After three
// deaths in a row it is halved, again and again, and its other parts are no longer than that. When a single record is left it
// is set aside, and where the lane's next batch gets through then, it is tried once more: when the link dies of it again it is
// guilty, and may be rejected. Where the next batch does not get through either, the record is as innocent as that one (a
// broker that allows nothing on the topic, a network that carries nothing), and stays. It outlives sessions.
type poison struct {
	lane   holdfast.Lane
	stream holdfast.Stream
	first  uint64 // of the batch that was first in line last time
	start  uint64 // start and end of the batch that was the first to be suspected;
	end    uint64 // zero where nothing is
	deaths int    // in a row, with the same batch
	limit  uint64 // records of a batch within start and end; 0 for no limit
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

// within reports whether b is, or is part of, the batch that was the first to be suspected. Such a batch travels alone.
func (p *poison) within(b *holdfast.Batch) bool {
	return p.lane == b.Lane && p.stream == b.Stream && p.start <= b.First && b.First <= p.end
}

// suspects reports whether b was first in line when the link died last.
func (p *poison) suspects(b *holdfast.Batch) bool { return p.within(b) && b.First == p.first }

// most returns how many records b may have, 0 for no limit.
func (p *poison) most(b *holdfast.Batch) uint64 {
	if !p.within(b) {
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
	case !p.within(b):
		*p = poison{lane: b.Lane, stream: b.Stream, first: b.First, start: b.First, end: b.Last, deaths: 1}
	case !p.suspects(b):
		p.first, p.deaths, p.stage = b.First, 1, suspected
	case p.stage == tried:
		p.stage = guilty
	default:
		p.again(b)
	}
}

// again counts one more death of the suspect.
func (p *poison) again(b *holdfast.Batch) {
	p.deaths++
	if p.deaths < poisonDeaths || b.What != holdfast.Data {
		return // a statement without records has nothing to halve
	}
	n := b.Range().Len()
	p.deaths, p.limit = 0, max(n/2, 1)
	if n == 1 {
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
	case p.within(b) && b.Last >= p.end:
		*p = poison{} // all of it got through
	case p.suspects(b):
		p.deaths, p.stage = 0, suspected
	}
	return try
}

// record returns the single record under suspicion.
func (p *poison) record() holdfast.Range { return holdfast.Range{First: p.first, Last: p.first} }
