package rules

import (
	"fmt"
	"math"

	"holdfast"
)

// An anomaly raises an alert where a value lies many standard deviations from what the values before it let expect, and
// clears it at the first value that is near enough again. Two models tell what to expect: hampel and ewma. A value is
// judged first and learned then, whether it was anomalous or not, so that a new level becomes the normal one in time.
//
// Values of quality bad are ignored, and so are NaN, infinite and missing ones: they neither raise nor clear nor count.
// Zero and negative values are values. Each sensor has a model of its own. The model outlives a reboot.
type anomaly struct {
	Sensor pattern `json:"sensor"`
	alerting
	Method     string  `json:"method"`
	Window     int     `json:"window"` // values
	Warmup     int     `json:"warmup"` // values before the first judgement
	Deviations float64 `json:"deviations"`
	Clear      float64 `json:"clear"`           // deviations
	Floor      float64 `json:"floor,omitempty"` // least standard deviation, in the quantity's unit
}

// maxWarmup and maxHampel bound the models.
const (
	maxWarmup = 10000
	maxHampel = 301
)

func parseAnomaly(f *fields) program {
	a := &anomaly{Sensor: f.sensor(), alerting: f.alerting()}
	a.Method = f.textOr("method", "hampel", func(s string) error {
		if s != "hampel" && s != "ewma" {
			return fmt.Errorf("%q: want hampel or ewma", s)
		}
		return nil
	})
	longest := maxHampel
	if a.Method == "ewma" {
		longest = maxWarmup
	}
	a.Window = f.integerOr("window", 61, 5, longest)
	longest = a.Window
	if a.Method == "ewma" {
		longest = maxWarmup
	}
	a.Warmup = f.integerOr("warmup", a.Window, 3, longest)
	a.Deviations = f.numberOr("deviations", 4, 0.1, 1000)
	a.Clear = f.numberOr("clear", a.Deviations, 0, 1000)
	if a.Clear > a.Deviations {
		f.badKey("clear", "%v is more than the %v deviations that raise an alert: want at most these", a.Clear, a.Deviations)
	}
	a.Floor = f.numberOr("floor", 0, 0, math.MaxFloat64)
	return a
}

func (a *anomaly) watches() pattern { return a.Sensor }
func (a *anomaly) begin() memory {
	return &expectation{raiser: raiser{alerting: &a.alerting}, anomaly: a}
}

// bytes is what one sensor takes at most, about.
func (a *anomaly) bytes() int {
	if a.Method == "ewma" {
		return 400
	}
	return 400 + 16*a.Window
}

// model returns the version of the model that judges. It grows whenever the same values would be judged otherwise.
func (a *anomaly) model() string {
	if a.Method == "ewma" {
		return ewmaModel
	}
	return hampelModel
}

// An expectation is what an anomaly remembers of one sensor. One of its models is used.
type expectation struct {
	raiser
	anomaly *anomaly
	Hampel  *hampel `json:"hampel,omitempty"`
	Ewma    *ewma   `json:"ewma,omitempty"`
}

// A model tells what to expect from the values that it has learned.
type model interface {
	count() int
	expect() (centre, spread float64)
	learn(v float64, window int)
}

func (e *expectation) model() model {
	if e.anomaly.Method == "ewma" {
		if e.Ewma == nil {
			e.Ewma = new(ewma)
		}
		return e.Ewma
	}
	if e.Hampel == nil {
		e.Hampel = new(hampel)
	}
	return e.Hampel
}

func (e *expectation) apply(o origin, r *holdfast.Reading, at holdfast.Instant) []holdfast.Record {
	v, ok := good(r, e.anomaly.Quantity)
	if !ok {
		return nil
	}
	m := e.model()
	var records []holdfast.Record
	if m.count() >= e.anomaly.Warmup {
		centre, spread := m.expect()
		records = e.see(e.alerting, o, r, at, e.judge(v, centre, spread))
	}
	m.learn(v, e.anomaly.Window)
	return records
}

// judge says how v stands to what was expected. Where values never differed and the definition gives no floor, any other
// value is infinitely far away, which is written as the largest number.
func (e *expectation) judge(v, centre, spread float64) finding {
	a := e.anomaly
	spread = max(spread, a.Floor)
	off := math.Abs(v - centre)
	deviations := 0.0
	if off > 0 {
		deviations = bounded(off / spread)
	}
	f := finding{value: v, excess: deviations, beyond: deviations > a.Deviations, back: deviations <= a.Clear}
	f.limit = bounded(centre + math.Copysign(a.Deviations*spread, v-centre))
	if f.beyond || e.on() {
		f.why = fmt.Sprintf("%s: %.4g deviations of %.6g from %.6g", a.model(), deviations, spread, centre)
	}
	return f
}
