package store

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"holdfast"
)

// Minutes returns up to limit summaries that a device has sent in the place of a sensor's readings ([holdfast.EdgeRule]), of minutes that
// begin within from..to, in order of time.
func (s *Store) Minutes(ctx context.Context, device, sensor string, from, to time.Time, limit int) ([]holdfast.Thinned, error) {
	rows, err := s.readers.QueryContext(ctx, `SELECT sensor, from_us, to_us, count, json FROM aggregate
		WHERE device = ? AND rule = ? AND rule_version = ? AND grp = ? AND from_us >= ? AND from_us < ? ORDER BY from_us LIMIT ?`,
		device, holdfast.EdgeRule, holdfast.EdgeRuleVersion, sensor, micros(from), micros(to), limit)
	if err != nil {
		return nil, fmt.Errorf("read minutes: %w", err)
	}
	counts := []uint64{}
	minutes, err := collect(rows, "minutes", func(x *holdfast.Thinned) []any {
		counts = append(counts, 0)
		return []any{&x.Sensor, inTime{&x.From}, inTime{&x.To}, &counts[len(counts)-1], inSummaries{&x.Values}}
	})
	for i, minute := range minutes {
		for quantity, v := range minute.Values {
			v.Count = counts[i]
			minute.Values[quantity] = v
		}
	}
	return minutes, err
}

// inSummaries takes the values of an aggregate by quantity: temperature_celsius_min, _max and _mean.
type inSummaries struct {
	to *map[string]holdfast.Summary
}

func (i inSummaries) Scan(column any) error {
	text, ok := column.(string)
	if !ok {
		return fmt.Errorf("JSON column holds %T", column)
	}
	var values map[string]float64
	if err := json.Unmarshal([]byte(text), &values); err != nil {
		return err
	}
	*i.to = make(map[string]holdfast.Summary)
	for name, mean := range values {
		quantity, ok := strings.CutSuffix(name, "_mean")
		lowest, low := values[quantity+"_min"]
		highest, high := values[quantity+"_max"]
		if ok && low && high {
			(*i.to)[quantity] = holdfast.Summary{Min: lowest, Max: highest, Mean: mean}
		}
	}
	return nil
}
