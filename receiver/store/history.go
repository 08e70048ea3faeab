package store

import (
	"context"
	"fmt"
	"time"

	"holdfast"
)

// An Alert is the latest step of an alert.
type Alert struct {
	Device string
	holdfast.Alert
}

// Alerts returns up to limit alerts, the newest step first, of one device or with "" of all, in one state or with "" in any.
func (s *Store) Alerts(ctx context.Context, device string, state holdfast.AlertState, limit int) ([]Alert, error) {
	rows, err := s.readers.QueryContext(ctx, `SELECT device, json FROM alert WHERE (?1 = '' OR device = ?1) AND (?2 = '' OR state = ?2)
		ORDER BY time_us DESC LIMIT ?3`, device, string(state), limit)
	if err != nil {
		return nil, fmt.Errorf("read alerts: %w", err)
	}
	return collect(rows, "alerts", func(a *Alert) []any { return []any{&a.Device, inJSON{&a.Alert}} })
}

// An Event is something that happened on a device.
type Event struct {
	holdfast.Event // its Time is the re-timed one where the device's was a guess
	Stream         holdfast.Stream
	Seq            uint64
}

// Events returns up to limit events of a device within from..to, the newest first; name "" is for all.
func (s *Store) Events(ctx context.Context, device, name string, from, to time.Time, limit int) ([]Event, error) {
	rows, err := s.readers.QueryContext(ctx, `SELECT json, time_us, id, seq FROM (
			SELECT record.json, record.time_us, stream.id, record.seq FROM record JOIN stream ON stream.n = record.stream
			WHERE record.device = ?1 AND kind = ?2 AND time_us >= ?3 AND time_us < ?4 AND (?5 = '' OR json ->> 'event' = ?5)
			ORDER BY time_us DESC, record.stream DESC, seq DESC LIMIT ?6)`,
		device, kindEvent, micros(from), micros(to), name, limit)
	if err != nil {
		return nil, fmt.Errorf("read events: %w", err)
	}
	return collect(rows, "events", func(e *Event) []any {
		return []any{inJSON{&e.Event}, inTime{&e.Time}, inStream{&e.Stream}, &e.Seq}
	})
}
