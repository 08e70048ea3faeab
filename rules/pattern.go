package rules

import (
	"fmt"
	"path"

	"holdfast"
)

// A pattern is a sensor's name, or a glob over names with * ? and [a-z].
type pattern string

// glob is strings.ContainsAny, which is slower: it is asked for each rule and reading.
func (p pattern) glob() bool {
	for i := range len(p) {
		switch p[i] {
		case '*', '?', '[', '\\':
			return true
		}
	}
	return false
}

func (p pattern) matches(sensor string) bool {
	if p == "*" {
		return true
	}
	if !p.glob() {
		return string(p) == sensor
	}
	ok, err := path.Match(string(p), sensor) // names hold no slash, so * spans all of a name
	return ok && err == nil
}

func (p pattern) validate() error {
	if !p.glob() {
		return holdfast.CheckSensor(string(p))
	}
	if _, err := path.Match(string(p), ""); err != nil || len(p) > 64 {
		return fmt.Errorf("%q is not a glob of at most 64 characters", string(p))
	}
	return nil
}

// sensor reads which sensors a rule watches; left out, all of them.
func (f *fields) sensor() pattern {
	return pattern(f.textOr("sensor", "*", func(s string) error { return pattern(s).validate() }))
}
