package rules

import (
	"math"
	"slices"
	"time"

	"holdfast"
)

// A deadband withholds readings that tell nothing new (report by exception): those in which each quantity that it watches
// lies within the band around the value that went up last. Where both widths are given the wider one counts, so that
// absolute is the floor of relative near zero. A width of 0 lets every change through. Of several deadbands that watch a
// sensor, one that sees something new is enough; rules see withheld readings like others.
//
// New is also: the first reading of a boot, a quantity that was not there before, a value that turned bad or good again
// (one that is no finite number counts as bad), and any reading once the heartbeat has passed since the last one that went
// up. A quantity that is missing is not news. A reading with none of the quantities is not the deadband's to judge.
type deadband struct {
	Sensor     pattern       `json:"sensor"`
	Quantities []string      `json:"quantities,omitempty"` // none: all that the sensor has
	Absolute   float64       `json:"absolute,omitempty"`   // in the quantity's unit
	Relative   float64       `json:"relative,omitempty"`   // in percent of the value that went up last
	Heartbeat  time.Duration `json:"heartbeat,omitempty"`  // 0: none
}

func parseDeadband(f *fields) program {
	d := &deadband{
		Sensor:     f.sensor(),
		Quantities: f.words("quantities", holdfast.CheckQuantity),
		Absolute:   f.size("absolute"),
		Relative:   f.size("relative"),
		Heartbeat:  f.duration("heartbeat", time.Second, 7*24*time.Hour),
	}
	if !f.has("absolute") && !f.has("relative") {
		f.bad("no band: want absolute, relative or both")
	}
	return d
}

func (d *deadband) watches() pattern { return d.Sensor }
func (d *deadband) begin() memory    { return &reported{deadband: d} }

// bytes is about how much the values that went up take.
func (d *deadband) bytes() int {
	if len(d.Quantities) > 0 {
		return 128 * len(d.Quantities)
	}
	return 128 * maxValues
}

// width is how far a value may lie from last without being news.
func (d *deadband) width(last float64) float64 {
	return max(d.Absolute, d.Relative/100*math.Abs(last))
}

// A reported is what a deadband remembers of one sensor: what went up last.
type reported struct {
	deadband *deadband

	Values map[string]said `json:"values,omitempty"` // by quantity
	Mono   int64           `json:"mono,omitempty"`   // µs
}

// A said is a value that went up.
type said struct {
	V   float64 `json:"v"`
	Bad bool    `json:"bad,omitempty"` // V is 0
}

func (s *reported) apply(o origin, r *holdfast.Reading, at holdfast.Instant) []holdfast.Record {
	beat := s.deadband.Heartbeat.Microseconds()
	watched, news := false, s.Values == nil || beat > 0 && at.Mono-s.Mono >= beat
	for quantity := range r.Values {
		if s.watches(quantity) {
			watched, news = true, news || s.new(r, quantity)
		}
	}
	if !watched {
		return nil
	}
	o.fate.vote(o.rule, news)
	if news {
		s.note(r, at)
	}
	return nil
}

func (s *reported) watches(quantity string) bool {
	return len(s.deadband.Quantities) == 0 || slices.Contains(s.deadband.Quantities, quantity)
}

// new reports whether a value of the reading is news.
func (s *reported) new(r *holdfast.Reading, quantity string) bool {
	last, known := s.Values[quantity]
	v, ok := good(r, quantity)
	if !known || ok == last.Bad {
		return true
	}
	return ok && math.Abs(v-last.V) > s.deadband.width(last.V)
}

// note keeps the values of a reading that goes up. Of a sensor with ever new quantities it keeps so many.
func (s *reported) note(r *holdfast.Reading, at holdfast.Instant) {
	if s.Values == nil {
		s.Values = make(map[string]said)
	}
	s.Mono = at.Mono
	for quantity := range r.Values {
		_, known := s.Values[quantity]
		if !s.watches(quantity) || !known && len(s.Values) >= maxValues {
			continue
		}
		v, ok := good(r, quantity)
		if !ok {
			v = 0
		}
		s.Values[quantity] = said{v, !ok}
	}
}

func (s *reported) tick(origin, holdfast.Instant) []holdfast.Record { return nil }

func (s *reported) reboot(origin, holdfast.Instant) []holdfast.Record {
	*s = reported{deadband: s.deadband}
	return nil
}

func (s *reported) retire(origin, holdfast.Instant) []holdfast.Record { return nil }
