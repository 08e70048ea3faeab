package desk

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"holdfast"
	"holdfast/receiver/store"
	"holdfast/wire"
)

// shelfLife is how long a command is kept that does not say when it expires.
const shelfLife = 7 * 24 * time.Hour

// Keep stores a command for a device and returns its id, a new one where it has none. An id that the device has already
// changes nothing. The error is a [*Refusal] where the command itself is the reason: [ErrDevice], [ErrInvalid], [ErrFull].
func Keep(ctx context.Context, s *store.Store, device string, c holdfast.Command, now time.Time) (id string, err error) {
	c.V = holdfast.Version
	if c.ID == "" {
		c.ID = rand.Text()
	}
	payload, err := wire.Encode(&c)
	if err != nil {
		return "", refuse(ErrInvalid, "%v", err)
	}
	if len(payload) > holdfast.MaxCommandBytes {
		return "", refuse(ErrInvalid, "a command of %d bytes: want at most %d", len(payload), holdfast.MaxCommandBytes)
	}
	if !c.Expires.IsZero() && !c.Expires.After(now) {
		return "", refuse(ErrInvalid, "expires: %s has passed: want a time to come", c.Expires.Format(time.RFC3339))
	}
	err = s.Write(ctx, func(tx *store.Tx) error { return keep(tx, device, &c, payload, now, false) })
	if err != nil {
		return "", err
	}
	return c.ID, nil
}

// keep stores a command. One that an operator published while the device was there has reached it, as far as anybody knows.
func keep(tx *store.Tx, device string, c *holdfast.Command, payload []byte, now time.Time, sent bool) error {
	known, err := tx.Known(device)
	if err != nil {
		return err
	}
	if !known {
		return refuse(ErrDevice, "no device %s", device)
	}
	expires := c.Expires
	if expires.IsZero() {
		expires = now.Add(shelfLife)
	}
	if !expires.After(now) {
		return nil
	}
	kept := store.Command{
		Device: device, ID: c.ID, Name: c.Name, From: c.From, Payload: payload, Received: now, Expires: expires, State: store.CommandKept,
	}
	if sent {
		kept.Sent, kept.State = now, store.CommandSent
	}
	_, err = tx.KeepCommand(kept)
	if errors.Is(err, store.ErrFull) {
		return refuse(ErrFull, "%v for %s: want fewer, or some of them withdrawn", err, device)
	}
	return err
}

// Errors of [Withdraw], beside [store.ErrNoCommand].
var ErrSettled = errors.New("the command is settled already")

// Withdraw makes a command not be sent any more. One that was sent already may still be carried out; its answer is noted then.
func Withdraw(ctx context.Context, s *store.Store, device, id string) error {
	return s.Write(ctx, func(tx *store.Tx) error {
		waited, err := tx.WithdrawCommand(device, id)
		if err == nil && !waited {
			err = fmt.Errorf("%w: %s", ErrSettled, id)
		}
		return err
	})
}
