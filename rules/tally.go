package rules

import (
	"slices"

	"holdfast"
)

// A tally gathers the readings of a window, or of a part of one.
type tally struct {
	Count uint64           `json:"count,omitempty"` // readings
	Sums  map[string]*cell `json:"sums,omitempty"`  // by quantity
}

// maxValues is how many values one record of the wire can hold.
const maxValues = 64

// wants reports whether a reading has a good value that the aggregate looks at.
func (a *aggregate) wants(r *holdfast.Reading) bool {
	for quantity := range r.Values {
		if _, ok := a.value(r, quantity); ok {
			return true
		}
	}
	return false
}

// value returns the good value of a quantity that the aggregate looks at.
func (a *aggregate) value(r *holdfast.Reading, quantity string) (float64, bool) {
	if len(a.Quantities) > 0 && !slices.Contains(a.Quantities, quantity) {
		return 0, false
	}
	return good(r, quantity)
}

// add counts a reading in. Of more quantities than a record can hold, one too many is kept, so that the record says so.
func (t *tally) add(a *aggregate, n needs, r *holdfast.Reading, mono int64) {
	if t.Sums == nil {
		t.Sums = make(map[string]*cell)
	}
	for quantity := range r.Values {
		v, ok := a.value(r, quantity)
		if !ok {
			continue
		}
		c := t.Sums[quantity]
		if c == nil {
			if len(t.Sums) > maxValues {
				continue
			}
			c = new(cell)
			t.Sums[quantity] = c
		}
		c.add(v, mono, n)
	}
	t.Count++
}

// merge adds another tally, which keeps its own.
func (t *tally) merge(o *tally, n needs) {
	if t.Sums == nil {
		t.Sums = make(map[string]*cell)
	}
	for quantity, from := range o.Sums {
		if from == nil { // a damaged checkpoint
			continue
		}
		c := t.Sums[quantity]
		if c == nil {
			c = new(cell)
			t.Sums[quantity] = c
		}
		c.merge(from, n)
	}
	t.Count += o.Count
}

// shrink gives up memory that only further readings would need.
func (t *tally) shrink() {
	for _, c := range t.Sums {
		if c.Digest != nil {
			c.Digest.compress()
			c.Digest.Centroids = slices.Clip(slices.Clone(c.Digest.Centroids))
		}
	}
}

// records makes the record of a tally with the given bounds: none where no function has a value.
func (t *tally) records(a *aggregate, o origin, b bounds) []holdfast.Record {
	record := &holdfast.Aggregate{
		Time:        b.to,
		From:        b.from,
		To:          b.to,
		Rule:        o.rule,
		RuleVersion: o.version,
		Group:       o.group,
		Sensor:      o.sensor,
		Values:      make(map[string]float64),
		Count:       t.Count,
		Partial:     b.partial,
		Clock:       b.clock,
	}
	for quantity, c := range t.Sums {
		for _, name := range a.Functions {
			if v, ok := compute(name, c); ok {
				record.Values[quantity+"_"+name] = v
			}
		}
	}
	if len(record.Values) == 0 {
		return nil
	}
	return []holdfast.Record{record}
}
