package main

import "time"

// What a trial is made of; see docs/adr/0024.
const (
	trialTime   = 10 * time.Minute // how long a link may take until it proves itself
	promptShare = 5                // the good one answers promptly if it takes no more than this part of it
	lateAnswers = 3                // so many answers of the good one that were not prompt condemn too
	restTime    = time.Hour        // until a candidate is tried again that cannot be taken back
)

// A trial decides which of two links a gateway uses: the candidate, which has never worked, or the good one, which was the last
// that did. The candidate begins. Each gets its time, one after the other, until one of them answers:
//
//   - The candidate answers: it is accepted.
//   - The good one answers promptly: so the site was online, the candidate had its whole time, and is rejected.
//   - The good one answers late: the site was offline, which says nothing against the candidate. It gets its time again; after
//     three such answers it is rejected, for the good one is slow and not offline.
//
// It knows neither network nor disk; time comes with the calls.
type trial struct {
	limit     time.Duration
	candidate bool      // whose time it is
	since     time.Time // when that began
	late      int       // answers of the good one that were not prompt
	resting   bool      // the candidate is rejected, and waits until it is tried again
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

// answered takes the answer of the link whose time it is.
func (t *trial) answered(now time.Time) verdict {
	switch {
	case t.candidate:
		return accepted
	case t.resting:
		return undecided
	case now.Sub(t.since) <= t.limit/promptShare:
		return rejected
	}
	if t.late++; t.late >= lateAnswers {
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
func (t *trial) rest(now time.Time) { t.resting, t.since, t.late = true, now, 0 }

func (t *trial) swap(now time.Time) verdict {
	t.candidate, t.since, t.resting = !t.candidate, now, false
	return swapped
}
