package profile

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"holdfast"
)

// An id is that of a reading: milliseconds since 1970, and a serial among those of the same millisecond.
type id struct{ ms, serial int64 }

func (i id) less(j id) bool { return i.ms < j.ms || i.ms == j.ms && i.serial < j.serial }

// parseID reads ms-serial, or ms alone, which then has the given serial.
func parseID(text string, serial int64) (id, error) {
	before, after, whole := strings.Cut(text, "-")
	ms, err := strconv.ParseInt(before, 10, 64)
	if err == nil && whole {
		serial, err = strconv.ParseInt(after, 10, 64)
	}
	if err != nil || ms < 0 || serial < 0 {
		return id{}, fmt.Errorf("%.40q is no id: want milliseconds and a serial as in 1621122796939-0, with ( before it to leave it out, - or +", text)
	}
	return id{ms, serial}, nil
}

// A span is ids from one to another, both ends in it, as Redis's XRANGE has it.
type span struct{ from, to id }

// parseSpan reads the two ends: an id, an id behind "(" that is not in it, "-" for the least, "+" for the greatest.
func parseSpan(least, greatest string) (s span, err error) {
	if s.from, err = parseEnd(least, 0, 1); err != nil {
		return s, fmt.Errorf("min_id: %w", err)
	}
	if s.to, err = parseEnd(greatest, math.MaxInt64, -1); err != nil {
		return s, fmt.Errorf("max_id: %w", err)
	}
	return s, nil
}

// parseEnd reads one end. serial completes an id without one; inwards is the step from an id that is not in the span to the
// next one.
func parseEnd(text string, serial, inwards int64) (id, error) {
	switch text {
	case "-":
		return id{}, nil
	case "+":
		return id{math.MaxInt64, math.MaxInt64}, nil
	}
	rest, open := strings.CutPrefix(text, "(")
	end, err := parseID(rest, serial)
	if err != nil || !open {
		return end, err
	}
	switch {
	case inwards > 0 && end.serial == math.MaxInt64:
		return id{end.ms + 1, 0}, nil
	case inwards < 0 && end.serial == 0:
		return id{end.ms - 1, math.MaxInt64}, nil
	}
	return id{end.ms, end.serial + inwards}, nil
}

func (s span) holds(r *holdfast.Reading) bool {
	i, err := parseID(idOf(r), 0)
	return err == nil && !i.less(s.from) && !s.to.less(i)
}

// IDs mints ids for readings, each greater than the one before, also where the clock goes back.
type IDs struct{ last id }

// Last returns the newest id, empty before the first.
func (i *IDs) Last() string {
	if i.last == (id{}) {
		return ""
	}
	return fmt.Sprintf("%d-%d", i.last.ms, i.last.serial)
}

// Resume goes on behind an id that [IDs.Last] returned. One that cannot be read is an error, and changes nothing.
func (i *IDs) Resume(last string) error {
	if last == "" {
		return nil
	}
	at, err := parseID(last, 0)
	if err == nil {
		i.last = at
	}
	return err
}

// Next returns the id of a reading that was taken at some milliseconds since 1970.
func (i *IDs) Next(ms int64) string {
	if ms > i.last.ms {
		i.last = id{ms: ms}
	} else {
		i.last.serial++
	}
	return i.Last()
}
