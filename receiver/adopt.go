package receiver

import (
	"context"
	"errors"
	"fmt"

	"holdfast/receiver/store"
)

// maxBoots is how far back Adopt looks for what the device said of its predecessor's streams.
const maxBoots = 1000

// ErrNoDevice is returned for a device that the registry does not know.
var ErrNoDevice = errors.New("no such device")

// Adopt lets device bring the streams that are bound to former: the same card under another id. They stay streams of
// former, and their rows stand under it. What device has said so far about how they ended counts from now on.
func (r *Receiver) Adopt(ctx context.Context, device, former string) error {
	err := r.Store.Write(ctx, func(tx *store.Tx) error {
		for _, id := range []string{device, former} {
			known, err := tx.Known(id)
			if err != nil {
				return err
			}
			if !known {
				return fmt.Errorf("%w: %s", ErrNoDevice, id)
			}
		}
		w := r.writer(tx)
		if err := w.SetPredecessor(device, former, w.now); err != nil {
			return err
		}
		return w.replayBoots(device)
	})
	if err != nil {
		return fmt.Errorf("let %s bring streams of %s: %w", device, former, err)
	}
	r.Log.Info("device brings streams of another", "device", device, "former", former)
	return nil
}

// replayBoots tells again how streams ended, from the boot events of a device.
func (w *writer) replayBoots(device string) error {
	boots, err := w.Boots(device, maxBoots)
	if err != nil {
		return err
	}
	for _, b := range boots {
		s, err := w.Stream(b.Stream, device, w.now)
		if err != nil {
			return err
		}
		if boot := readBoot(&b.Event); boot != nil && boot.Previous != nil && boot.Previous.Stream != s.ID {
			if err := w.end(s, boot.Previous); err != nil {
				return err
			}
		}
	}
	return nil
}
