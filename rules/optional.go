package rules

import "go.yaml.in/yaml/v3"

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

// yes reads true or false. An absent key gives false.
func (f *fields) yes(key string) bool {
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
