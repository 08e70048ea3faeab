package rules

import (
	"cmp"
	"encoding/json"
	"slices"
)

// A Rule tells of one rule of a set.
type Rule struct {
	Name   string
	Kind   string
	Sensor string // a name, or a glob over names
	Bytes  int    // that it remembers at most, for each sensor or, across sensors, once
	Across bool   // it remembers all of its sensors together

	Derives string // the quantity of the readings that it makes; empty where it makes none
}

// MaxMemory is how many bytes all rules of a set remember at most.
const MaxMemory = maxBytes

// Rules tells of each rule, in the order of the file.
func (s *Set) Rules() []Rule {
	all := make([]Rule, len(s.rules))
	for i, r := range s.rules {
		j, across := r.program.(joiner)
		all[i] = Rule{
			Name: r.name, Kind: r.kind, Sensor: cmp.Or(string(r.program.watches()), "*"),
			Bytes: (&running{rule: r}).bytes(), Across: across && j.across(),
		}
		if e, ok := r.program.(*expression); ok {
			all[i].Derives = e.Derive
		}
	}
	return all
}

// Unchanged returns the names of the rules that both sets define in the same way, sorted.
func (s *Set) Unchanged(other *Set) (names []string) {
	defined := make(map[string]string)
	for _, r := range other.rules {
		defined[r.name] = r.defined()
	}
	for _, r := range s.rules {
		if d := r.defined(); d != "" && defined[r.name] == d {
			names = append(names, r.name)
		}
	}
	slices.Sort(names)
	return names
}

// defined is equal for two rules that do the same; "" where it cannot be told.
func (r rule) defined() string {
	text, err := json.Marshal([]any{r.program, r.actions})
	if err != nil {
		return ""
	}
	return r.kind + string(text)
}
