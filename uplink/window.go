package uplink

import (
	"slices"
	"time"

	"holdfast"
)

const (
	firstSilence   = 30 * time.Second
	longestSilence = 10 * time.Minute
)

// A flight is a statement that was published and not yet answered for.
type flight struct {
	stream    holdfast.Stream
	span      holdfast.Range
	left      holdfast.Ranges // what of span has no receipt
	sent      time.Time
	turn      uint64 // grows with every publication
	overtaken bool   // a later one was receipted
	patience  time.Duration
}

// A window is one lane's cursor and the statements on their way, oldest first.
type window struct {
	limit   int
	cursor  holdfast.Position
	flights []*flight
	alone   bool // the one flight wants no company
}

func (w *window) room() bool { return len(w.flights) < w.limit && !(w.alone && len(w.flights) > 0) }

// add notes that span was published.
func (w *window) add(stream holdfast.Stream, span holdfast.Range, turn uint64, now time.Time) *flight {
	f := &flight{stream: stream, patience: firstSilence}
	f.launch(span, turn, now)
	w.flights = append(w.flights, f)
	return f
}

// launch notes that the flight was published, or published again.
func (f *flight) launch(span holdfast.Range, turn uint64, now time.Time) {
	f.span, f.left, f.sent, f.turn, f.overtaken = span, holdfast.Ranges{span}, now, turn, false
}

// remove takes f out of the window.
func (w *window) remove(f *flight) {
	w.flights = slices.DeleteFunc(w.flights, func(g *flight) bool { return g == f })
}

// drop takes every flight of a stream out of the window.
func (w *window) drop(stream holdfast.Stream) {
	w.flights = slices.DeleteFunc(w.flights, func(f *flight) bool { return f.stream == stream })
}

// flies reports whether something of the stream is on its way.
func (w *window) flies(stream holdfast.Stream) bool {
	return slices.ContainsFunc(w.flights, func(f *flight) bool { return f.stream == stream })
}

// forget gives up all knowledge of what is on its way: everything that is not done is to be sent again.
func (w *window) forget() { w.cursor, w.flights = holdfast.Position{}, nil }

// rewind makes the queue be read from its start again. What is on its way stays so, and is stepped over.
func (w *window) rewind() { w.cursor = holdfast.Position{} }

// covers reports whether every number of span is on its way.
func (w *window) covers(stream holdfast.Stream, span holdfast.Range) bool {
	var flying holdfast.Ranges
	for _, f := range w.flights {
		if f.stream == stream {
			flying.Add(f.span)
		}
	}
	return flying.Covers(span)
}

// receipt takes numbers that were answered for, and returns how many of them were on their way. A flight leaves the window
// when all of its numbers are; those that were published before it are overtaken then.
func (w *window) receipt(stream holdfast.Stream, ranges holdfast.Ranges) (landed uint64) {
	var newest uint64
	w.flights = slices.DeleteFunc(w.flights, func(f *flight) bool {
		if f.stream != stream {
			return false
		}
		before := f.left.Count()
		for _, r := range ranges.Within(f.span) {
			f.left.Remove(r)
		}
		landed += before - f.left.Count()
		if len(f.left) > 0 {
			return false
		}
		newest = max(newest, f.turn)
		return true
	})
	for _, f := range w.flights {
		f.overtaken = f.overtaken || f.turn < newest
	}
	return landed
}

// oldest returns when the flight was published that waits longest, and false where there is none.
func (w *window) oldest() (at time.Time, ok bool) {
	for _, f := range w.flights {
		if !ok || f.sent.Before(at) {
			at, ok = f.sent, true
		}
	}
	return at, ok
}

// late returns the flights that were overtaken and have waited long enough, and when the next of the others will have.
func (w *window) late(now time.Time) (late []*flight, next time.Time) {
	for _, f := range w.flights {
		due := f.sent.Add(f.patience)
		switch {
		case !f.overtaken:
		case !due.After(now):
			late = append(late, f)
		case next.IsZero() || due.Before(next):
			next = due
		}
	}
	return late, next
}

// impatient is called when f is sent again because it was late.
func (f *flight) impatient() { f.patience = min(2*f.patience, longestSilence) }

// silence tells when the absence of every receipt calls for a probe: 30 s after the last receipt, or after the oldest
// publication that waits for one if that is later; then at intervals that double up to 10 min.
type silence struct {
	since    time.Time // the last receipt or probe
	interval time.Duration
}

// due returns when to send a probe, where the longest wait began at oldest.
func (s *silence) due(oldest time.Time) time.Time {
	since := s.since
	if oldest.After(since) {
		since = oldest
	}
	return since.Add(max(s.interval, firstSilence))
}

// probed notes that a probe was sent.
func (s *silence) probed(now time.Time) {
	s.since, s.interval = now, min(2*max(s.interval, firstSilence), longestSilence)
}

// heard notes a receipt, and reports whether it ends a time of probing.
func (s *silence) heard(now time.Time) (probing bool) {
	probing = s.interval > firstSilence
	s.since, s.interval = now, firstSilence
	return probing
}
