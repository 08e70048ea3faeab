package rules

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"

	"holdfast"
)

// An expression computes something from each reading, and does one of three things with it:
//
// derive makes a reading of a new quantity of the same sensor and instant, which goes up beside the reading and through
// the rules behind this one. filter withholds readings for which the expression is false. route names the way that a
// reading takes, one of those listed in routes.
//
// The expression is compiled once, when the rules are read. A reading that lacks a quantity which the expression names, or
// whose value of it is bad, NaN or infinite, is left alone: nothing is derived, it is not withheld, and it is not routed.
// A sensor that nobody has heard of has no readings to leave alone. A result that no reading can carry (of ln(0), sqrt(-1),
// 1/0) derives nothing and is counted as a failure, and so is a route that is not listed. Where a value is suspect, what
// is derived from it is. An expression remembers nothing, so that restarts change nothing.
type expression struct {
	Sensor pattern  `json:"sensor"`
	Text   string   `json:"text"`
	Derive string   `json:"derive,omitempty"` // the new quantity
	Filter bool     `json:"filter,omitempty"`
	Routes []string `json:"routes,omitempty"`

	formula *formula // nil only in a blank one
}

func parseExpression(f *fields) program {
	e := &expression{Sensor: f.sensor()}
	uses := 0
	for _, key := range []string{"derive", "filter", "route"} {
		f.get(key)
		if f.has(key) {
			uses++
		}
	}
	if uses != 1 {
		f.bad("%d uses: want one of derive (with value), filter, route (with routes)", uses)
		f.get("value")
		f.get("routes")
		return e
	}
	switch {
	case f.has("derive"):
		e.Derive = f.text("derive", holdfast.CheckQuantity)
		e.formula = f.formula("value", &e.Text, reflect.Float64)
		if e.formula != nil && slices.Contains(e.formula.uses, e.Derive) {
			f.badKey("derive", "%s is what it is made from: want a new name", e.Derive)
		}
	case f.has("filter"):
		e.Filter = true
		e.formula = f.formula("filter", &e.Text, reflect.Bool)
	default:
		e.formula = f.formula("route", &e.Text, reflect.String)
		e.Routes = f.words("routes", checkRoute)
		if !f.has("routes") {
			f.badKey("routes", "is missing: want the names that the expression can give")
		}
	}
	return e
}

func checkRoute(name string) error {
	if holdfast.CheckOutput(name) != nil {
		return fmt.Errorf("%.70q: want 1 to 64 of a-z 0-9 _ -", name)
	}
	return nil
}

// formula compiles the expression under key.
func (f *fields) formula(key string, text *string, result reflect.Kind) *formula {
	var compiled *formula
	*text = f.text(key, func(s string) (err error) {
		compiled, err = compile(s, result)
		return err
	})
	return compiled
}

func (e *expression) watches() pattern { return e.Sensor }
func (e *expression) begin() memory    { return &evaluation{expression: e} }

// An evaluation is what an expression has for one sensor. Its JSON is empty.
type evaluation struct {
	expression  *expression
	calculation calculation
}

func (e *evaluation) apply(o origin, r *holdfast.Reading, _ holdfast.Instant) []holdfast.Record {
	if e.expression.formula == nil {
		return nil
	}
	result, err := e.calculation.run(e.expression.formula, r)
	if err != nil {
		o.failed(plainer(err))
		return nil
	}
	switch v := result.(type) {
	case float64:
		return e.derive(o, r, v)
	case bool:
		if !v {
			o.fate.withhold(o.rule)
		}
	case string:
		if !slices.Contains(e.expression.Routes, v) {
			o.failed(fmt.Errorf("route %.70q is not listed in routes", v))
			return nil
		}
		o.fate.route(v)
	}
	return nil
}

func (e *evaluation) derive(o origin, r *holdfast.Reading, v float64) []holdfast.Record {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		o.failed(errors.New("the result is no number that can be stored: " + fmt.Sprint(v)))
		return nil
	}
	derived := &holdfast.Reading{Time: r.Time, Mono: r.Mono, Clock: r.Clock, Sensor: r.Sensor, Values: map[string]float64{e.expression.Derive: v}}
	for _, quantity := range e.expression.formula.uses {
		if r.Quality[quantity] == holdfast.Suspect {
			derived.Quality = map[string]holdfast.Quality{e.expression.Derive: holdfast.Suspect}
		}
	}
	return []holdfast.Record{derived}
}

func (e *evaluation) tick(origin, holdfast.Instant) []holdfast.Record   { return nil }
func (e *evaluation) reboot(origin, holdfast.Instant) []holdfast.Record { return nil }
func (e *evaluation) retire(origin, holdfast.Instant) []holdfast.Record { return nil }
