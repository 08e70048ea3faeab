package store

import (
	"fmt"
	"time"

	"holdfast"
)

// SetPredecessor notes that device may bring the streams that are bound to former. Once is enough.
func (t *Tx) SetPredecessor(device, former string, now time.Time) error {
	err := t.exec("INSERT INTO predecessor (device, former, since_us) VALUES (?, ?, ?) ON CONFLICT DO NOTHING", device, former, micros(now))
	if err != nil {
		return fmt.Errorf("note predecessor: %w", err)
	}
	return nil
}

// MayBring reports whether device may bring the streams that are bound to owner: its own, and those of its predecessors.
func (t *Tx) MayBring(device, owner string) (bool, error) {
	if device == owner {
		return true, nil
	}
	var n int
	if err := t.row("SELECT COUNT(*) FROM predecessor WHERE device = ? AND former = ?", []any{device, owner}, &n); err != nil {
		return false, fmt.Errorf("read predecessors: %w", err)
	}
	return n > 0, nil
}

// Known reports whether the device is registered.
func (t *Tx) Known(device string) (bool, error) {
	var n int
	if err := t.row("SELECT COUNT(*) FROM device WHERE id = ?", []any{device}, &n); err != nil {
		return false, fmt.Errorf("read device: %w", err)
	}
	return n > 0, nil
}

// Boots returns the newest boot events of a device, up to limit, oldest first, each with the stream that it stands in.
func (t *Tx) Boots(device string, limit int) ([]BootEvent, error) {
	stmt, err := t.stmt(`SELECT json, stream.id FROM record JOIN stream ON stream.n = record.stream
		WHERE record.device = ? AND kind = ? AND json ->> 'event' = ? ORDER BY record.stream DESC, seq DESC LIMIT ?`)
	if err != nil {
		return nil, err
	}
	rows, err := stmt.QueryContext(t.ctx, device, kindEvent, holdfast.EventBoot, limit)
	if err != nil {
		return nil, fmt.Errorf("read boots: %w", err)
	}
	boots, err := collect(rows, "boots", func(b *BootEvent) []any { return []any{inJSON{&b.Event}, inStream{&b.Stream}} })
	for i, j := 0, len(boots)-1; i < j; i, j = i+1, j-1 {
		boots[i], boots[j] = boots[j], boots[i]
	}
	return boots, err
}

// A BootEvent is a boot event and the stream that it stands in.
type BootEvent struct {
	Stream holdfast.Stream
	Event  holdfast.Event
}
