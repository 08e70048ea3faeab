package receiver

import (
	"context"
	"time"

	"holdfast/receiver/store"
)

const (
	keepInterval = 10 * time.Second
	retimeRows   = 1000              // in one transaction, so that ingest need not wait long
	silence      = 180 * time.Second // three heartbeats
)

// keep does what is due from time to time, until ctx ends: it gives guessed times their true ones once an anchor is known,
// and notes which devices have fallen silent. A failure is tried again with the next round.
func (r *Receiver) keep(ctx context.Context) {
	ticker := time.NewTicker(keepInterval)
	defer ticker.Stop()
	for {
		for _, work := range []func(context.Context) error{r.retime, r.noteSilent, r.countOnline} {
			if err := work(ctx); err != nil && ctx.Err() == nil {
				r.Log.Warn("housekeeping", "err", err)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

func (r *Receiver) retime(ctx context.Context) error {
	for total := 0; ; {
		n, err := r.Store.Retime(ctx, retimeRows)
		if err != nil {
			return err
		}
		if total += n; n < retimeRows { // there are no more
			if total > 0 {
				r.Log.Info("records re-timed", "records", total)
			}
			return nil
		}
	}
}

func (r *Receiver) noteSilent(ctx context.Context) error {
	var silent []string
	err := r.Store.Write(ctx, func(tx *store.Tx) (err error) {
		silent, err = tx.SetSilent(r.Now().Add(-silence))
		return err
	})
	if err != nil {
		return err
	}
	for _, device := range silent {
		r.Log.Info("device fell silent", "device", device)
		r.feed.publish([]Live{{Kind: LiveDevice, Device: device}})
	}
	return nil
}

func (r *Receiver) countOnline(ctx context.Context) error {
	n, err := r.Store.Online(ctx)
	if err == nil {
		r.Metrics.setOnline(n)
	}
	return err
}
