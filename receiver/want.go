package receiver

import (
	"context"
	"slices"
	"time"

	"holdfast"
	"holdfast/mqtt"
	"holdfast/receiver/store"
)

const (
	wantQuiet  = 30 * time.Second // what may still be on its way is not asked for
	wantRanges = 100              // of one request
	wantLanes  = 1000             // of one sweep
	wantFirst  = 30 * time.Second // until the same is asked for again, doubling up to wantLast
	wantLast   = 10 * time.Minute
)

// wants asks devices for numbers that stay missing, at each lane's own back-off. It belongs to one connection.
//
// Of a stream that is over everything up to its head is due; it is asked for when nothing of the lane has come for a
// while. A current stream never rests: of that, the holes are due that were there a while ago already.
type wants struct {
	*Receiver
	lanes map[wantKey]wanted
}

type wantKey struct {
	stream int64
	lane   holdfast.Lane
}

// wanted is what is known of one lane's gaps.
type wanted struct {
	since   time.Time       // when holes was looked up
	holes   holdfast.Ranges // of a current stream, then
	asked   holdfast.Ranges // in the last request
	changed time.Time       // of the ledger, at the last request
	next    time.Time
	delay   time.Duration
}

func newWants(r *Receiver) *wants { return &wants{r, make(map[wantKey]wanted)} }

// sweep asks for what is missing and due.
func (w *wants) sweep(ctx context.Context, conn *mqtt.Conn) error {
	now := w.Now()
	gaps, err := w.Store.Gaps(ctx, now.Add(-wantQuiet), wantLanes)
	if err != nil {
		return err
	}
	before := w.lanes
	w.lanes = make(map[wantKey]wanted, len(gaps))
	for _, g := range gaps {
		key := wantKey{g.Stream.N, g.Lane}
		lane, known := before[key]
		if !g.Current && lane.changed.Equal(g.Changed) && now.Before(lane.next) {
			w.lanes[key] = lane // nothing has come since it was asked for
			continue
		}
		held, err := w.Store.Intervals(ctx, g.Stream.N, g.Lane)
		if err != nil {
			return err
		}
		lacking := holes(held, g.Limit, wantRanges)
		due := lacking
		if g.Current {
			due = lane.stale(lacking, known, now)
		}
		if len(due) > 0 && lane.ask(due, g, now) {
			w.Log.Info("numbers wanted", "device", g.Device, "stream", g.Stream.ID, "lane", g.Lane, "numbers", due.Count(), "first", due[0].First)
			if err := w.send(conn, addressed{g.Device, holdfast.Receipt{Stream: g.Stream.ID, Lane: g.Lane, Want: due}}); err != nil {
				return err
			}
		}
		w.lanes[key] = lane
	}
	return nil
}

// stale returns those of the holes that were there a while ago, and from time to time notes those that are there now.
func (l *wanted) stale(lacking holdfast.Ranges, known bool, now time.Time) (stale holdfast.Ranges) {
	if known && now.Sub(l.since) < wantQuiet {
		return nil
	}
	for _, hole := range l.holes {
		for _, r := range lacking.Within(hole) {
			stale.Add(r)
		}
	}
	l.since, l.holes = now, lacking
	return stale
}

// ask reports whether it is time to ask for the numbers, and notes that it is done: at once for other numbers than the last
// time, ever more rarely for the same.
func (l *wanted) ask(due holdfast.Ranges, g store.Gap, now time.Time) bool {
	same := slices.Equal(due, l.asked)
	switch {
	case !same:
		l.delay = wantFirst
	case now.Before(l.next):
		return false
	}
	l.asked, l.changed = due, g.Changed
	l.next, l.delay = now.Add(l.delay), min(2*l.delay, wantLast)
	return true
}
