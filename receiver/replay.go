package receiver

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"holdfast"
	"holdfast/mqtt"
	"holdfast/receiver/store"
)

// Errors of [Receiver.Replay], beside [store.ErrNoLetter].
var (
	ErrReplayed = errors.New("the dead letter was replayed already")
	ErrRefused  = errors.New("the dead letter is still refused")
)

// Replay takes in what a dead letter holds, by the rules of today: of this version of the receiver, and with the
// predecessors that are known now. In one transaction the records go into the database, their numbers turn from rejected
// to data, and the letter is noted as replayed unless some of its records are still not valid. It returns how many numbers are newly held. What the ledger holds
// otherwise stays as it is, so that no replay can double a record.
//
// The error wraps [ErrRefused] where the letter cannot be taken in today either; nothing has changed then.
func (r *Receiver) Replay(ctx context.Context, id int64) (numbers uint64, err error) {
	var out outcome
	err = r.Store.Write(ctx, func(tx *store.Tx) error {
		l, err := tx.Letter(id)
		if err != nil {
			return err
		}
		if !l.Replayed.IsZero() {
			return fmt.Errorf("%w, at %v", ErrReplayed, l.Replayed)
		}
		d, err := r.redeliver(&l)
		if err != nil {
			return fmt.Errorf("%w: %w", ErrRefused, err)
		}
		w := r.writer(tx)
		w.replay, w.closed = true, false
		if err := w.put(d); err != nil {
			return err
		}
		if len(w.letters) > 0 {
			return fmt.Errorf("%w: %s: %s", ErrRefused, w.letters[0].Code, w.letters[0].Text)
		}
		if len(w.receipts) == 1 && w.receipts[0].Hold {
			return fmt.Errorf("%w: device %s is %s", ErrRefused, d.device, w.receipts[0].Reason)
		}
		out = w.outcome
		if slices.ContainsFunc(d.faults, func(fault error) bool { return fault != nil }) {
			return nil // what is still not valid may be one day
		}
		return tx.SetReplayed(id, w.now)
	})
	if errors.Is(err, store.ErrConflict) {
		err = fmt.Errorf("%w: %w", ErrRefused, err)
	}
	if err != nil {
		return 0, fmt.Errorf("replay dead letter %d: %w", id, err)
	}
	for _, n := range out.stored {
		numbers += n
	}
	r.Log.Info("dead letter replayed", "letter", id, "numbers", numbers)
	r.feed.publish(out.live)
	return numbers, nil
}

// redeliver makes of a dead letter the message that it was. That of a single record comes in a batch of its own.
func (r *Receiver) redeliver(l *store.Letter) (*delivery, error) {
	if l.Size > len(l.Payload) {
		return nil, fmt.Errorf("only the first %d of its %d bytes were kept", len(l.Payload), l.Size)
	}
	payload := l.Payload
	if l.Code == codeInvalidRecord {
		if l.First != l.Through {
			return nil, errors.New("it is a summary of a thinned range, whose place in the range is not known any more")
		}
		var err error
		if payload, err = json.Marshal(&holdfast.Batch{
			V: holdfast.Version, Device: l.Device, Stream: l.Stream, Lane: l.Lane, First: l.First, Last: l.Through, Head: l.Through,
			What: holdfast.Data, Records: []json.RawMessage{l.Payload},
		}); err != nil {
			return nil, err
		}
	}
	d := read(r.Topics, mqtt.Message{Topic: l.Topic, Payload: payload}, r.Now())
	if d.letter != nil {
		return nil, fmt.Errorf("%s: %s", d.letter.Code, d.letter.Text)
	}
	if len(d.faults) > 0 && !slices.Contains(d.faults, nil) {
		return nil, fmt.Errorf("%s: %w", codeInvalidRecord, d.faults[0])
	}
	return d, nil
}
