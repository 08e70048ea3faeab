package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"holdfast"
)

// An Interval is a run of numbers of which the ledger knows the same.
type Interval struct {
	holdfast.Range
	State holdfast.What
	Cause holdfast.Cause // empty for data and thinned
}

// Held returns what the ledger knows of the numbers in r and right beside it, ascending.
func (t *Tx) Held(stream int64, lane holdfast.Lane, r holdfast.Range) ([]Interval, error) {
	// The interval that holds or touches the number before r starts at the greatest first up to it.
	stmt, err := t.stmt(`SELECT first, last, state, cause FROM ledger WHERE stream = ?1 AND lane = ?2 AND first <= ?4 + 1
		AND first >= COALESCE((SELECT MAX(first) FROM ledger WHERE stream = ?1 AND lane = ?2 AND first < ?3), 0) ORDER BY first`)
	if err != nil {
		return nil, err
	}
	rows, err := stmt.QueryContext(t.ctx, stream, string(lane), int64(r.First), int64(r.Last))
	if err != nil {
		return nil, fmt.Errorf("read ledger: %w", err)
	}
	return intervals(rows)
}

// Intervals returns the whole ledger of one lane, ascending.
func (s *Store) Intervals(ctx context.Context, stream int64, lane holdfast.Lane) ([]Interval, error) {
	rows, err := s.readers.QueryContext(ctx,
		"SELECT first, last, state, cause FROM ledger WHERE stream = ? AND lane = ? ORDER BY first", stream, string(lane))
	if err != nil {
		return nil, fmt.Errorf("read ledger: %w", err)
	}
	return intervals(rows)
}

func intervals(rows *sql.Rows) ([]Interval, error) {
	return collect(rows, "ledger", func(i *Interval) []any { return []any{&i.First, &i.Last, &i.State, &i.Cause} })
}

// Replace takes intervals out of a lane's ledger and puts others in, and notes the time of the change.
func (t *Tx) Replace(stream int64, lane holdfast.Lane, out, in []Interval, now time.Time) error {
	for _, i := range out {
		if err := t.exec("DELETE FROM ledger WHERE stream = ? AND lane = ? AND first = ?", stream, string(lane), int64(i.First)); err != nil {
			return fmt.Errorf("change ledger: %w", err)
		}
	}
	for _, i := range in {
		if err := t.exec("INSERT INTO ledger (stream, lane, first, last, state, cause) VALUES (?, ?, ?, ?, ?, ?)",
			stream, string(lane), int64(i.First), int64(i.Last), string(i.State), string(i.Cause)); err != nil {
			return fmt.Errorf("change ledger: %w", err)
		}
	}
	err := t.exec(`INSERT INTO head (stream, lane, head, changed_us) VALUES (?, ?, 0, ?)
		ON CONFLICT (stream, lane) DO UPDATE SET changed_us = excluded.changed_us`, stream, string(lane), micros(now))
	if err != nil {
		return fmt.Errorf("change ledger: %w", err)
	}
	return nil
}

// A Head says how far a lane is known to reach.
type Head struct {
	Head    uint64    // highest number that anybody spoke of; 0 for none
	Durable uint64    // where the lane ended by the next stream's boot event; meaningless unless the stream has ended
	Changed time.Time // when the lane's ledger last changed
}

// Raise notes that a lane reaches at least to head, and returns what is known of it now.
func (t *Tx) Raise(stream int64, lane holdfast.Lane, head uint64) (Head, error) {
	var h Head
	err := t.row(`INSERT INTO head (stream, lane, head) VALUES (?, ?, ?)
		ON CONFLICT (stream, lane) DO UPDATE SET head = MAX(head, excluded.head)
		RETURNING head, COALESCE(durable, 0), changed_us`,
		[]any{stream, string(lane), int64(head)}, &h.Head, &h.Durable, inTime{&h.Changed})
	if err != nil {
		return h, fmt.Errorf("raise head: %w", err)
	}
	return h, nil
}

// SetDurable notes where a lane of a stream that has ended was durable to.
func (t *Tx) SetDurable(stream int64, lane holdfast.Lane, durable uint64) error {
	if err := t.exec("UPDATE head SET durable = ? WHERE stream = ? AND lane = ?", int64(durable), stream, string(lane)); err != nil {
		return fmt.Errorf("note end of lane: %w", err)
	}
	return nil
}

// A Gap is a lane whose ledger lacks numbers below its limit.
type Gap struct {
	Device  string
	Stream  Stream
	Lane    holdfast.Lane
	Limit   uint64    // numbers up to here are due
	Current bool      // the stream is the device's current one
	Changed time.Time // when the lane's ledger last changed
}

// Gaps returns up to limit lanes of devices that are online whose ledger lacks numbers: of streams that are over those that
// have not changed since quiet, and all of current ones, which always change. Of a current stream the numbers below the highest
// that is held are due, for others may be on their way; where the device says that it owes nothing of the lane, and of a
// stream that is over, all numbers up to the head are.
func (s *Store) Gaps(ctx context.Context, quiet time.Time, limit int) ([]Gap, error) {
	rows, err := s.readers.QueryContext(ctx, `
		SELECT device, n, id, first_seen_us, ended, lane, due, current, changed_us FROM (
			SELECT stream.device, stream.n, stream.id, stream.first_seen_us, stream.ended, head.lane, head.changed_us,
				COALESCE(stream.id = device.stream AND stream.ended IS NULL, 0) AS current,
				CASE WHEN stream.id = device.stream AND stream.ended IS NULL AND NOT (json_valid(device.state)
						AND COALESCE(device.state ->> ('$.lanes.' || head.lane || '.pending'), 1) = 0)
					THEN COALESCE(MAX(ledger.last), 0) ELSE head.head END AS due,
				COALESCE(SUM(ledger.last - ledger.first + 1), 0) AS held
			FROM head
			JOIN stream ON stream.n = head.stream
			JOIN device ON device.id = stream.device AND device.online = 1
			LEFT JOIN ledger ON ledger.stream = head.stream AND ledger.lane = head.lane
			WHERE head.changed_us <= ? OR stream.id = device.stream AND stream.ended IS NULL
			GROUP BY head.stream, head.lane)
		WHERE held < due ORDER BY n DESC LIMIT ?`, micros(quiet), limit)
	if err != nil {
		return nil, fmt.Errorf("read gaps: %w", err)
	}
	return collect(rows, "gaps", func(g *Gap) []any {
		return append([]any{&g.Device}, append(g.Stream.columns(), &g.Lane, &g.Limit, &g.Current, inTime{&g.Changed})...)
	})
}
