package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// MetaReached is the key of where devices reached the receiver that ran last.
const MetaReached = "reached"

// Meta returns what is kept under a key, "" for nothing.
func (s *Store) Meta(ctx context.Context, key string) (value string, err error) {
	err = s.readers.QueryRowContext(ctx, "SELECT value FROM meta WHERE key = ?", key).Scan(&value)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("read %s: %w", key, err)
	}
	return value, nil
}

// SetMeta keeps a value under a key.
func (t *Tx) SetMeta(key, value string) error {
	if err := t.exec("INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value", key, value); err != nil {
		return fmt.Errorf("write %s: %w", key, err)
	}
	return nil
}
