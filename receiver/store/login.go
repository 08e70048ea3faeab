package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// A Login is a name that may log in at the broker, and the hash of its secret.
type Login struct {
	Name     string
	Hash     string
	Operator bool // else a device
}

// ErrTaken is returned for a name that somebody has already.
var ErrTaken = errors.New("the name is taken")

// Unretired devices with a secret, and operators.
const selectLogins = `SELECT id, hash, 0 FROM device WHERE hash <> '' AND status <> 'retired' AND (?1 = '' OR id = ?1)
	UNION ALL SELECT name, hash, 1 FROM operator WHERE ?1 = '' OR name = ?1 ORDER BY 1`

// Logins returns everybody who may log in, by name. The one named by only comes alone; "" is for all.
func (s *Store) Logins(ctx context.Context, only string) ([]Login, error) {
	rows, err := s.readers.QueryContext(ctx, selectLogins, only)
	if err != nil {
		return nil, fmt.Errorf("read logins: %w", err)
	}
	return collect(rows, "logins", func(l *Login) []any { return []any{&l.Name, &l.Hash, &l.Operator} })
}

// AddDevice registers a device with the hash of its first secret. One that was heard before it had a secret keeps what is
// known of it; one that has a secret gives [ErrTaken], and so does the name of an operator.
func (t *Tx) AddDevice(d Device, hash string) error {
	if err := t.free("operator", "name", d.ID); err != nil {
		return err
	}
	err := t.row(`INSERT INTO device (id, first_seen_us, last_seen_us, status, hash, type, location) VALUES (?1, 0, 0, ?2, ?3, ?4, ?5)
		ON CONFLICT (id) DO UPDATE SET hash = excluded.hash, type = excluded.type, location = excluded.location,
			status = CASE status WHEN 'pending' THEN excluded.status ELSE status END WHERE hash = '' RETURNING id`,
		[]any{d.ID, d.Status, hash, d.Type, d.Location}, &d.ID)
	if errors.Is(err, sql.ErrNoRows) {
		return ErrTaken
	}
	if err != nil {
		return fmt.Errorf("add device: %w", err)
	}
	return nil
}

// SetDeviceHash replaces the hash of a device's secret, and reports whether there is such a device.
func (t *Tx) SetDeviceHash(device, hash string) (bool, error) {
	return t.found("set secret", "UPDATE device SET hash = ? WHERE id = ? RETURNING 1", hash, device)
}

// PutOperator adds an operator.
func (t *Tx) PutOperator(name, hash string, now time.Time) error {
	if err := t.free("device", "id", name); err != nil {
		return err
	}
	if err := t.free("operator", "name", name); err != nil {
		return err
	}
	if err := t.exec("INSERT INTO operator (name, hash, since_us) VALUES (?, ?, ?)", name, hash, micros(now)); err != nil {
		return fmt.Errorf("add operator: %w", err)
	}
	return nil
}

// SetOperatorHash replaces the hash of an operator's secret, and reports whether there is such an operator.
func (t *Tx) SetOperatorHash(name, hash string) (bool, error) {
	return t.found("set secret", "UPDATE operator SET hash = ? WHERE name = ? RETURNING 1", hash, name)
}

// DropOperator removes an operator, and reports whether there was one.
func (t *Tx) DropOperator(name string) (bool, error) {
	return t.found("remove operator", "DELETE FROM operator WHERE name = ? RETURNING 1", name)
}

// free returns ErrTaken where the table has a row of that name.
func (t *Tx) free(table, column, name string) error {
	taken, err := t.found("read names", "SELECT 1 FROM "+table+" WHERE "+column+" = ?", name)
	if err == nil && taken {
		return ErrTaken
	}
	return err
}

func (t *Tx) found(doing, query string, args ...any) (bool, error) {
	var one int
	err := t.row(query, args, &one)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("%s: %w", doing, err)
	}
	return true, nil
}
