package rules

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"holdfast"
)

// An aggregate summarises the readings of a sensor over tumbling windows: one record for each window that had a reading.
// Values of quality bad are ignored.
type aggregate struct {
	Sensor     pattern       `json:"sensor"`
	Quantities []string      `json:"quantities,omitempty"` // none: all that the sensor has
	Window     time.Duration `json:"window"`
	Functions  []string      `json:"functions"`
}

// functions are what an aggregate can make of the values of a window. The name is appended to the quantity's.
var functions = []struct {
	name string
	of   func(*sum) float64
}{
	{"mean", (*sum).mean},
	{"sum", (*sum).total},
	{"min", func(s *sum) float64 { return s.Min }},
	{"max", func(s *sum) float64 { return s.Max }},
	{"count", func(s *sum) float64 { return float64(s.N) }},
}

// maxValues is how many values one record of the wire can hold.
const maxValues = 64

func parseAggregate(f *fields) program {
	a := &aggregate{
		Sensor:     f.sensor(),
		Quantities: f.words("quantities", holdfast.CheckQuantity),
		Window:     f.duration("window", time.Second, 24*time.Hour),
		Functions:  f.words("functions", checkFunction),
	}
	if !f.has("window") {
		f.badKey("window", "is missing: want 1s to 24h")
	}
	if !f.has("functions") {
		f.badKey("functions", "is missing: want some of %s", functionNames())
	}
	if n := len(a.Quantities) * len(a.Functions); n > maxValues {
		f.bad("%d quantities by functions: at most %d", n, maxValues)
	}
	for _, quantity := range a.Quantities {
		for _, function := range a.Functions {
			if holdfast.CheckQuantity(quantity+"_"+function) != nil {
				f.badKey("quantities", "%s_%s is longer than 64 characters", quantity, function)
			}
		}
	}
	return a
}

func checkFunction(name string) error {
	for _, f := range functions {
		if f.name == name {
			return nil
		}
	}
	return fmt.Errorf("%q: want one of %s", name, functionNames())
}

func functionNames() string {
	var names []string
	for _, f := range functions {
		names = append(names, f.name)
	}
	return strings.Join(names, ", ")
}

func (a *aggregate) watches() pattern { return a.Sensor }
func (a *aggregate) begin() memory    { return &series{aggregate: a} }

// A series is what an aggregate remembers of one sensor: the open window, and where the last one ended.
type series struct {
	aggregate *aggregate

	Open  *window         `json:"open,omitempty"`
	Count uint64          `json:"count,omitempty"` // readings in the open window
	Sums  map[string]*sum `json:"sums,omitempty"`  // by quantity
	Grid  grid            `json:"grid,omitzero"`
}

// apply closes the window that the reading lies behind, and counts the reading into the next one.
func (s *series) apply(o origin, r *holdfast.Reading, at holdfast.Instant) []holdfast.Record {
	values := s.aggregate.values(r)
	if len(values) == 0 {
		return nil
	}
	records := s.tick(o, at)
	if s.Open == nil {
		s.Open, s.Sums = s.Grid.open(s.aggregate.Window, at), make(map[string]*sum)
	}
	for quantity, v := range values {
		if s.Sums[quantity] == nil {
			s.Sums[quantity] = new(sum)
		}
		s.Sums[quantity].add(v)
	}
	s.Count++
	s.Open.Last = max(s.Open.Last, at.Mono)
	return records
}

// values returns the good values of a reading that the aggregate looks at.
func (a *aggregate) values(r *holdfast.Reading) map[string]float64 {
	values := make(map[string]float64, len(r.Values))
	for quantity := range r.Values {
		if len(a.Quantities) > 0 && !slices.Contains(a.Quantities, quantity) {
			continue
		}
		if v, ok := good(r, quantity); ok {
			values[quantity] = v
		}
	}
	return values
}

func (s *series) tick(o origin, at holdfast.Instant) []holdfast.Record {
	if s.Open == nil || at.Mono < s.Open.End {
		return nil
	}
	return s.close(o, s.Open.whole(at))
}

func (s *series) reboot(o origin, at holdfast.Instant) []holdfast.Record {
	s.Grid.Loose = true
	if s.Open == nil {
		return nil
	}
	return s.close(o, s.Open.part(at))
}

func (s *series) retire(o origin, at holdfast.Instant) []holdfast.Record { return s.reboot(o, at) }

// close makes the record of the open window, with the bounds as they are known now.
func (s *series) close(o origin, b bounds) []holdfast.Record {
	record := &holdfast.Aggregate{
		Time:        b.to,
		From:        b.from,
		To:          b.to,
		Rule:        o.rule,
		RuleVersion: o.version,
		Group:       o.group,
		Sensor:      o.sensor,
		Values:      make(map[string]float64),
		Count:       s.Count,
		Partial:     b.partial,
		Clock:       b.clock,
	}
	for quantity, sum := range s.Sums {
		for _, f := range functions {
			if slices.Contains(s.aggregate.Functions, f.name) {
				record.Values[quantity+"_"+f.name] = f.of(sum)
			}
		}
	}
	s.Grid.closed(s.Open, b.partial)
	s.Open, s.Count, s.Sums = nil, 0, nil
	return []holdfast.Record{record}
}
