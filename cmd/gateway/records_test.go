package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"holdfast"
)

// shelves are lanes of records that say when they are from.
type shelves map[holdfast.Lane][]string

func (s shelves) Browse(lane holdfast.Lane, _ holdfast.Position, _, _ time.Time, f func(holdfast.Stream, uint64, []byte) bool) error {
	for i, record := range s[lane] {
		if record == "broken" {
			return errors.New("broken")
		}
		if !f(holdfast.Stream{1}, uint64(i+1), []byte(record)) {
			return nil
		}
	}
	return nil
}

// Records of all lanes come in order of time, those of a lane in the order of their numbers, whatever the clock did.
func TestMerged(t *testing.T) {
	t.Parallel()
	at := func(second int, name string) string {
		return fmt.Sprintf(`{"kind":"x","time":"2026-05-01T12:00:%02dZ","name":"%s"}`, second, name)
	}
	s := shelves{
		holdfast.LaneTelemetry: {at(1, "a"), at(5, "d"), at(3, "e"), at(9, "g")}, // the clock was put back behind d
		holdfast.LaneAlert:     {at(2, "b"), at(6, "f")},
		holdfast.LaneEvent:     {at(4, "c")},
		holdfast.LaneLocal:     {at(7, "f"), at(8, "f")},
	}
	var got []string
	take := func(most int) func(lane holdfast.Lane, record []byte) bool {
		got = nil
		return func(_ holdfast.Lane, record []byte) bool {
			got = append(got, strings.Split(string(record), `"name":"`)[1][:1])
			return len(got) < most
		}
	}
	if err := merged(s, time.Time{}, time.Time{}, take(100)); err != nil || !slices.Equal(got, strings.Split("abcdefffg", "")) {
		t.Errorf("%v, %v", got, err)
	}
	if err := merged(s, time.Time{}, time.Time{}, take(3)); err != nil || !slices.Equal(got, strings.Split("abc", "")) {
		t.Errorf("the first three: %v, %v", got, err)
	}
	s[holdfast.LaneEvent] = append(s[holdfast.LaneEvent], "broken")
	if err := merged(s, time.Time{}, time.Time{}, take(100)); err == nil {
		t.Error("a lane that cannot be read to its end is no error")
	}
}
