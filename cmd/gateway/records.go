package main

import (
	"bytes"
	"iter"
	"time"

	"holdfast"
)

// A browser reads one lane of what a device holds, in its order; a buffer does.
type browser interface {
	Browse(lane holdfast.Lane, after holdfast.Position, from, to time.Time, f func(holdfast.Stream, uint64, []byte) bool) error
}

// merged calls f with each record between from and to, of all lanes and the local one in order of time, until it returns false. Within a lane
// the order is that of the numbers, which is that in which the rules saw them.
func merged(b browser, from, to time.Time, f func(lane holdfast.Lane, record []byte) bool) error {
	lanes := append(holdfast.Lanes[:], holdfast.LaneLocal)
	errs := make([]error, len(lanes))
	heads := make([]head, 0, len(lanes))
	for i, lane := range lanes {
		next, stop := iter.Pull(func(yield func([]byte) bool) {
			errs[i] = b.Browse(lane, holdfast.Position{}, from, to, func(_ holdfast.Stream, _ uint64, record []byte) bool { return yield(record) })
		})
		defer stop()
		h := head{lane: lane, next: next}
		if h.move(); h.record != nil {
			heads = append(heads, h)
		}
	}
	for len(heads) > 0 {
		first := 0
		for i := range heads {
			if heads[i].at.Before(heads[first].at) {
				first = i
			}
		}
		h := &heads[first]
		if !f(h.lane, h.record) {
			return nil
		}
		if h.move(); h.record == nil {
			heads = append(heads[:first], heads[first+1:]...)
		}
	}
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// A head is the next record of a lane; nil where there is none.
type head struct {
	lane   holdfast.Lane
	next   func() ([]byte, bool)
	record []byte
	at     time.Time
}

func (h *head) move() {
	record, ok := h.next()
	if !ok {
		h.record = nil
		return
	}
	h.record = record
	if at, ok := timeOf(record); ok && at.After(h.at) { // in a lane no time lies before another's
		h.at = at
	}
}

// timeOf reads the time of a record, which every one that has a number of its own has.
func timeOf(record []byte) (at time.Time, ok bool) {
	_, rest, ok := bytes.Cut(record, []byte(`"time":"`))
	if !ok {
		return at, false
	}
	text, _, ok := bytes.Cut(rest, []byte(`"`))
	return at, ok && at.UnmarshalText(text) == nil
}

// Records implements dashboard.Archive.
func (h history) Records(from, to time.Time, f func(lane holdfast.Lane, record []byte) bool) error {
	select {
	case <-h.opened:
		return merged(h.buffer, from, to, f)
	case <-time.After(historyPatience):
		return errOpening
	}
}
