package redis

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"holdfast"
)

// An entry is one reading on its way into the stream.
type entry struct {
	time   time.Time
	fields []string // names and values in turn
	given  string   // the reading's own id; empty where it has none
	id     string
	tried  bool // Redis may have taken it, though it did not say so
}

// newEntry returns the entry of a reading, and false where it has no value that is not bad.
func newEntry(r *holdfast.Reading) (entry, bool) {
	e := entry{time: r.Time, given: r.ID}
	for _, quantity := range slices.Sorted(maps.Keys(r.Values)) {
		if r.Quality[quantity] != holdfast.Bad {
			e.fields = append(e.fields, quantity, strconv.FormatFloat(r.Values[quantity], 'f', -1, 64))
		}
	}
	if len(e.fields) == 0 {
		return e, false
	}
	e.fields = append(e.fields, "_sensor", r.Sensor)
	return e, true
}

// write puts the pending entry, if there is one, into the stream.
func (m *Mirror) write(ctx context.Context, client *goredis.Client) error {
	e := m.pending
	if e == nil {
		return nil
	}
	id, err := m.add(ctx, client, e)
	if stale(err) && !e.tried {
		// Somebody else wrote a later id, or the clock went back: Redis names the entry then.
		e.id = "*"
		id, err = m.add(ctx, client, e)
	}
	if err != nil && !stale(err) {
		e.tried = true
		return fmt.Errorf("write a reading to redis: %w", err)
	}
	m.pending = nil // a stale id at the second try means that the first one had arrived
	m.written.Add(1)
	m.ids.saw(id)
	return nil
}

func (m *Mirror) add(ctx context.Context, client *goredis.Client, e *entry) (string, error) {
	return client.XAdd(ctx, &goredis.XAddArgs{Stream: KeyValues, MaxLen: m.o.MaxLen, Approx: true, ID: e.id, Values: e.fields}).Result()
}

// stale reports whether Redis refused an id because the stream has a later one.
func stale(err error) bool {
	return err != nil && strings.Contains(err.Error(), "equal or smaller than the target stream top item")
}

// ids mints the ids of entries: milliseconds and a serial, always growing.
type ids struct {
	ms, serial int64
}

// next returns the id of a reading: its own, where it has one.
func (i *ids) next(t time.Time, given string) string {
	if given != "" {
		return given
	}
	if ms := t.UnixMilli(); ms > i.ms {
		i.ms, i.serial = ms, 0
	} else {
		i.serial++
	}
	return fmt.Sprintf("%d-%d", i.ms, i.serial)
}

// saw takes note of an id that Redis named.
func (i *ids) saw(id string) {
	before, after, _ := strings.Cut(id, "-")
	ms, err := strconv.ParseInt(before, 10, 64)
	serial, err2 := strconv.ParseInt(after, 10, 64)
	if err == nil && err2 == nil && (ms > i.ms || ms == i.ms && serial > i.serial) {
		i.ms, i.serial = ms, serial
	}
}
