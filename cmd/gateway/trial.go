package main

import "time"

// What a trial is made of; see docs/adr/0024.
const (
	turnTime = 5 * time.Minute // of each link at a time, so that a candidate has ten minutes in all
	proofs   = 2               // so many turns of the candidate without an answer, each with one of the good link behind it, condemn it
	restTime = time.Hour       // until a candidate is tried again that cannot be taken back
)

// A trial decides which of two links a gateway uses: the candidate, which has never worked, or the good one, which was the last
// that did. They take turns, the candidate first, until it is known which of them works:
//
//   - The candidate answers: it is accepted.
//   - The good one answers: so the site is online now, and it is the candidate's turn again, at once. When that ends without an
//     answer too, and the good one answers once more, the candidate is rejected.
//   - Neither answers: the site is offline, which says nothing.
//
// So no single outage, whenever it begins and however long it lasts, condemns a candidate: it cannot cover both turns with the
// good one's answer in between. It knows neither network nor disk; time comes with the calls.
type trial struct {
	limit     time.Duration // of a turn
	candidate bool          // whose turn it is
	since     time.Time     // when it began
	answers   int           // of the good one
	resting   bool          // the candidate is rejected, and waits until it is tried again
}

// A verdict is what a trial comes to.
type verdict int

const (
	undecided verdict = iota
	swapped           // go on with the other link
	accepted          // the candidate is the good link from now on
	rejected          // the good link stays
)

func newTrial(limit time.Duration, now time.Time) *trial {
	return &trial{limit: limit, candidate: true, since: now}
}

// answered takes an answer of the link whose turn it is.
func (t *trial) answered(now time.Time) verdict {
	switch {
	case t.candidate:
		return accepted
	case t.resting:
		return undecided
	}
	if t.answers++; t.answers >= proofs {
		return rejected
	}
	return t.swap(now)
}

// tick is to be called again and again.
func (t *trial) tick(now time.Time) verdict {
	limit := t.limit
	if t.resting {
		limit = restTime
	}
	if now.Sub(t.since) < limit {
		return undecided
	}
	return t.swap(now)
}

// wait stops the time while nothing can be proven.
func (t *trial) wait(now time.Time) { t.since = now }

// rest is for a rejected candidate that stays what the gateway is told to use.
func (t *trial) rest(now time.Time) { t.resting, t.since, t.answers = true, now, 0 }

func (t *trial) swap(now time.Time) verdict {
	t.candidate, t.since, t.resting = !t.candidate, now, false
	return swapped
}
