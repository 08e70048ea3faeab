package rules

import (
	"math"

	"holdfast"
)

// A threshold raises an alert once a value has lain beyond a limit, or inside or outside a band, for a while, and clears
// it once the value is back at the clear value.
//
// A reading without the quantity, a value of quality bad, and a value that is no finite number change nothing: they
// neither raise nor clear, and `for` runs on. A sensor that nobody has heard of has no memory; see absence for that.
type threshold struct {
	Sensor pattern `json:"sensor"`
	alerting
	limits
}

func parseThreshold(f *fields) program {
	return &threshold{Sensor: f.sensor(), alerting: f.alerting(), limits: f.limits()}
}

func (t *threshold) watches() pattern { return t.Sensor }
func (t *threshold) begin() memory {
	return &level{raiser: raiser{alerting: &t.alerting}, limits: &t.limits}
}

// A level is what a threshold remembers of one sensor.
type level struct {
	raiser
	limits *limits
}

func (l *level) apply(o origin, r *holdfast.Reading, at holdfast.Instant) []holdfast.Record {
	v, ok := good(r, l.alerting.Quantity)
	if !ok {
		return nil
	}
	return l.see(l.alerting, o, r, at, l.limits.judge(v))
}

// good returns the value of a quantity, unless the reading lacks it or grades it as bad.
func good(r *holdfast.Reading, quantity string) (float64, bool) {
	v, ok := r.Values[quantity]
	return v, ok && r.Quality[quantity] != holdfast.Bad && !math.IsNaN(v) && !math.IsInf(v, 0)
}
