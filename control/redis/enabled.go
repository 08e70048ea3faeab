package redis

import (
	"context"
	"errors"
	"fmt"
	"strings"

	goredis "github.com/redis/go-redis/v9"
)

// reconcile brings measurement:enabled and the gateway together: what changed since the last time wins, and the gateway
// where both did.
func (m *Mirror) reconcile(ctx context.Context, client *goredis.Client) error {
	text, err := client.Get(ctx, KeyEnabled).Result()
	if err != nil && !errors.Is(err, goredis.Nil) {
		return fmt.Errorf("read %s: %w", KeyEnabled, err)
	}
	m.mu.Lock()
	ours := m.measuring
	m.mu.Unlock()
	theirs, valid := parse(text)
	switch decide(m.known, ours, theirs, valid) {
	case tell:
		if err := client.Set(ctx, KeyEnabled, format(ours), 0).Err(); err != nil {
			return fmt.Errorf("write %s: %w", KeyEnabled, err)
		}
		m.known = &ours
	case ask:
		m.known = &theirs
		if err := m.o.Set(ctx, theirs); err != nil {
			m.o.Log.Error("measuring cannot be changed as redis asks", "measuring", theirs, "err", err)
		}
	}
	return nil
}

type action int

const (
	rest action = iota
	tell        // write the gateway's value to Redis
	ask         // ask the gateway to take over the value in Redis
)

// decide says what to do when known is what both sides agreed on (nil: nothing yet), ours is the gateway's value and
// theirs the one in Redis, if that is a valid one.
func decide(known *bool, ours, theirs, valid bool) action {
	switch {
	case known == nil || ours != *known || !valid:
		return tell
	case theirs != *known:
		return ask
	}
	return rest
}

func parse(text string) (on, valid bool) {
	switch strings.ToLower(strings.TrimSpace(text)) {
	case "1", "true":
		return true, true
	case "0", "false":
		return false, true
	}
	return false, false
}

func format(on bool) string {
	if on {
		return "1"
	}
	return "0"
}
