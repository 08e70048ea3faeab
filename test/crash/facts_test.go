package crash

import (
	"encoding/json"
	"fmt"
	"slices"

	"holdfast"
)

// What the lines of a trace say of the file that must be found at some point of it. A change that was announced and not
// yet confirmed may be found or not; so of each number and each value there is what it will be, and what it can be.

type facts struct {
	streams map[holdfast.Stream]*streamFacts
	order   []holdfast.Stream   // all of streams, as they were opened
	last    holdfast.Stream     // the newest
	opening bool                // a newer one may be, and nobody was told its name; it has no number
	stop    string              // how far the last stream came with its end: "", stopping, stopped
	state   map[string][]string // what each key can be, the newest last; absent is what it is without a value
}

const absent = "\x00"

type streamFacts struct {
	pad   int
	stop  string // how far it came with its end, once another was opened
	lanes map[holdfast.Lane]*laneFacts
}

type laneFacts struct {
	held, may uint64 // the head is at least and at most this
	numbers   []can  // of the numbers from 1 on that a line was about
}

// can is what may be found of a number, and what will be found when everything is durable.
type can struct {
	now       disposition
	both      bool // it changed, and it is not known to be durable
	rejected  bool // it may be found so
	surely    bool // rejected, for certain
	doubt     bool // nobody could tell whether rejected came to be
	receipted bool // it was done once: history may have let it go
}

type disposition uint8

const (
	owed disposition = iota
	done
)

func newFacts() *facts {
	return &facts{streams: make(map[holdfast.Stream]*streamFacts), state: make(map[string][]string)}
}

// hear takes a line in.
func (f *facts) hear(data []byte) error {
	var l line
	if err := json.Unmarshal(data, &l); err != nil {
		return fmt.Errorf("line %s: %w", data, err)
	}
	switch l.Kind {
	case willOpen:
		f.opening = true
	case isOpen:
		f.opened(l)
	case willStop, isStopped:
		f.stop = l.Kind
	case will:
		f.will(l)
	case willDone, willAgain, willReject:
		lane := f.streams[l.Stream].lanes[l.Lane]
		for n := l.Range.First; n <= l.Range.Last; n++ {
			lane.number(n).will(l.Kind)
		}
	case isHeld:
		f.held(l)
	case tookBack:
		for key := range l.State {
			f.state[key] = f.state[key][:len(f.state[key])-1]
		}
	}
	return nil
}

// opened takes in what a new process found: of what was in doubt, that is the truth.
func (f *facts) opened(l line) {
	f.state = make(map[string][]string)
	for key, value := range l.State {
		f.state[key] = []string{string(value)}
	}
	for _, s := range f.streams {
		for _, lane := range s.lanes {
			for i := range lane.numbers {
				c := &lane.numbers[i]
				c.now, c.both, c.doubt = done, false, c.rejected && !c.surely
			}
		}
	}
	for _, o := range l.Owed {
		lane := f.streams[o.Stream].lanes[o.Lane]
		for n := o.Range.First; n <= o.Range.Last; n++ {
			c := lane.number(n)
			c.now, c.rejected, c.doubt = owed, o.What == holdfast.Rejected, false
			c.surely = c.rejected
		}
	}
	s := &streamFacts{pad: l.Pad, lanes: make(map[holdfast.Lane]*laneFacts)}
	for _, lane := range holdfast.Lanes {
		s.lanes[lane] = new(laneFacts)
	}
	s.lanes[holdfast.LaneLocal] = new(laneFacts)
	if before := f.streams[f.last]; before != nil {
		before.stop = f.stop
	}
	f.opening, f.stop, f.last, f.order = false, "", l.Stream, append(f.order, l.Stream)
	f.streams[l.Stream] = s
}

func (f *facts) will(l line) {
	for lane, head := range l.Heads {
		f.streams[f.last].lanes[lane].may = head
	}
	for key, value := range l.State {
		if f.state[key] == nil {
			f.state[key] = []string{absent}
		}
		said := string(value)
		if value == nil {
			said = absent
		}
		f.state[key] = append(f.state[key], said)
	}
}

func (f *facts) held(l line) {
	for lane, head := range l.Heads {
		if lane != holdfast.LaneLocal || l.All { // only a Commit waits for what is withheld
			f.streams[l.Stream].lanes[lane].held = head
		}
	}
	if !l.All {
		return
	}
	for key, values := range f.state {
		f.state[key] = values[len(values)-1:]
	}
	for _, s := range f.streams {
		for _, lane := range s.lanes {
			for i := range lane.numbers {
				lane.numbers[i].settle()
			}
		}
	}
}

// number is what is known of number n; it grows with use.
func (l *laneFacts) number(n uint64) *can {
	for uint64(len(l.numbers)) < n {
		l.numbers = append(l.numbers, can{})
	}
	return &l.numbers[n-1]
}

func (c *can) will(kind string) {
	next := c.now
	switch kind {
	case willDone:
		next, c.receipted = done, true
	case willAgain:
		next = owed
	case willReject:
		c.rejected = true
	}
	c.both = c.both || next != c.now
	c.now = next
}

func (c *can) settle() { c.both, c.surely = false, c.surely || c.rejected && !c.doubt }

// can reports whether number n may be found so.
func (l *laneFacts) can(n uint64, d disposition) bool {
	c := l.number(n)
	return c.both || c.now == d
}

// data reports whether number n may be found with its record.
func (l *laneFacts) data(n uint64) bool { return !l.number(n).surely }

// lost returns an error unless number n of lane p.lane may be stated as lost for that cause.
func (l *laneFacts) lost(p place, what holdfast.What, cause holdfast.Cause) error {
	c := l.number(p.n)
	switch {
	case what == holdfast.Rejected && cause == holdfast.CauseTooLarge && p.tooLarge():
	case what == holdfast.Rejected && cause == holdfast.CauseOperator && c.rejected:
	case what == holdfast.Dropped && cause == holdfast.CauseReceiptedThenLost && c.receipted:
	case what == holdfast.Dropped && cause == holdfast.CauseFull && p.lane == holdfast.LaneTelemetry: // counted
	default:
		return fmt.Errorf("%s %d of %s is stated as %s (%s)", p.lane, p.n, p.stream, what, cause)
	}
	return nil
}

// value returns an error unless key may have that value; nil is none.
func (f *facts) value(key string, value []byte) error {
	said, allowed := string(value), f.state[key]
	if value == nil {
		said = absent
	}
	if slices.Contains(allowed, said) || allowed == nil && value == nil {
		return nil
	}
	return fmt.Errorf("state %s is %q, want one of %q", key, said, allowed)
}
