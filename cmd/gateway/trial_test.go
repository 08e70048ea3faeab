package main

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestTrial(t *testing.T) {
	t.Parallel()
	at := func(minutes time.Duration) time.Time { return time.Time{}.Add(minutes * time.Minute) }
	tr := newTrial(5*time.Minute, at(0))
	if v := tr.tick(at(4)); v != undecided || tr.answered(at(4)) != accepted {
		t.Errorf("a candidate that answers: %v", v)
	}
	if v := tr.tick(at(5)); v != swapped || tr.candidate {
		t.Errorf("a candidate that does not answer: %v", v)
	}
	if v := tr.answered(at(6)); v != swapped || !tr.candidate {
		t.Errorf("the first answer of the good one: %v", v)
	}
	if v := tr.tick(at(11)); v != swapped || tr.candidate {
		t.Errorf("a candidate that does not answer again: %v", v)
	}
	if v := tr.answered(at(12)); v != rejected {
		t.Errorf("the second answer of the good one: %v", v)
	}
	// What cannot be taken back rests, and is tried again.
	tr.rest(at(12))
	if v := tr.tick(at(71)); v != undecided || tr.answered(at(71)) != undecided {
		t.Errorf("while it rests: %v", v)
	}
	if v := tr.tick(at(72)); v != swapped || !tr.candidate {
		t.Errorf("after its rest: %v", v)
	}
}

// An outage is a time in which a broker does not answer.
type outages []struct{ from, to int } // minutes

func (o outages) at(minute int) bool {
	for _, one := range o {
		if one.from <= minute && minute < one.to {
			return true
		}
	}
	return false
}

// Whatever is out and when: once one of the two answers for good, the gateway is with it within four turns. A candidate is not
// rejected while the good one is out.
func TestTrialThroughOutages(t *testing.T) {
	t.Parallel()
	const limit, horizon, calm = 5, 1000, 600
	rapid.Check(t, func(t *rapid.T) {
		draw := func(name string) (o outages) {
			for range rapid.IntRange(0, 5).Draw(t, name) {
				from := rapid.IntRange(0, calm-1).Draw(t, "from")
				o = append(o, struct{ from, to int }{from, rapid.IntRange(from, calm).Draw(t, "to")})
			}
			return o
		}
		candidate, good := draw("candidate"), draw("good")
		dead := rapid.SampledFrom([]string{"none", "candidate", "good"}).Draw(t, "dead")
		answers := func(of bool, minute int) bool {
			if of {
				return dead != "candidate" && !candidate.at(minute)
			}
			return dead != "good" && !good.at(minute)
		}
		fixed := rapid.Bool().Draw(t, "fixed")
		tr := newTrial(limit*time.Minute, time.Time{})
		begun := calm // when, at the latest, nothing stood in the way of a verdict any more
		for minute := range horizon {
			now := time.Time{}.Add(time.Duration(minute) * time.Minute)
			v := undecided
			if answers(tr.candidate, minute) {
				v = tr.answered(now)
			}
			if v == undecided {
				v = tr.tick(now)
			}
			switch v {
			case accepted:
				if !answers(true, minute) {
					t.Fatal("accepted, and does not answer")
				}
				return
			case rejected:
				if !answers(false, minute) {
					t.Fatalf("rejected in minute %d, in which the good one does not answer", minute)
				}
				if !fixed {
					return
				}
				tr.rest(now)
			}
			reachable := answers(true, minute) || answers(false, minute)
			if tr.resting {
				begun = max(begun, minute)
			}
			if minute > begun+4*limit && reachable && dead != "candidate" {
				t.Fatalf("undecided in minute %d, though both are calm and the candidate does not rest since %d", minute, begun)
			}
			if tr.resting && dead == "good" && minute > calm+int(restTime/time.Minute)+4*limit {
				t.Fatalf("locked out in minute %d", minute)
			}
		}
		if dead == "candidate" && !fixed {
			t.Fatal("a candidate that is dead was never rejected")
		}
	})
}

// One outage of the site, whenever it begins and however long it lasts, condemns no candidate.
func TestTrialWhileTheSiteIsOffline(t *testing.T) {
	t.Parallel()
	const limit = 10
	for length := range 8 * limit {
		for answer := range limit - 1 { // how long a link that works takes to answer
			for begin := range 4 * limit {
				if v := offline(limit, answer, begin, begin+length); v != accepted {
					t.Fatalf("offline from minute %d to %d, answers after %d: %v", begin, begin+length, answer, v)
				}
			}
		}
	}
}

// offline is a trial of a candidate that works, like the good one, whenever the site is online.
func offline(limit, answer, from, to int) verdict {
	tr := newTrial(time.Duration(limit)*time.Minute, time.Time{})
	online := 0 // minutes of this turn
	for minute := range 100 * limit {
		now := time.Time{}.Add(time.Duration(minute) * time.Minute)
		v := tr.tick(now)
		if online++; v == swapped || from <= minute && minute < to {
			online = 0
		}
		if online > answer {
			v = tr.answered(now)
			online = 0
		}
		if v == accepted || v == rejected {
			return v
		}
	}
	return undecided
}
