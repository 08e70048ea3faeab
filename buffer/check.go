package buffer

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"go.etcd.io/bbolt"
	bberrors "go.etcd.io/bbolt/errors"
)

// ErrDamaged is wrapped by what [Check] and [Open] return for a file that must be salvaged.
var ErrDamaged = errors.New("buffer file is damaged")

// A Report is what [Check] or [Salvage] found.
type Report struct {
	Streams  int      `json:"streams"`
	Blocks   int      `json:"blocks"`
	Records  uint64   `json:"records"`  // in these blocks
	Bytes    int64    `json:"bytes"`    // of these blocks
	Lost     uint64   `json:"lost"`     // numbers that damage took; Salvage stated them as corrupt
	State    int      `json:"state"`    // values of state
	Problems []string `json:"problems"` // of Check; the first 20
}

const maxProblems = 20

func (r *Report) problem(err error) {
	if len(r.Problems) < maxProblems {
		r.Problems = append(r.Problems, err.Error())
	}
}

// Check looks at every page, every checksum and every number of the file at path, which nobody may hold open for
// writing. It returns an error that wraps [ErrDamaged] where anything is wrong, and another one where it could not look.
//
// A damaged file can end the process or keep it busy for ever: run it in a child process, with a time limit, and take
// everything but its good end for damage.
func Check(ctx context.Context, path string) (Report, error) {
	var report Report
	metas, err := readMetas(path)
	if err != nil {
		return report, fmt.Errorf("check buffer %s: %w", path, err)
	}
	if err := walkUnheld(path); err != nil {
		return report, fmt.Errorf("check buffer %s: %w", path, err)
	}
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{ReadOnly: true, Timeout: lockWait})
	switch {
	case errors.Is(err, bberrors.ErrTimeout):
		return report, fmt.Errorf("check buffer: another process holds %s", path)
	case errors.Is(err, bberrors.ErrInvalid), errors.Is(err, bberrors.ErrChecksum), errors.Is(err, bberrors.ErrVersionMismatch):
		return report, fmt.Errorf("check buffer %s: %w: %w", path, ErrDamaged, err)
	case err != nil:
		return report, fmt.Errorf("check buffer %s: %w", path, err)
	}
	defer db.Close()
	if err := checkMetas(metas); err != nil {
		return report, fmt.Errorf("check buffer %s: %w", path, err)
	}
	if err := errors.Join(checkPages(db, &report), checkBlocks(ctx, db, &report), checkNumbers(db, &report)); err != nil {
		return report, fmt.Errorf("check buffer %s: %w", path, err)
	}
	if len(report.Problems) > 0 {
		return report, fmt.Errorf("check buffer %s: %w: %s", path, ErrDamaged, report.Problems[0])
	}
	return report, nil
}

// checkPages is bbolt's own check: each page reachable or free, never both, keys in order.
func checkPages(db *bbolt.DB, report *Report) error {
	return db.View(func(tx *bbolt.Tx) error {
		for err := range tx.Check() {
			report.problem(err)
		}
		if err := checkLayout(tx); err != nil {
			report.problem(err)
		}
		for _, name := range bucketNames() {
			if tx.Bucket(name) == nil {
				report.problem(fmt.Errorf("no bucket %q", name))
			}
		}
		return nil
	})
}

// checkBlocks reads every block to its last record.
func checkBlocks(ctx context.Context, db *bbolt.DB, report *Report) error {
	return db.View(func(tx *bbolt.Tx) error {
		buckets := tailNames[:]
		for i := range local + 1 {
			buckets = append(buckets, bucketName(i))
		}
		for _, name := range buckets {
			bucket := tx.Bucket(name)
			if bucket == nil {
				continue
			}
			cursor := bucket.Cursor()
			for k, v := cursor.First(); k != nil && ctx.Err() == nil; k, v = cursor.Next() {
				_, records, err := decodeBlock(v)
				if err != nil {
					report.problem(fmt.Errorf("bucket %s, key %x: %w", name, k, err))
					continue
				}
				report.Blocks++
				report.Records += uint64(len(records))
				report.Bytes += int64(len(v))
			}
		}
		return ctx.Err()
	})
}

// checkNumbers reads the file as Open would and looks whether every number is accounted for once.
func checkNumbers(db *bbolt.DB, report *Report) error {
	if len(report.Problems) > 0 {
		return nil
	}
	b := newBuffer(Options{Log: slog.New(slog.DiscardHandler)})
	b.db = db
	if err := b.load(); err != nil {
		return err
	}
	report.Streams, report.State, report.Lost = len(b.streams), len(b.state), b.count.Corrupt
	if err := b.sound(""); err != nil {
		report.problem(err)
	}
	return nil
}
