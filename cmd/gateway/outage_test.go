package main

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"
)

// Outages last from a second to six hours; those in which nothing is measured at most one.
const (
	shortestOutage = time.Second
	longestOutage  = 6 * time.Hour
	longestDown    = time.Hour
)

// A kind is one way in which a part of the system fails. begin and end may be called while others of the kind go on.
type kind struct {
	name    string
	often   int // in a day
	longest time.Duration
	begin   func(topic string)
	end     func(topic string)
	topics  []string // one of which it is about
}

// times is how often the kind happens in a day that may be shorter than others.
func (k *kind) times(day time.Duration) int { return max(1, k.often*int(day/time.Hour)/24) }

// An outage is one failure in a day.
type outage struct {
	kind
	topic string
	at    time.Duration
	lasts time.Duration
}

// A moment is the beginning or the end of an outage.
type moment struct {
	at     time.Duration
	happen func()
}

// schedule draws a day's outages. They overlap as they may, and are over when the day is.
func schedule(t *testing.T, rng *rand.Rand, kinds []kind, day time.Duration) (moments []moment, longest time.Duration) {
	for _, k := range kinds {
		for range k.times(day) {
			o := outage{kind: k, at: time.Minute + rand64(rng, day-2*time.Minute)}
			span := math.Log(float64(k.longest) / float64(shortestOutage))
			o.lasts = time.Duration(float64(shortestOutage) * math.Exp(rng.Float64()*span))
			o.lasts = min(o.lasts, day-o.at) // over when the day is
			if len(k.topics) > 0 {
				o.topic = k.topics[rng.IntN(len(k.topics))]
			}
			longest = max(longest, o.lasts)
			moments = append(moments,
				moment{o.at, func() { t.Logf("%v: %s %s for %v", o.at, o.name, o.topic, o.lasts); o.begin(o.topic) }},
				moment{o.at + o.lasts, func() { o.end(o.topic) }})
		}
	}
	slices.SortFunc(moments, func(a, b moment) int { return cmp.Compare(a.at, b.at) })
	return moments, longest
}

func rand64(rng *rand.Rand, most time.Duration) time.Duration {
	return time.Duration(rng.Int64N(int64(most)))
}

// kinds are all ways to fail.
func (d *day) kinds() []kind {
	lanes := []string{"devices/bubble/telemetry", "devices/bubble/event", "devices/bubble/alert"}
	answers := []string{"devices/bubble/receipt", "devices/bubble/state", "receivers/cloud/state"}
	filters := []string{"devices/bubble/receipt", "devices/bubble/command", "devices/+/telemetry", "receivers/+/state"}
	receipt := answers[:1]
	nothing := func(string) {}
	return []kind{
		{"broker gone", 12, longestOutage, d.brokerDown.begin, d.brokerDown.end, nil},
		{"connections cut", 6, shortestOutage, func(string) { d.broker.Kick() }, nothing, nil},
		{"messages swallowed on", 18, longestOutage, d.broken.swallow.add, d.broken.swallow.remove, slices.Concat(lanes, answers)},
		{"subscription refused to", 10, longestOutage, d.refuse, d.broken.unreadable.remove, filters},
		{"publication refused on", 8, longestOutage, d.broken.unwritable.add, d.broken.unwritable.remove, slices.Concat(lanes, receipt)},
		{"receiver stopped", 8, longestOutage, d.stopCloud, d.cloudDown.end, nil},
		{"receiver killed", 8, longestOutage, d.killCloud, d.cloudDown.end, nil},
		{"device suspended", 6, longestOutage, d.suspended.begin, d.suspended.end, nil},
		{"gateway stopped", 6, longestDown, d.stopPi, d.piDown.end, nil},
		{"gateway killed", 8, longestDown, d.killPi, d.piDown.end, nil},
		{"gateway killed, then another boot", 2, longestDown, d.crashPi, d.piDown.end, nil},
	}
}

func (d *day) refuse(filter string) {
	d.broken.unreadable.add(filter)
	d.broker.Kick() // so that somebody subscribes
}

func (d *day) stopCloud(string) { d.cloudDown.beginBy(d.cloud.stop) }
func (d *day) killCloud(string) { d.cloudDown.beginBy(d.cloud.kill) }
func (d *day) stopPi(string)    { d.piDown.beginBy(d.pi.stop) }
func (d *day) killPi(string)    { d.piDown.beginBy(d.pi.kill) }

func (d *day) crashPi(string) {
	d.killPi("")
	d.pi.reboot()
}

// A toggle is off for as long as somebody wants it so.
type toggle struct {
	off     func()
	on      func()
	holders int
}

func (s *toggle) begin(string) { s.beginBy(s.off) }

// beginBy is begin, but switches off in another way.
func (s *toggle) beginBy(off func()) {
	if s.holders++; s.holders == 1 {
		off()
	}
}

func (s *toggle) end(string) {
	if s.holders--; s.holders == 0 {
		s.on()
	}
}

// broken is what the broker does wrong, by topic.
type broken struct{ swallow, unreadable, unwritable topics }

func (b *broken) swallows(_, topic string) bool { return b.swallow.has(topic) }

func (b *broken) denies(_, topic string, write bool) bool {
	if write {
		return b.unwritable.has(topic)
	}
	return b.unreadable.has(topic)
}

// topics is a set in which each topic is as often as it was added.
type topics struct {
	mu   sync.Mutex
	held map[string]int
}

func (s *topics) add(topic string) { s.change(topic, 1) }

func (s *topics) remove(topic string) { s.change(topic, -1) }

func (s *topics) change(topic string, by int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.held == nil {
		s.held = map[string]int{}
	}
	s.held[topic] += by
}

func (s *topics) has(topic string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.held[topic] > 0
}
