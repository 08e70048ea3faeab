package store

import (
	"context"
	"fmt"
	"time"

	"holdfast"
)

// AddAnchor stores that a boot's monotonic clock read a.Mono at the given wall time.
func (t *Tx) AddAnchor(device string, at time.Time, a holdfast.Anchor) error {
	err := t.exec(`INSERT INTO anchor (device, boot, mono, time_us, uncertainty_us) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (device, boot, mono) DO NOTHING`, device, a.Boot, a.Mono, micros(at), a.UncertaintyUS)
	if err != nil {
		return fmt.Errorf("store anchor: %w", err)
	}
	return nil
}

// Retime gives up to limit samples and as many records, whose time was a guess, the time that the best anchor of their boot
// says, and returns how many it found. The guess stays beside it. It is idempotent: what was re-timed is not found again.
func (s *Store) Retime(ctx context.Context, limit int) (int, error) {
	due, err := s.guesses(ctx, limit)
	if err != nil || len(due) == 0 {
		return 0, err
	}
	err = s.Write(ctx, func(tx *Tx) error {
		for _, g := range due {
			if err := tx.retime(g); err != nil {
				return fmt.Errorf("re-time: %w", err)
			}
		}
		return nil
	})
	return len(due), err
}

// A guess is a row that waits for its time.
type guess struct {
	series, timeUS, stream, seq int64 // of a sample
	lane                        string
	part                        int64 // of a record, which has a lane
	truth                       int64 // µs
}

func (s *Store) guesses(ctx context.Context, limit int) ([]guess, error) {
	// The anchor with the least uncertainty; of equals the first. An anchor counts for its own device only.
	const anchored = `(SELECT anchor.time_us - anchor.mono FROM anchor WHERE anchor.device = %s AND anchor.boot = %s.boot
		ORDER BY uncertainty_us, mono LIMIT 1)`
	query := `SELECT series, time_us, stream, seq, '', 0, truth FROM (
			SELECT sample.*, mono + ` + fmt.Sprintf(anchored, "series.device", "sample") + ` AS truth
			FROM sample JOIN series ON series.id = sample.series
			WHERE boot IS NOT NULL AND orig_time_us IS NULL AND boot IN (SELECT boot FROM anchor))
		WHERE truth IS NOT NULL LIMIT ?`
	samples, err := s.readers.QueryContext(ctx, query, limit)
	if err != nil {
		return nil, fmt.Errorf("read guessed samples: %w", err)
	}
	columns := func(g *guess) []any {
		return []any{&g.series, &g.timeUS, &g.stream, &g.seq, &g.lane, &g.part, &g.truth}
	}
	due, err := collect(samples, "guessed samples", columns)
	if err != nil {
		return nil, err
	}
	query = `SELECT 0, time_us, stream, seq, lane, part, truth FROM (
			SELECT record.*, mono + ` + fmt.Sprintf(anchored, "record.device", "record") + ` AS truth
			FROM record
			WHERE boot IS NOT NULL AND orig_time_us IS NULL AND boot IN (SELECT boot FROM anchor))
		WHERE truth IS NOT NULL LIMIT ?`
	records, err := s.readers.QueryContext(ctx, query, limit)
	if err != nil {
		return nil, fmt.Errorf("read guessed records: %w", err)
	}
	more, err := collect(records, "guessed records", columns)
	return append(due, more...), err
}

func (t *Tx) retime(g guess) error {
	if g.lane == "" {
		return t.exec("UPDATE sample SET time_us = ?, orig_time_us = time_us WHERE series = ? AND time_us = ? AND stream = ? AND seq = ? AND orig_time_us IS NULL",
			g.truth, g.series, g.timeUS, g.stream, g.seq)
	}
	return t.exec("UPDATE record SET time_us = ?, orig_time_us = time_us WHERE stream = ? AND lane = ? AND seq = ? AND part = ? AND orig_time_us IS NULL",
		g.truth, g.stream, g.lane, g.seq, g.part)
}
