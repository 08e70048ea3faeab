package redis

import (
	"context"
	"errors"
	"fmt"

	goredis "github.com/redis/go-redis/v9"
)

// reconcile brings the keys in Redis and the gateway together: what changed since the last time wins, and the gateway where
// both did.
func (m *Mirror) reconcile(ctx context.Context, client *goredis.Client) error {
	for _, key := range m.o.Keys {
		if err := m.reconcileKey(ctx, client, key); err != nil {
			return err
		}
	}
	return nil
}

func (m *Mirror) reconcileKey(ctx context.Context, client *goredis.Client, key string) error {
	theirs, err := client.Get(ctx, key).Result()
	if err != nil && !errors.Is(err, goredis.Nil) {
		return fmt.Errorf("read %s: %w", key, err)
	}
	ours, err := m.o.Get(key)
	if err != nil {
		m.o.Log.Error("the gateway's value is not known", "key", key, "err", err)
		return nil
	}
	known, met := m.known[key]
	if met && ours == known && theirs != known && theirs != "" {
		if err := m.o.Set(ctx, key, theirs); err != nil {
			m.o.Log.Warn("what redis asks for is refused", "key", key, "err", err)
		} else if ours, err = m.o.Get(key); err != nil {
			return nil // at the next look
		}
	}
	if theirs != ours {
		if err := client.Set(ctx, key, ours, 0).Err(); err != nil {
			return fmt.Errorf("write %s: %w", key, err)
		}
	}
	m.known[key] = ours
	return nil
}
