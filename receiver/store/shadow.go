package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// A Shadow is what is known of a device's shadow, and what is wished of it that the device has not answered.
type Shadow struct {
	Device    string
	Document  json.RawMessage // the last that the device published; empty before
	Published time.Time
	Desired   json.RawMessage // wishes that wait, a map of setting keys to values; {} for none
	Version   int64           // that the wishes depend on; 0 for any
	Token     string          // clientToken of the request that last brought them to the device
	Wished    time.Time       // when the newest wish came
	Sent      time.Time       // when they last went to the device; zero for never
	Rejection json.RawMessage // why wishes were dropped last; empty where none were
	Rejected  time.Time
}

const selectShadow = `SELECT document, document_us, desired, version, token, desired_us, NULLIF(sent_us, 0), rejection, rejected_us FROM shadow WHERE device = ?`

func (s *Shadow) columns() []any {
	return []any{inText[json.RawMessage]{&s.Document}, inTime{&s.Published}, inText[json.RawMessage]{&s.Desired}, &s.Version, &s.Token,
		inTime{&s.Wished}, inTime{&s.Sent}, inText[json.RawMessage]{&s.Rejection}, inTime{&s.Rejected}}
}

// settled is a shadow without documents or wishes where none was found.
func settled(device string, s Shadow, err error) (Shadow, error) {
	if s.Device = device; errors.Is(err, sql.ErrNoRows) {
		s.Desired = json.RawMessage("{}")
		return s, nil
	}
	if err != nil {
		return s, fmt.Errorf("read shadow: %w", err)
	}
	return s, nil
}

// Shadow returns the shadow of a device, an empty one where nothing is known.
func (s *Store) Shadow(ctx context.Context, device string) (Shadow, error) {
	var found Shadow
	err := s.readers.QueryRowContext(ctx, selectShadow, device).Scan(found.columns()...)
	return settled(device, found, err)
}

// Shadow is [Store.Shadow] within the transaction.
func (t *Tx) Shadow(device string) (Shadow, error) {
	var found Shadow
	err := t.row(selectShadow, []any{device}, found.columns()...)
	return settled(device, found, err)
}

// PutShadow stores a shadow in place of the one before.
func (t *Tx) PutShadow(s Shadow) error {
	err := t.exec(`INSERT INTO shadow (device, document, document_us, desired, version, token, desired_us, sent_us, rejection, rejected_us)
		VALUES (?, ?, ?, ?, ?, ?, ?, COALESCE(?, 0), ?, ?)
		ON CONFLICT (device) DO UPDATE SET document = excluded.document, document_us = excluded.document_us, desired = excluded.desired,
			version = excluded.version, token = excluded.token, desired_us = excluded.desired_us, sent_us = excluded.sent_us,
			rejection = excluded.rejection, rejected_us = excluded.rejected_us`,
		s.Device, textOrNull(s.Document), timeOrNull(s.Published), string(s.Desired), s.Version, s.Token, timeOrNull(s.Wished), timeOrNull(s.Sent),
		textOrNull(s.Rejection), timeOrNull(s.Rejected))
	if err != nil {
		return fmt.Errorf("store shadow: %w", err)
	}
	return nil
}

func textOrNull(text json.RawMessage) any {
	if len(text) == 0 {
		return nil
	}
	return string(text)
}

func timeOrNull(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return micros(t)
}
