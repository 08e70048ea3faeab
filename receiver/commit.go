package receiver

import (
	"context"
	"errors"
	"time"

	"holdfast"
	"holdfast/mqtt"
	"holdfast/receiver/store"
	"holdfast/wire"
)

// commit puts a group of deliveries into the database in one transaction and then, never before, acknowledges them to the
// broker and sends the receipts. Where the rows of one delivery are refused, it alone becomes a dead letter. An error is the
// database's.
func (r *Receiver) commit(ctx context.Context, conn *mqtt.Conn, group []*delivery) error {
	began := time.Now()
	var out outcome
	err := r.Store.Write(ctx, func(tx *store.Tx) error {
		w := r.writer(tx)
		for _, d := range group {
			if err := w.put(d); err != nil {
				return err
			}
		}
		out = w.outcome
		return nil
	})
	if errors.Is(err, store.ErrConflict) {
		return r.divide(ctx, conn, group, err)
	}
	if err != nil {
		return err
	}
	r.Metrics.committed(group, &out, time.Since(began))
	for _, l := range out.letters {
		r.report(l)
	}
	r.told.tell(r.Log, r.New, out.newcomers, time.Now())
	for _, d := range group {
		d.Ack()
	}
	for _, receipt := range merge(out.receipts) {
		if err := r.send(conn, receipt); err != nil {
			return err
		}
	}
	r.Metrics.processed(group)
	r.feed.publish(out.live)
	return nil
}

// divide finds the delivery whose rows the database refuses, so that the others get through.
func (r *Receiver) divide(ctx context.Context, conn *mqtt.Conn, group []*delivery, cause error) error {
	if half := len(group) / 2; half > 0 {
		if err := r.commit(ctx, conn, group[:half]); err != nil {
			return err
		}
		return r.commit(ctx, conn, group[half:])
	}
	if group[0].letter != nil {
		return cause // not even the dead letter has a place
	}
	return r.commit(ctx, conn, []*delivery{group[0].refused(codeConflict, cause)})
}

// report logs a dead letter: loudly where somebody uses another's stream.
func (r *Receiver) report(l store.Letter) {
	log := r.Log.Warn
	if l.Code == codeForeignStream {
		log = r.Log.Error
	}
	log("dead letter", "code", l.Code, "device", l.Device, "topic", l.Topic, "stream", l.Stream, "first", l.First, "last", l.Through, "err", l.Text)
}

// send sends a receipt and does not wait: one that is lost is given again when the batch comes again.
func (r *Receiver) send(conn *mqtt.Conn, a addressed) error {
	a.V, a.Store, a.Time = holdfast.Version, r.Store.ID(), holdfast.Micro(r.Now())
	payload, err := wire.EncodeReceipt(&a.Receipt)
	if err != nil {
		return err
	}
	conn.Send(mqtt.Message{Topic: r.Topics.Device(a.device, holdfast.TopicReceipt), Payload: payload})
	r.Metrics.receipted(&a.Receipt)
	return nil
}

// merge makes one receipt of those for the same lane. One with rejections stands alone, for they bound its size.
func merge(receipts []addressed) []addressed {
	type lane struct {
		device string
		stream holdfast.Stream
		lane   holdfast.Lane
		hold   bool
	}
	var out []addressed
	at := make(map[lane]int)
	for _, a := range receipts {
		key := lane{a.device, a.Stream, a.Lane, a.Hold}
		i, ok := at[key]
		if !ok || len(a.Rejected) > 0 {
			if len(a.Rejected) == 0 {
				at[key] = len(out)
			}
			out = append(out, a)
			continue
		}
		out[i].Ranges = append(out[i].Ranges, a.Ranges...).Normal()
	}
	return out
}
