package rules

import (
	"time"

	"holdfast"
)

// A window is a stretch of monotonic time, with the bounds that the wall clock gave it when it opened.
type window struct {
	From    time.Time `json:"from"`
	To      time.Time `json:"to"`
	Boot    string    `json:"boot"`
	Start   int64     `json:"start"` // From and To in monotonic time, µs
	End     int64     `json:"end"`
	Last    int64     `json:"last"`              // the last reading in it, at least Start
	Sync    bool      `json:"sync,omitempty"`    // From and To come from a synchronised clock
	Aligned bool      `json:"aligned,omitempty"` // To is a whole multiple of the window's size
}

// A grid remembers where the aligned windows have come to, so that no two windows of a series ever begin at the same
// time: an aggregate replaces the one with the same rule, version, group and beginning.
type grid struct {
	Next  time.Time `json:"next,omitzero"` // end of the last aligned window; the next begins here or later
	Boot  string    `json:"boot,omitempty"`
	Mono  int64     `json:"mono,omitempty"` // Next in monotonic time of Boot
	Loose bool      `json:"loose,omitempty"`
	Cut   time.Time `json:"cut,omitzero"` // the latest whole multiple at which a partial window began
}

// open returns the window that a reading at the given instant opens. It ends at a whole multiple of size. It begins at
// one too, except for the first window of a series and the first after a reboot: those begin at the reading, because a
// partial window may have gone out with the aligned beginning. A window does not align at all while there is no wall
// time to align to, and where the clock was put back into windows that have been; it then begins at the reading, or
// a microsecond before it where that is a whole multiple, and is of full size.
func (g *grid) open(size time.Duration, at holdfast.Instant) *window {
	now, known := g.wall(at)
	w := &window{From: now, To: now.Add(size), Boot: at.Boot, Sync: at.Synchronized}
	start := now.Truncate(size)
	if lag := g.Next.Sub(now); lag > 0 && lag <= size/2 {
		start = g.Next // the clock was slewed while the last window ran: go on behind it
	}
	if known && !start.Before(g.Next) {
		w.To, w.Aligned = start.Add(size), true
		if !g.Next.IsZero() && !g.Loose && start.After(g.Cut) {
			w.From = start
		}
	}
	if now.Equal(now.Truncate(size)) { // an aligned window may have begun here
		switch {
		case !w.Aligned:
			w.From, w.To = w.From.Add(-time.Microsecond), w.To.Add(-time.Microsecond)
		case !now.After(g.Cut):
			w.From = w.From.Add(-time.Microsecond)
		}
	}
	w.Start = at.Mono - now.Sub(w.From).Microseconds()
	w.End = at.Mono + w.To.Sub(now).Microseconds()
	w.Last = w.Start
	return w
}

// wall returns the wall time to align to. Where the clock is not synchronised (any more), the last aligned window of the
// same boot still tells it; without one, the clock's guess is returned, and false.
func (g *grid) wall(at holdfast.Instant) (time.Time, bool) {
	if at.Synchronized {
		return at.Time, true
	}
	if g.Boot == at.Boot && !g.Next.IsZero() {
		return g.Next.Add(micros(at.Mono - g.Mono)), true
	}
	return at.Time, false
}

// closed notes that w was closed.
func (g *grid) closed(w *window, partial bool) {
	g.Loose = partial || !w.Aligned
	if !g.Loose {
		g.Next, g.Boot, g.Mono = w.To, w.Boot, w.End
	}
	if size := w.To.Sub(w.From); partial && w.Aligned && w.From.Equal(w.From.Truncate(size)) && w.From.After(g.Cut) {
		g.Cut = w.From
	}
}

// bounds are what a record says of its window.
type bounds struct {
	from, to time.Time
	partial  bool
	clock    *holdfast.Clock // set where from and to are a guess; it places to
}

// whole returns the bounds of a window that has ended.
func (w *window) whole(at holdfast.Instant) bounds { return w.until(w.End, at) }

// part returns the bounds of a window that is closed before its end: they reach to right behind its last reading.
func (w *window) part(at holdfast.Instant) bounds {
	b := w.until(w.Last+1, at)
	b.partial = true
	return b
}

// until returns the window's bounds as they are known at the given instant, cut off at a monotonic time. Bounds that were
// a guess are corrected where the clock has been synchronised since, within the same boot.
func (w *window) until(mono int64, at holdfast.Instant) bounds {
	b := bounds{from: w.From}
	switch {
	case w.Sync:
	case at.Synchronized && at.Boot == w.Boot:
		b.from = at.Time.Add(-micros(at.Mono - w.Start))
	default:
		b.clock = &holdfast.Clock{Boot: w.Boot, Mono: mono}
	}
	b.to = b.from.Add(micros(mono - w.Start))
	return b
}

// behind returns the window of the given size that begins where w ends, in which nothing was read.
func (w *window) behind(size time.Duration) *window {
	next := *w
	next.From, next.To = w.To, w.To.Add(size)
	next.Start, next.End, next.Last = w.End, w.End+size.Microseconds(), w.End
	return &next
}

// reaching returns the bounds of the window of the given size that ends together with b.
func (b bounds) reaching(size time.Duration) bounds {
	b.from = b.to.Add(-size)
	return b
}
