package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"holdfast"
)

// Ends of a stream.
const (
	EndedClean = "clean" // its numbers are final
	EndedCrash = "crash" // what lies above its durable numbers is lost
	EndedLost  = "lost"  // with its card: what is not here is lost, and nobody knows how far it went
)

// A Stream is one numbering of one device.
type Stream struct {
	N         int64 // its number within this database
	ID        holdfast.Stream
	Device    string // the device that first used it
	FirstSeen time.Time
	Ended     string // "" while it runs, or while nobody told
}

// columns are those of n, id, first_seen_us, ended.
func (s *Stream) columns() []any {
	return []any{&s.N, inStream{&s.ID}, inTime{&s.FirstSeen}, inText[string]{&s.Ended}}
}

// FindStream returns the stream with the given id; nil where nobody used it.
func (t *Tx) FindStream(id holdfast.Stream) (*Stream, error) {
	var s Stream
	err := t.row("SELECT n, id, first_seen_us, ended, device FROM stream WHERE id = ?", []any{id[:]}, append(s.columns(), &s.Device)...)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("find stream: %w", err)
	}
	return &s, nil
}

// Stream returns the stream with the given id, bound to the device that first used it: to device, where it is new.
func (t *Tx) Stream(id holdfast.Stream, device string, now time.Time) (Stream, error) {
	s, err := t.FindStream(id)
	if s == nil && err == nil {
		if err = t.exec("INSERT INTO stream (id, device, first_seen_us) VALUES (?, ?, ?)", id[:], device, micros(now)); err == nil {
			s, err = t.FindStream(id)
		}
	}
	if err != nil {
		return Stream{}, fmt.Errorf("note stream: %w", err)
	}
	return *s, nil
}

// End notes how a stream ended; "" that it has not.
func (t *Tx) End(stream int64, ended string) error {
	if err := t.exec("UPDATE stream SET ended = NULLIF(?, '') WHERE n = ?", ended, stream); err != nil {
		return fmt.Errorf("note end of stream: %w", err)
	}
	return nil
}

// Streams returns up to limit streams of a device, the newest first.
func (s *Store) Streams(ctx context.Context, device string, limit int) ([]Stream, error) {
	rows, err := s.readers.QueryContext(ctx,
		"SELECT device, n, id, first_seen_us, ended FROM stream WHERE device = ? ORDER BY n DESC LIMIT ?", device, limit)
	if err != nil {
		return nil, fmt.Errorf("read streams: %w", err)
	}
	return collect(rows, "streams", func(s *Stream) []any { return append([]any{&s.Device}, s.columns()...) })
}

const selectHeads = "SELECT lane, head, COALESCE(durable, 0), changed_us FROM head WHERE stream = ?"

// Heads returns how far the lanes of a stream reach.
func (s *Store) Heads(ctx context.Context, stream int64) (map[holdfast.Lane]Head, error) {
	rows, err := s.readers.QueryContext(ctx, selectHeads, stream)
	if err != nil {
		return nil, fmt.Errorf("read heads: %w", err)
	}
	return heads(rows)
}

func heads(rows *sql.Rows) (map[holdfast.Lane]Head, error) {
	type row struct {
		lane holdfast.Lane
		Head
	}
	all, err := collect(rows, "heads", func(r *row) []any {
		return []any{&r.lane, &r.Head.Head, &r.Durable, inTime{&r.Changed}}
	})
	heads := make(map[holdfast.Lane]Head, len(all))
	for _, r := range all {
		heads[r.lane] = r.Head
	}
	return heads, err
}

// Totals counts the numbers of a device, over all its streams and lanes.
type Totals struct {
	Head     uint64 // how many are known to exist
	Data     uint64
	Thinned  uint64
	Dropped  uint64
	Rejected uint64
}

// Totals returns the totals of every device, or of the one named by only.
func (s *Store) Totals(ctx context.Context, only string) (map[string]Totals, error) {
	rows, err := s.readers.QueryContext(ctx, `
		SELECT stream.device, 'head', CAST(TOTAL(head.head) AS INTEGER) FROM head JOIN stream ON stream.n = head.stream
			WHERE ?1 = '' OR stream.device = ?1 GROUP BY stream.device
		UNION ALL
		SELECT stream.device, ledger.state, CAST(TOTAL(ledger.last - ledger.first + 1) AS INTEGER) FROM ledger JOIN stream ON stream.n = ledger.stream
			WHERE ?1 = '' OR stream.device = ?1 GROUP BY stream.device, ledger.state`, only)
	if err != nil {
		return nil, fmt.Errorf("read totals: %w", err)
	}
	type row struct {
		device, state string
		n             uint64
	}
	all, err := collect(rows, "totals", func(r *row) []any { return []any{&r.device, &r.state, &r.n} })
	totals := make(map[string]Totals)
	for _, r := range all {
		t := totals[r.device]
		switch holdfast.What(r.state) {
		case "head":
			t.Head = r.n
		case holdfast.Data:
			t.Data = r.n
		case holdfast.Thin:
			t.Thinned = r.n
		case holdfast.Dropped:
			t.Dropped = r.n
		case holdfast.Rejected:
			t.Rejected = r.n
		}
		totals[r.device] = t
	}
	return totals, err
}
