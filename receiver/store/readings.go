package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"holdfast"
)

// A Query selects samples of a device.
type Query struct {
	Device   string
	From, To time.Time // From ≤ time < To
	Sensor   string    // "" for all
	Quantity string    // "" for all
}

// Series is one quantity of one sensor.
type Series struct {
	ID       int64
	Sensor   string
	Quantity string
	Unit     string
}

// A Sample is one quantity at one instant.
type Sample struct {
	Time     time.Time
	Original time.Time // the device's guess, where the sample was re-timed; else zero
	Value    float64   // in the base unit that the quantity's name ends in
	Quality  holdfast.Quality
	Stream   holdfast.Stream
	N        int64 // the stream's number within this database
	Seq      uint64
}

// Place is where in a series a page ended.
type Place struct {
	Time time.Time
	N    int64
	Seq  uint64
}

// Series returns up to limit series that q selects, by sensor and quantity, whether or not they have samples in the window.
func (s *Store) Series(ctx context.Context, q Query, limit int) ([]Series, error) {
	rows, err := s.readers.QueryContext(ctx, `SELECT id, sensor, quantity, unit FROM series
		WHERE device = ?1 AND (?2 = '' OR sensor = ?2) AND (?3 = '' OR quantity = ?3) ORDER BY sensor, quantity LIMIT ?4`,
		q.Device, q.Sensor, q.Quantity, limit)
	if err != nil {
		return nil, fmt.Errorf("read series: %w", err)
	}
	return collect(rows, "series", func(x *Series) []any { return []any{&x.ID, &x.Sensor, &x.Quantity, &x.Unit} })
}

// Samples returns up to limit samples of a series from behind the given place, in order of time.
func (s *Store) Samples(ctx context.Context, seriesID int64, from, to time.Time, behind Place, limit int) ([]Sample, error) {
	if behind.Time.Before(from) {
		behind = Place{Time: from, N: -1}
	}
	rows, err := s.readers.QueryContext(ctx, `SELECT time_us, orig_time_us, value, quality, sample.stream, seq, stream.id
		FROM sample JOIN stream ON stream.n = sample.stream
		WHERE series = ? AND (time_us, sample.stream, seq) > (?, ?, ?) AND time_us < ?
		ORDER BY time_us, sample.stream, seq LIMIT ?`,
		seriesID, micros(behind.Time), behind.N, int64(behind.Seq), micros(to), limit)
	if err != nil {
		return nil, fmt.Errorf("read samples: %w", err)
	}
	return collect(rows, "samples", func(x *Sample) []any { return x.columns() })
}

func (x *Sample) columns() []any {
	return []any{inTime{&x.Time}, inTime{&x.Original}, &x.Value, inQuality{&x.Quality}, &x.N, &x.Seq, inStream{&x.Stream}}
}

// inQuality takes a grade's place in the list of qualities.
type inQuality struct{ to *holdfast.Quality }

func (i inQuality) Scan(column any) error {
	n, ok := column.(int64)
	if !ok || n < 0 || int(n) >= len(qualities) {
		return fmt.Errorf("quality column holds %v", column)
	}
	*i.to = qualities[n]
	return nil
}

// Latest returns the newest sample of a series, and whether there is one.
func (s *Store) Latest(ctx context.Context, seriesID int64) (Sample, bool, error) {
	rows, err := s.readers.QueryContext(ctx, `SELECT time_us, orig_time_us, value, quality, sample.stream, seq, stream.id
		FROM sample JOIN stream ON stream.n = sample.stream
		WHERE series = ? ORDER BY time_us DESC, sample.stream DESC, seq DESC LIMIT 1`, seriesID)
	if err != nil {
		return Sample{}, false, fmt.Errorf("read latest sample: %w", err)
	}
	found, err := collect(rows, "latest sample", func(x *Sample) []any { return x.columns() })
	if err != nil || len(found) == 0 {
		return Sample{}, false, err
	}
	return found[0], true, nil
}

// A Bucket sums up the samples of a series in one slice of a window.
type Bucket struct {
	Index          int // of the slice
	Min, Max, Mean float64
	Count          uint64
}

// Buckets cuts from..to into slices of the given width and returns those that have samples which are not bad, ascending.
func (s *Store) Buckets(ctx context.Context, seriesID int64, from, to time.Time, width time.Duration) ([]Bucket, error) {
	rows, err := s.readers.QueryContext(ctx, `SELECT (time_us - ?2) / ?4, MIN(value), MAX(value), AVG(value), COUNT(*) FROM sample
		WHERE series = ?1 AND time_us >= ?2 AND time_us < ?3 AND quality < 2 GROUP BY 1 ORDER BY 1`,
		seriesID, micros(from), micros(to), max(1, width.Microseconds()))
	if err != nil {
		return nil, fmt.Errorf("read buckets: %w", err)
	}
	return collect(rows, "buckets", func(b *Bucket) []any { return []any{&b.Index, &b.Min, &b.Max, &b.Mean, &b.Count} })
}

// Thinned returns up to limit summaries of thinned ranges of a device that begin within from..to, in order of time.
func (s *Store) Thinned(ctx context.Context, device string, from, to time.Time, limit int) ([]holdfast.Thinned, error) {
	rows, err := s.readers.QueryContext(ctx, `SELECT json FROM record WHERE device = ? AND kind = ? AND time_us >= ? AND time_us < ?
		ORDER BY time_us LIMIT ?`, device, kindThinned, micros(from), micros(to), limit)
	if err != nil {
		return nil, fmt.Errorf("read summaries: %w", err)
	}
	return collect(rows, "summaries", func(x *holdfast.Thinned) []any { return []any{inJSON{x}} })
}

// inJSON takes a column's JSON into a value.
type inJSON struct{ to any }

func (i inJSON) Scan(column any) error {
	text, ok := column.(string)
	if !ok {
		return fmt.Errorf("JSON column holds %T", column)
	}
	return json.Unmarshal([]byte(text), i.to)
}
