package holdfast

import (
	"bytes"
	"strconv"
)

// scanReading reads the JSON of a reading that is written the way [Reading] writes it: its fields in their order, no space
// between them, every value good. These are nearly all records there are, and encoding/json takes six times as long for one. It
// returns nil for every other text, right or wrong, which encoding/json then reads: what this accepts has the same meaning
// there, and what it does not accept is no mistake.
func scanReading(data []byte) *Reading {
	s := scanner{rest: data}
	r := &Reading{Values: make(map[string]float64, 4)}
	s.skip(`{"time":"`)
	if r.Time.UnmarshalText(s.text()) != nil {
		return nil
	}
	s.skip(`,"sensor":"`)
	r.Sensor = string(s.text())
	s.skip(`,"values":{"`)
	for more := true; more && !s.failed; more = s.skips(`,"`) {
		name := string(s.text())
		s.skip(`:`)
		v, err := strconv.ParseFloat(string(s.number()), 64)
		s.failed = s.failed || err != nil
		r.Values[name] = v
	}
	s.skip(`}`)
	if s.skips(`,"clock":{"boot":"`) {
		r.Clock = &Clock{Boot: string(s.text())}
		s.skip(`,"mono":`)
		mono, err := strconv.ParseInt(string(s.number()), 10, 64)
		s.failed = s.failed || err != nil
		r.Clock.Mono = mono
		s.skip(`}`)
	}
	if s.skips(`,"id":"`) {
		r.ID = string(s.text())
	}
	s.skip(`}`)
	if s.failed || len(s.rest) > 0 {
		return nil
	}
	return r
}

// A scanner is what is left to read. Once something was not there it has failed, and stays so.
type scanner struct {
	rest   []byte
	failed bool
}

// skip steps over a word, which has to come next.
func (s *scanner) skip(word string) {
	if !s.skips(word) {
		s.failed = true
	}
}

// skips steps over a word, if it comes next.
func (s *scanner) skips(word string) bool {
	if s.failed || len(s.rest) < len(word) || string(s.rest[:len(word)]) != word {
		return false
	}
	s.rest = s.rest[len(word):]
	return true
}

// text returns a string up to its closing quote, which it steps over. It takes none with an escape, or a byte that may need
// one.
func (s *scanner) text() []byte {
	end := max(bytes.IndexByte(s.rest, '"'), 0)
	text := s.rest[:end]
	for _, c := range text {
		if c < ' ' || c > '~' || c == '\\' {
			s.failed = true
		}
	}
	s.rest = s.rest[end:]
	s.skip(`"`)
	return text
}

// number returns a number and steps over it. It takes only those of JSON, and none with an exponent.
func (s *scanner) number() []byte {
	i := 0
	if s.next(i) == '-' {
		i++
	}
	zero := s.next(i) == '0'
	whole := s.digits(i)
	i += whole
	if s.next(i) == '.' {
		fraction := s.digits(i + 1)
		s.failed = s.failed || fraction == 0
		i += 1 + fraction
	}
	s.failed = s.failed || whole == 0 || zero && whole > 1
	number := s.rest[:i]
	s.rest = s.rest[i:]
	return number
}

// next returns the byte at i, 0 behind the end.
func (s *scanner) next(i int) byte {
	if i < len(s.rest) {
		return s.rest[i]
	}
	return 0
}

// digits is how many of them follow from i on.
func (s *scanner) digits(i int) (n int) {
	for c := s.next(i); c >= '0' && c <= '9'; c = s.next(i + n) {
		n++
	}
	return n
}
