package receiver

import (
	"context"
	"fmt"

	"holdfast/receiver/store"
)

// SetStatus sets the status of a device, one of those in [store]. Batches that come from now on are treated accordingly: a
// device that was told to keep its data asks again within a minute. The error wraps [ErrNoDevice] where there is none.
func SetStatus(ctx context.Context, s *store.Store, device, status string) error {
	err := s.Write(ctx, func(tx *store.Tx) error {
		known, err := tx.Known(device)
		if err != nil {
			return err
		}
		if !known {
			return fmt.Errorf("%w: %s", ErrNoDevice, device)
		}
		return tx.SetStatus(device, status)
	})
	if err != nil {
		return fmt.Errorf("make device %s: %w", status, err)
	}
	return nil
}
