package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"holdfast"
)

// Statuses of a device. Data of an active one is taken; any other makes the device keep it, and a retired one cannot even
// log in.
const (
	StatusActive    = "active"
	StatusPending   = "pending" // waits for an operator's word
	StatusSuspended = "suspended"
	StatusRetired   = "retired"
)

// A Device is one row of the registry.
type Device struct {
	ID        string
	FirstSeen time.Time // zero before it was heard
	LastSeen  time.Time
	Status    string
	Type      string // an operator's word, as Location
	Location  string
	Secret    bool // whether it was given one
	Online    bool
	Stream    holdfast.Stream // the current one; zero before the first state
	State     json.RawMessage // latest holdfast.Status that was more than a last will; empty before
	Catalog   json.RawMessage // latest holdfast.Catalog; empty before
	Alerts    int             // that are not cleared
}

// Seen notes that a device was heard and returns its status; a new one is registered with the status given as fresh. With
// news the device was heard just now; without, what the broker had kept of it was.
func (t *Tx) Seen(device, fresh string, news bool, now time.Time) (status string, err error) {
	err = t.row(`INSERT INTO device (id, first_seen_us, last_seen_us, status) VALUES (?1, ?2, ?2, ?4)
		ON CONFLICT (id) DO UPDATE SET first_seen_us = CASE first_seen_us WHEN 0 THEN ?2 ELSE first_seen_us END,
			last_seen_us = CASE WHEN ?3 OR last_seen_us = 0 THEN ?2 ELSE last_seen_us END RETURNING status`,
		[]any{device, micros(now), news, fresh}, &status)
	if err != nil {
		return "", fmt.Errorf("note device: %w", err)
	}
	return status, nil
}

// SetStatus sets a device's status.
func (t *Tx) SetStatus(device, status string) error {
	if err := t.exec("UPDATE device SET status = ? WHERE id = ?", status, device); err != nil {
		return fmt.Errorf("set device status: %w", err)
	}
	return nil
}

// SetState stores a device's state and makes its stream the current one. The device must be registered.
func (t *Tx) SetState(device string, stream holdfast.Stream, state []byte) error {
	err := t.exec("UPDATE device SET online = 1, stream = ?, state = ? WHERE id = ?", stream[:], string(state), device)
	if err != nil {
		return fmt.Errorf("store state: %w", err)
	}
	return nil
}

// SetOffline notes the last will of a stream and reports whether it counted: that of an earlier stream does not.
func (t *Tx) SetOffline(device string, stream holdfast.Stream) (bool, error) {
	err := t.row("UPDATE device SET online = 0 WHERE id = ? AND (stream = ? OR stream IS NULL) RETURNING id",
		[]any{device, stream[:]}, &device)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("store last will: %w", err)
	}
	return true, nil
}

// SetSilent turns devices offline that nobody heard since the given time, and returns them. A last will does not come
// where the broker died with the device.
func (t *Tx) SetSilent(since time.Time) ([]string, error) {
	stmt, err := t.stmt("UPDATE device SET online = 0 WHERE online = 1 AND last_seen_us < ? RETURNING id")
	if err != nil {
		return nil, err
	}
	rows, err := stmt.QueryContext(t.ctx, micros(since))
	if err != nil {
		return nil, fmt.Errorf("note silent devices: %w", err)
	}
	return collect(rows, "silent devices", func(id *string) []any { return []any{id} })
}

// SetCatalog stores what a device measures, and the units of its series, and reports whether the device is online. The device
// must be registered.
func (t *Tx) SetCatalog(device string, catalog *holdfast.Catalog, text []byte) (online bool, err error) {
	if err := t.row("UPDATE device SET catalog = ? WHERE id = ? RETURNING online", []any{string(text), device}, &online); err != nil {
		return false, fmt.Errorf("store catalog: %w", err)
	}
	for _, sensor := range catalog.Sensors {
		for _, q := range sensor.Quantities {
			err := t.exec(`INSERT INTO series (device, sensor, quantity, unit) VALUES (?, ?, ?, ?)
				ON CONFLICT (device, sensor, quantity) DO UPDATE SET unit = excluded.unit WHERE unit <> excluded.unit`,
				device, sensor.Name, q.Name, q.Unit)
			if err != nil {
				return false, fmt.Errorf("store units: %w", err)
			}
		}
	}
	return online, nil
}

const selectDevice = `SELECT id, NULLIF(first_seen_us, 0), NULLIF(last_seen_us, 0), status, type, location, hash <> '', online, stream, state, catalog,
	(SELECT COUNT(*) FROM alert WHERE alert.device = device.id AND alert.state <> 'cleared') FROM device `

// Devices returns up to limit devices by id. The one named by only comes alone; "" is for all.
func (s *Store) Devices(ctx context.Context, only string, limit int) ([]Device, error) {
	rows, err := s.readers.QueryContext(ctx, selectDevice+"WHERE ?1 = '' OR id = ?1 ORDER BY id LIMIT ?2", only, limit)
	if err != nil {
		return nil, fmt.Errorf("read devices: %w", err)
	}
	return collect(rows, "devices", func(d *Device) []any {
		return []any{&d.ID, inTime{&d.FirstSeen}, inTime{&d.LastSeen}, &d.Status, &d.Type, &d.Location, &d.Secret, &d.Online, inStream{&d.Stream},
			inText[json.RawMessage]{&d.State}, inText[json.RawMessage]{&d.Catalog}, &d.Alerts}
	})
}

// Online returns how many devices are online.
func (s *Store) Online(ctx context.Context) (int, error) {
	var n int
	if err := s.readers.QueryRowContext(ctx, "SELECT COUNT(*) FROM device WHERE online = 1").Scan(&n); err != nil {
		return 0, fmt.Errorf("count devices: %w", err)
	}
	return n, nil
}
