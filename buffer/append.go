package buffer

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"holdfast"
)

// A Record is one record on its way into a lane.
type Record struct {
	Lane holdfast.Lane
	Time time.Time // wall time
	Mono int64     // CLOCK_BOOTTIME in µs
	Data []byte    // the record's JSON; the buffer keeps the slice
}

// A Change lands in one transaction, whole: its records in their order, and its state. A nil State value deletes the key.
// What is Local may land later than the rest.
type Change struct {
	Records []Record
	Local   []Record // withheld readings, for the local lane, see local.go
	State   map[string][]byte
	Waited  time.Duration // how long the oldest record has waited for Append: the window counts from then
	Urgent  bool          // commit at once, as alerts and events always are
}

// maxRecord is the longest record that fits into a batch with what the batch says of itself.
const maxRecord = holdfast.MaxBatchBytes - 1<<10

// Keys of state are at most maxKey bytes, values at most maxValue.
const (
	maxKey   = 255
	maxValue = 1 << 20
)

func fits(key string, value []byte) bool {
	return key != "" && len(key) <= maxKey && len(value) <= maxValue
}

// Append queues c and returns; it never waits for the card. Records get their numbers when they become durable: alerts,
// events and urgent changes at once, telemetry within the window. A record too large for any batch becomes a rejected
// statement at its place. While the card takes nothing, records wait in bounded memory; beyond the bound the oldest
// telemetry becomes a dropped statement.
//
// It returns an error, and takes nothing of c, for a record that is not JSON, a lane or a key that cannot be, and ErrClosed.
func (b *Buffer) Append(c Change) error {
	if err := c.check(); err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return ErrClosed
	}
	urgent := b.keepLocal(c.Local) || c.Urgent
	for _, r := range c.Records {
		i, _ := laneIndex(r.Lane)
		urgent = urgent || i != telemetry
		b.queues[i].push(newItem(r))
	}
	b.stage(c.State, nil)
	b.boundQueues()
	if waiting, _ := b.queued(); b.health.failing == nil && (urgent || waiting >= b.o.WindowRecords) {
		signal(b.wake) // a card that refuses is asked once a window
	} else if c.Waited > 0 {
		b.hurry(c.Waited)
	}
	return nil
}

// Commit appends c and waits until it is durable. Several Commits that wait at the same time share a transaction. An
// error other than that of ctx means that nothing of c is in the buffer: the change was taken back, its records have no
// numbers and its keys their former values. (Should the power fail right after the card refused the last page of a
// commit, the change may yet be found in the file.) With ctx's error the change is still under way, and may become
// durable.
//
// While the file is in memory nothing becomes durable, and each Commit says why.
//
// Records of a Commit stand behind those that were appended in the same window.
func (b *Buffer) Commit(ctx context.Context, c Change) error {
	if err := c.check(); err != nil {
		return err
	}
	w := &waiter{change: c, done: make(chan struct{})}
	b.mu.Lock()
	if b.closed {
		b.mu.Unlock()
		return ErrClosed
	}
	if b.memory != nil {
		err := b.health.failing
		b.mu.Unlock()
		return fmt.Errorf("the data folder takes no file: %w", err)
	}
	b.waiting = append(b.waiting, w)
	b.stage(c.State, w)
	b.keepLocal(c.Local)
	b.mu.Unlock()
	signal(b.wake)
	select {
	case <-w.done:
		return w.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// A waiter is a Commit that waits.
type waiter struct {
	change Change
	err    error
	done   chan struct{} // closed when err is settled
}

func (w *waiter) end(err error) {
	w.err = err
	close(w.done)
}

// A put is a value of state on its way into the file.
type put struct {
	key   string
	value []byte  // nil deletes
	of    *waiter // nil for those of Append
}

// check returns an error unless c can be stored, and makes sure that each record is one line. Called before the lock.
func (c *Change) check() (err error) {
	for i, r := range c.Records {
		if _, err := laneIndex(r.Lane); err != nil {
			return fmt.Errorf("append record %d: %w", i, err)
		}
	}
	if c.Records, err = oneLine(c.Records); err != nil {
		return err
	}
	if c.Local, err = oneLine(c.Local); err != nil {
		return err
	}
	for key, value := range c.State {
		if !fits(key, value) {
			return fmt.Errorf("append state %q: a key of %d bytes, a value of %d: want 1 to %d, at most %d", key, len(key), len(value), maxKey, maxValue)
		}
	}
	return nil
}

// oneLine returns the records with each one on a line.
func oneLine(records []Record) ([]Record, error) {
	cloned := false
	for i, r := range records {
		if !json.Valid(r.Data) {
			return nil, fmt.Errorf("append record %d to lane %s: it is not JSON", i, r.Lane)
		}
		if bytes.IndexByte(r.Data, '\n') < 0 && bytes.IndexByte(r.Data, '\r') < 0 {
			continue
		}
		var line bytes.Buffer
		if err := json.Compact(&line, r.Data); err != nil {
			return nil, fmt.Errorf("append record %d to lane %s: %w", i, r.Lane, err)
		}
		if !cloned {
			records, cloned = slices.Clone(records), true
		}
		records[i].Data = line.Bytes()
	}
	return records, nil
}

// keepLocal takes what is for the local lane, unless there is no history. It reports whether that wants a commit. Called with
// the lock held.
func (b *Buffer) keepLocal(records []Record) bool {
	return b.o.HistoryBytes > 0 && b.shelf.put(records)
}

// stage queues values of state. What Append staged last under a key is replaced in its place, so that a checkpoint a second
// does not pile up while the card takes nothing. Called with the lock held.
func (b *Buffer) stage(state map[string][]byte, of *waiter) {
	for key, value := range state {
		if value != nil {
			value = append(make([]byte, 0, len(value)), value...)
		}
		if i, ok := b.newest[key]; ok && of == nil && i >= b.flying && b.puts[i].of == nil {
			b.puts[i].value = value
			continue
		}
		b.newest[key] = len(b.puts)
		b.puts = append(b.puts, put{key: key, value: value, of: of})
	}
}

// unstage takes puts out of the queue. Called with the lock held.
func (b *Buffer) unstage(gone func(i int, p put) bool) {
	kept := b.puts[:0]
	clear(b.newest)
	for i, p := range b.puts {
		if !gone(i, p) {
			b.newest[p.key] = len(kept)
			kept = append(kept, p)
		}
	}
	clear(b.puts[len(kept):])
	b.puts = kept
}

// State returns the newest value of key, durable or not; nil where there is none. The value must not be changed.
func (b *Buffer) State(key string) []byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.value(key)
}

func (b *Buffer) value(key string) []byte {
	if i, ok := b.newest[key]; ok {
		return b.puts[i].value
	}
	return b.state[key]
}

// StateKeys returns, in order, the keys that begin with prefix and have a value.
func (b *Buffer) StateKeys(prefix string) []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	names := make(map[string]bool, len(b.state))
	for key := range b.state {
		names[key] = true
	}
	for _, p := range b.puts {
		names[p.key] = true
	}
	var out []string
	for key := range names {
		if strings.HasPrefix(key, prefix) && b.value(key) != nil {
			out = append(out, key)
		}
	}
	slices.Sort(out)
	return out
}
