package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"holdfast"
)

// MaxLetterBytes bounds what a dead letter keeps of its payload.
const MaxLetterBytes = 128 << 10

// A Letter is something that could not be accepted, with the reason.
type Letter struct {
	ID       int64
	Received time.Time // the first time
	Last     time.Time
	Count    int // how often it came
	Device   string
	Topic    string
	Code     string // for programs
	Text     string // for people
	Payload  []byte // the first MaxLetterBytes of it
	Size     int    // of the whole payload
	Stream   holdfast.Stream
	Lane     holdfast.Lane
	First    uint64 // first and last number; 0 where no numbers could be read
	Through  uint64
	Replayed time.Time // when its records went into the database after all; zero where they did not
}

// ErrNoLetter is returned for the number of a dead letter that there is not.
var ErrNoLetter = errors.New("no such dead letter")

// AddLetter stores a dead letter, or counts one more of the same, and returns how often it came. Letters are the same where
// device, code and numbers agree; without numbers, where device, code and payload do.
func (t *Tx) AddLetter(l Letter, now time.Time) (count int, err error) {
	what := string(l.Payload)
	if l.First > 0 {
		what = fmt.Sprintf("%s %s %d %d", l.Stream, l.Lane, l.First, l.Through)
	}
	digest := sha256.Sum256(fmt.Appendf(nil, "%s %s %s", l.Device, l.Code, what))
	payload := l.Payload[:min(len(l.Payload), MaxLetterBytes)]
	err = t.row(`INSERT INTO dead_letter (digest, received_us, last_us, device, topic, code, text, payload, size, stream, lane, first, last)
		VALUES (?1, ?2, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, NULLIF(?10, ''), NULLIF(?11, 0), NULLIF(?12, 0))
		ON CONFLICT (digest) DO UPDATE SET last_us = excluded.last_us, count = count + 1 RETURNING count`,
		[]any{digest[:16], micros(now), l.Device, l.Topic, l.Code, l.Text, append([]byte{}, payload...), len(l.Payload),
			idOrNull(l.Stream), string(l.Lane), int64(l.First), int64(l.Through)}, &count)
	if err != nil {
		return 0, fmt.Errorf("store dead letter: %w", err)
	}
	return count, nil
}

const selectLetter = `SELECT id, received_us, last_us, count, device, topic, code, text, payload, size,
	stream, lane, COALESCE(first, 0), COALESCE(last, 0), replayed_us FROM dead_letter `

func (l *Letter) columns() []any {
	return []any{&l.ID, inTime{&l.Received}, inTime{&l.Last}, &l.Count, &l.Device, &l.Topic, &l.Code, &l.Text, &l.Payload, &l.Size,
		inStream{&l.Stream}, inText[holdfast.Lane]{&l.Lane}, &l.First, &l.Through, inTime{&l.Replayed}}
}

// Letters returns up to limit dead letters, the newest first, of one device or with "" of all.
func (s *Store) Letters(ctx context.Context, device string, limit int) ([]Letter, error) {
	rows, err := s.readers.QueryContext(ctx, selectLetter+"WHERE ?1 = '' OR device = ?1 ORDER BY id DESC LIMIT ?2", device, limit)
	if err != nil {
		return nil, fmt.Errorf("read dead letters: %w", err)
	}
	return collect(rows, "dead letters", (*Letter).columns)
}

// Letter returns one dead letter, or [ErrNoLetter].
func (t *Tx) Letter(id int64) (Letter, error) {
	var l Letter
	err := t.row(selectLetter+"WHERE id = ?", []any{id}, l.columns()...)
	if errors.Is(err, sql.ErrNoRows) {
		return l, fmt.Errorf("%w: %d", ErrNoLetter, id)
	}
	if err != nil {
		return l, fmt.Errorf("read dead letter %d: %w", id, err)
	}
	return l, nil
}

// SetReplayed notes that what a dead letter holds went into the database.
func (t *Tx) SetReplayed(id int64, now time.Time) error {
	if err := t.exec("UPDATE dead_letter SET replayed_us = ? WHERE id = ?", micros(now), id); err != nil {
		return fmt.Errorf("note replay of dead letter %d: %w", id, err)
	}
	return nil
}
