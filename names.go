package holdfast

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// ErrInvalid is wrapped by every error that a Validate method or a decoder of this package returns.
var ErrInvalid = errors.New("invalid")

// MaxInteger is the largest integer that every JSON reader keeps exactly; sequence numbers and mono stay below it.
const MaxInteger = 1<<53 - 1

// Micro returns t in UTC, cut to the microsecond: the finest time that the wire carries.
func Micro(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }

// CheckDevice returns an error unless id is a device id: 1 to 64 of A-Z a-z 0-9 _ -, and not the reserved "broadcast".
func CheckDevice(id string) error {
	if !spelled(id, true, "_-") {
		return invalid("device", "%q: want 1 to 64 of A-Z a-z 0-9 _ -", id)
	}
	if id == "broadcast" {
		return invalid("device", "%q is reserved", id)
	}
	return nil
}

// CheckSensor returns an error unless name is a sensor's name: 1 to 64 of a-z 0-9 _ . -
func CheckSensor(name string) error {
	if !spelled(name, false, "_.-") {
		return invalid("sensor", "%q: want 1 to 64 of a-z 0-9 _ . -", name)
	}
	return nil
}

// CheckOutput returns an error unless name is an output's name: 1 to 64 of a-z 0-9 _ -
func CheckOutput(name string) error {
	if !spelled(name, false, "_-") {
		return invalid("output", "%q: want 1 to 64 of a-z 0-9 _ -", cut(name, 70))
	}
	return nil
}

// CheckQuantity returns an error unless name is a quantity's name: a letter a-z, then at most 63 of a-z 0-9 _
func CheckQuantity(name string) error {
	if !quantityName(name) {
		return invalid("quantity", "%q: want a letter a-z, then at most 63 of a-z 0-9 _", name)
	}
	return nil
}

// CheckRule returns an error unless name is a rule's name: 1 to 64 of A-Z a-z 0-9 _ . -
func CheckRule(name string) error {
	if !spelled(name, true, "_.-") {
		return invalid("rule", "%q: want 1 to 64 of A-Z a-z 0-9 _ . -", name)
	}
	return nil
}

func quantityName(name string) bool {
	return spelled(name, false, "_") && name[0] >= 'a' && name[0] <= 'z'
}

// spelled reports whether name is 1 to 64 of a-z, 0-9, A-Z where upper is set, and the others. Each reading has four names or
// more to check; a regular expression takes ten times as long.
func spelled(name string, upper bool, others string) bool {
	for i := range len(name) {
		c := name[i]
		letter := c >= 'a' && c <= 'z' || upper && c >= 'A' && c <= 'Z'
		if !letter && (c < '0' || c > '9') && strings.IndexByte(others, c) < 0 {
			return false
		}
	}
	return name != "" && len(name) <= 64
}

func checkVersion(v int) error {
	if v != Version {
		return invalid("v", "%d: want %d", v, Version)
	}
	return nil
}

func checkTime(field string, t time.Time) error {
	if y := t.Year(); t.IsZero() || y < 1970 || y > 9999 {
		return invalid(field, "%s: want RFC 3339 UTC from 1970 to 9999", t.Format(time.RFC3339))
	}
	return nil
}

func checkText(field, text string, most int) error {
	if len(text) > most {
		return invalid(field, "%d bytes: at most %d", len(text), most)
	}
	if strings.ContainsRune(text, 0) {
		return invalid(field, "holds a NUL")
	}
	return nil
}

func oneOf[T ~string](field string, got T, want ...T) error {
	if slices.Contains(want, got) {
		return nil
	}
	words := make([]string, len(want))
	for i, w := range want {
		words[i] = string(w)
	}
	return invalid(field, "%q: want one of %s", got, strings.Join(words, ", "))
}

func invalid(field, format string, args ...any) error {
	return fmt.Errorf("%w %s: %s", ErrInvalid, field, fmt.Sprintf(format, args...))
}

func inside(field string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", field, err)
}
