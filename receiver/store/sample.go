package store

import (
	"cmp"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"holdfast"
)

var qualities = []holdfast.Quality{holdfast.Good, holdfast.Suspect, holdfast.Bad}

// A sample is one row on its way.
type sample struct {
	series, timeUS, stream, seq int64
	value                       float64
	quality                     int
	clock                       *holdfast.Clock // nil where wall time is to be believed
}

// Samples wait for the end of their transaction, at most so many, and are inserted by a statement for bulk of them and by one
// for each that is left. A statement costs more than a row.
const (
	maxSamples = 8192
	bulk       = 100
)

// An insertion is the statements for rows of one shape.
type insertion struct {
	one, bulk string
	row       func(args []any, s *sample) []any
}

// Most rows are plain: good, with a time that is to be believed.
var (
	plainRows = newInsertion("series, time_us, stream, seq, value", func(args []any, s *sample) []any {
		return append(args, s.series, s.timeUS, s.stream, s.seq, s.value)
	})
	fullRows = newInsertion("series, time_us, stream, seq, value, quality, boot, mono", func(args []any, s *sample) []any {
		boot, mono := guessed(s.clock)
		return append(args, s.series, s.timeUS, s.stream, s.seq, s.value, s.quality, boot, mono)
	})
)

func newInsertion(columns string, row func([]any, *sample) []any) insertion {
	values := "(?" + strings.Repeat(", ?", strings.Count(columns, ",")) + ")"
	one := "INSERT INTO sample (" + columns + ") VALUES " + values
	return insertion{one, one + strings.Repeat(", "+values, bulk-1), row}
}

// AddReading stores the values of a reading, one sample each, under the reading's number. They are written before the
// transaction ends, and an error of theirs is the transaction's.
func (t *Tx) AddReading(s Stream, seq uint64, r *holdfast.Reading) error {
	for quantity, value := range r.Values {
		id, err := t.seriesOf(series{s.Device, r.Sensor, quantity})
		if err != nil {
			return err
		}
		quality := max(0, slices.Index(qualities, r.Quality[quantity]))
		t.samples = append(t.samples, sample{id, micros(r.Time), s.N, int64(seq), value, quality, r.Clock})
	}
	if len(t.samples) < maxSamples {
		return nil
	}
	return t.putSamples()
}

// putSamples writes the samples that wait, in the order of their table: neighbours find their page at hand.
func (t *Tx) putSamples() error {
	slices.SortFunc(t.samples, func(a, b sample) int {
		return cmp.Or(cmp.Compare(a.series, b.series), cmp.Compare(a.timeUS, b.timeUS), cmp.Compare(a.stream, b.stream), cmp.Compare(a.seq, b.seq))
	})
	var plain, full []*sample
	for i := range t.samples {
		if s := &t.samples[i]; s.quality == 0 && s.clock == nil {
			plain = append(plain, s)
		} else {
			full = append(full, s)
		}
	}
	t.samples = t.samples[:0]
	if err := t.insert(plain, plainRows); err != nil {
		return err // nothing may follow: some errors have ended the transaction already
	}
	return t.insert(full, fullRows)
}

func (t *Tx) insert(rows []*sample, how insertion) error {
	var args []any
	for len(rows) > 0 {
		statement, n := how.one, 1
		if len(rows) >= bulk {
			statement, n = how.bulk, bulk
		}
		args = args[:0]
		for _, s := range rows[:n] {
			args = how.row(args, s)
		}
		if err := t.exec(statement, args...); err != nil {
			return fmt.Errorf("store samples: %w", err)
		}
		rows = rows[n:]
	}
	return nil
}

// guessed returns the columns boot and mono: NULL where wall time is to be believed.
func guessed(c *holdfast.Clock) (boot, mono any) {
	if c == nil {
		return nil, nil
	}
	return c.Boot, c.Mono
}

// seriesOf returns a series' number. Committed ones are remembered, for they never change.
func (t *Tx) seriesOf(key series) (int64, error) {
	t.store.mu.Lock()
	id, ok := t.store.series[key]
	t.store.mu.Unlock()
	if !ok {
		id, ok = t.series[key]
	}
	if ok {
		return id, nil
	}
	args := []any{key.device, key.sensor, key.quantity}
	err := t.row("SELECT id FROM series WHERE device = ? AND sensor = ? AND quantity = ?", args, &id)
	if errors.Is(err, sql.ErrNoRows) {
		err = t.row("INSERT INTO series (device, sensor, quantity) VALUES (?, ?, ?) RETURNING id", args, &id)
	}
	if err != nil {
		return 0, fmt.Errorf("note series: %w", err)
	}
	t.series[key] = id
	return id, nil
}
