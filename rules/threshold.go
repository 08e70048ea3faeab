package rules

import (
	"math"
	"time"

	"holdfast"
)

// A threshold raises an alert once a value has lain beyond a limit, or inside or outside a band, for a while, and clears
// it once the value is back at the clear value.
//
// A reading without the quantity, a value of quality bad, and a value that is no finite number change nothing: they
// neither raise nor clear, and `for` runs on. A sensor that nobody has heard of has no memory; see absence for that.
type threshold struct {
	Sensor   pattern `json:"sensor"`
	Quantity string  `json:"quantity"`
	alarm
}

func parseThreshold(f *fields) program {
	t := &threshold{
		Sensor:   f.sensor(),
		Quantity: f.text("quantity", holdfast.CheckQuantity),
	}
	hold := f.duration("for", 0, 24*time.Hour)
	t.alarm = f.alarm()
	t.For = hold
	f.limits(&t.alarm)
	return t
}

func (t *threshold) watches() pattern { return t.Sensor }
func (t *threshold) begin() memory    { return &level{watch{alarm: &t.alarm, quantity: t.Quantity}} }

// A level is what a threshold remembers of one sensor.
type level struct{ watch }

func (l *level) apply(o origin, r *holdfast.Reading, at holdfast.Instant) []holdfast.Record {
	v, ok := good(r, l.quantity)
	if !ok {
		return nil
	}
	return l.judge(o, v, at)
}

// good returns the value of a quantity, unless the reading lacks it or grades it as bad.
func good(r *holdfast.Reading, quantity string) (float64, bool) {
	v, ok := r.Values[quantity]
	return v, ok && r.Quality[quantity] != holdfast.Bad && !math.IsNaN(v) && !math.IsInf(v, 0)
}
