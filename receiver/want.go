package receiver

import (
	"context"
	"time"

	"holdfast"
	"holdfast/mqtt"
	"holdfast/receiver/store"
)

const (
	wantQuiet  = 30 * time.Second // a lane whose ledger changes is left alone
	wantRanges = 100              // of one request
	wantLanes  = 1000             // of one sweep
	wantFirst  = 30 * time.Second // until the same is asked for again, doubling up to wantLast
	wantLast   = 10 * time.Minute
)

// wants asks devices for numbers that stay missing, at each lane's own back-off. It belongs to one connection.
type wants struct {
	*Receiver
	asked map[wantKey]asked
}

type wantKey struct {
	stream int64
	lane   holdfast.Lane
}

type asked struct {
	changed time.Time // of the ledger, when it was asked
	next    time.Time
	delay   time.Duration
}

func newWants(r *Receiver) *wants { return &wants{r, make(map[wantKey]asked)} }

// sweep asks for what is missing and due.
func (w *wants) sweep(ctx context.Context, conn *mqtt.Conn) error {
	now := w.Now()
	gaps, err := w.Store.Gaps(ctx, now.Add(-wantQuiet), wantLanes)
	if err != nil {
		return err
	}
	before := w.asked
	w.asked = make(map[wantKey]asked, len(gaps))
	for _, g := range gaps {
		key := wantKey{g.Stream.N, g.Lane}
		a, ok := before[key]
		if !ok || !a.changed.Equal(g.Changed) {
			a = asked{changed: g.Changed, delay: wantFirst}
		}
		if !now.Before(a.next) {
			if err := w.ask(ctx, conn, g); err != nil {
				return err
			}
			a.next, a.delay = now.Add(a.delay), min(2*a.delay, wantLast)
		}
		w.asked[key] = a
	}
	return nil
}

func (w *wants) ask(ctx context.Context, conn *mqtt.Conn, g store.Gap) error {
	held, err := w.Store.Intervals(ctx, g.Stream.N, g.Lane)
	if err != nil {
		return err
	}
	lacking := holes(held, g.Limit, wantRanges)
	if len(lacking) == 0 {
		return nil // it has come meanwhile
	}
	w.Log.Info("numbers wanted", "device", g.Device, "stream", g.Stream.ID, "lane", g.Lane, "numbers", lacking.Count(), "first", lacking[0].First)
	return w.send(conn, addressed{g.Device, holdfast.Receipt{Stream: g.Stream.ID, Lane: g.Lane, Want: lacking}})
}
