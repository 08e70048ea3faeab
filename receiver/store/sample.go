package store

import (
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"

	"holdfast"
)

var qualities = []holdfast.Quality{holdfast.Good, holdfast.Suspect, holdfast.Bad}

// AddReading stores the values of a reading, one sample each, under the reading's number.
func (t *Tx) AddReading(s Stream, seq uint64, r *holdfast.Reading) error {
	boot, mono := guessed(r.Clock)
	for _, quantity := range slices.Sorted(maps.Keys(r.Values)) {
		id, err := t.seriesOf(series{s.Device, r.Sensor, quantity})
		if err != nil {
			return err
		}
		quality := max(0, slices.Index(qualities, r.Quality[quantity]))
		err = t.exec("INSERT INTO sample (series, time_us, stream, seq, value, quality, boot, mono) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
			id, micros(r.Time), s.N, int64(seq), r.Values[quantity], quality, boot, mono)
		if err != nil {
			return fmt.Errorf("store sample: %w", err)
		}
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
