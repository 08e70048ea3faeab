package rules

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"holdfast"
)

// A reader is a rule that names the quantities which it looks at.
type reader interface{ reads() []string }

func (t *threshold) reads() []string { return []string{t.Quantity} }
func (a *aggregate) reads() []string { return a.Quantities }
func (a *anomaly) reads() []string   { return []string{a.Quantity} }
func (t *trend) reads() []string     { return []string{t.Of} }
func (r *rate) reads() []string      { return []string{r.Of} }
func (a *absence) reads() []string {
	return slices.DeleteFunc([]string{a.Heard}, func(s string) bool { return s == "" })
}
func (e *expression) reads() []string { return e.formula.uses }

// Against compares the set with what a device measures, and joins an error for each quantity of a rule that no sensor has
// which the rule watches, for each rule that watches no sensor, and where the rules would remember more than they may. What an expression derives counts for the rules behind it. Such
// a rule is not wrong, for sensors come and go, but it has nothing to do.
func (s *Set) Against(c *holdfast.Catalog) error {
	measured := make(map[string]map[string]bool) // by sensor
	for _, sensor := range c.Sensors {
		measured[sensor.Name] = make(map[string]bool)
		for _, q := range sensor.Quantities {
			measured[sensor.Name][q.Name] = true
		}
	}
	var errs []error
	for _, r := range s.rules {
		n, ok := r.program.(reader)
		if !ok {
			continue
		}
		watched := make(map[string]bool) // quantities of its sensors
		sensors := 0
		for name, quantities := range measured {
			if r.program.watches().matches(name) {
				sensors++
				maps.Copy(watched, quantities)
			}
		}
		if sensors == 0 {
			errs = append(errs, fmt.Errorf("rule %s: there is no sensor %s", r.name, r.program.watches()))
			continue
		}
		for _, quantity := range n.reads() {
			if !watched[quantity] {
				errs = append(errs, unmeasured(r, quantity, slices.Sorted(maps.Keys(watched))))
			}
		}
		if e, ok := r.program.(*expression); ok && e.Derive != "" {
			e.extend(measured)
		}
	}
	if n := s.Memory(c); n > maxBytes {
		errs = append(errs, fmt.Errorf("the rules would remember up to %d MB of these %d sensors: at most %d; some sensors are left out of some rules: want fewer sensors or quantities in a rule, or shorter or coarser windows", n>>20, len(c.Sensors), maxBytes>>20))
	}
	return errors.Join(errs...)
}

func unmeasured(r rule, quantity string, measured []string) error {
	if near := Nearest(quantity, measured); near != "" {
		return fmt.Errorf("rule %s: no sensor %s measures %s: did you mean %s?", r.name, r.program.watches(), quantity, near)
	}
	return fmt.Errorf("rule %s: no sensor %s measures %s", r.name, r.program.watches(), quantity)
}

// extend adds the derived quantity to those of each sensor that has all it is made from.
func (e *expression) extend(measured map[string]map[string]bool) {
	for sensor, quantities := range measured {
		lacks := func(quantity string) bool { return !quantities[quantity] }
		if e.Sensor.matches(sensor) && !slices.ContainsFunc(e.formula.uses, lacks) {
			quantities[e.Derive] = true
		}
	}
}
