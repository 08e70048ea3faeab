package rules

import (
	"math"

	"go.yaml.in/yaml/v3"
)

// numberOr reads a finite number from least to most where the key is there.
func (f *fields) numberOr(key string, absent, least, most float64) float64 {
	v, ok := f.number(key)
	if !ok {
		return absent
	}
	if v < least || v > most {
		f.badKey(key, "%v: want %v to %v", v, least, most)
		return absent
	}
	return v
}

// integerOr reads a whole number from least to most where the key is there.
func (f *fields) integerOr(key string, absent, least, most int) int {
	if f.get(key) == nil {
		return absent
	}
	v, ok := f.integer(key, least, most)
	if !ok {
		return absent
	}
	return v
}

// flag reads true or false. An absent key gives false.
func (f *fields) flag(key string) bool {
	n := f.get(key)
	if n == nil {
		return false
	}
	var v bool
	if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!bool" || n.Decode(&v) != nil {
		f.badKey(key, "%s: want true or false", shown(n))
		return false
	}
	return v
}

// pair reads a list of two finite numbers, the lower first, and whether the key is there and right.
func (f *fields) pair(key string) (low, high float64, ok bool) {
	n := f.get(key)
	if n == nil {
		return 0, 0, false
	}
	if n.Kind == yaml.SequenceNode && len(n.Content) == 2 {
		low, isLow := finite(target(n.Content[0]))
		high, isHigh := finite(target(n.Content[1]))
		if isLow && isHigh && low < high {
			return low, high, true
		}
	}
	f.badKey(key, "want two numbers, the lower first: [2, 8]")
	return 0, 0, false
}

// size reads a finite number that is at least 0. An absent key gives 0.
func (f *fields) size(key string) float64 {
	v, ok := f.number(key)
	if ok && v < 0 {
		f.badKey(key, "%v: want 0 or more", v)
		return 0
	}
	return v
}

func finite(n *yaml.Node) (float64, bool) {
	var v float64
	tag := n.ShortTag()
	ok := (tag == "!!int" || tag == "!!float") && n.Decode(&v) == nil && !math.IsNaN(v) && !math.IsInf(v, 0)
	return v, ok
}
