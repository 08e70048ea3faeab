package uplink

import (
	"slices"
	"testing"
	"time"

	"holdfast"
)

var noon = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)

func span(first, last uint64) holdfast.Range { return holdfast.Range{First: first, Last: last} }

func TestWindow(t *testing.T) {
	t.Parallel()
	w := window{limit: 3}
	for i, r := range []holdfast.Range{span(1, 100), span(101, 200), span(201, 210)} {
		if !w.room() {
			t.Fatalf("no room for flight %d", i)
		}
		w.add(stream, r, uint64(i+1), noon.Add(time.Duration(i)*time.Second))
	}
	if w.room() {
		t.Error("room for a fourth flight")
	}
	for _, c := range []struct {
		stream holdfast.Stream
		span   holdfast.Range
		want   bool
	}{
		{stream, span(1, 210), true}, {stream, span(90, 110), true}, {stream, span(200, 211), false}, {older, span(1, 2), false},
	} {
		if got := w.covers(c.stream, c.span); got != c.want {
			t.Errorf("covers %v of %v: %v", c.span, c.stream, got)
		}
	}
	for i, c := range []struct {
		stream    holdfast.Stream
		ranges    holdfast.Ranges
		landed    uint64
		left      int
		overtaken []bool
	}{
		{older, holdfast.Ranges{span(1, 500)}, 0, 3, []bool{false, false, false}},
		{stream, holdfast.Ranges{span(101, 150)}, 50, 3, []bool{false, false, false}},
		{stream, holdfast.Ranges{span(101, 150)}, 0, 3, []bool{false, false, false}},
		{stream, holdfast.Ranges{span(140, 200), span(205, 300)}, 56, 2, []bool{true, false}},
		{stream, holdfast.Ranges{span(1, 300)}, 104, 0, nil},
	} {
		landed := w.receipt(c.stream, c.ranges)
		var overtaken []bool
		for _, f := range w.flights {
			overtaken = append(overtaken, f.overtaken)
		}
		if landed != c.landed || len(w.flights) != c.left || !slices.Equal(overtaken, c.overtaken) {
			t.Errorf("receipt %d: %d landed, overtaken %v; want %d, %v", i, landed, overtaken, c.landed, c.overtaken)
		}
	}
}

func TestAloneWantsNoCompany(t *testing.T) {
	t.Parallel()
	w := window{limit: 20, alone: true}
	if !w.room() {
		t.Error("no room for the one")
	}
	w.add(stream, span(1, 1), 1, noon)
	if w.room() {
		t.Error("room for company")
	}
}

// What was overtaken is late 30 s after it was sent, then after a minute, and so on up to ten.
func TestLate(t *testing.T) {
	t.Parallel()
	w := window{limit: 3}
	w.add(stream, span(1, 10), 1, noon)
	w.add(stream, span(11, 20), 2, noon)
	w.add(stream, span(21, 30), 3, noon)
	w.receipt(stream, holdfast.Ranges{span(11, 20)})
	at := noon
	for _, want := range []time.Duration{30, 60, 120, 240, 480, 600, 600} {
		late, next := w.late(at.Add(want*time.Second - 1))
		if due := at.Add(want * time.Second); len(late) != 0 || !next.Equal(due) {
			t.Fatalf("before %v: %d late, the next at %v", due, len(late), next)
		}
		at = at.Add(want * time.Second)
		late, _ = w.late(at)
		if len(late) != 1 || late[0].span != span(1, 10) {
			t.Fatalf("at %v: %d late, want the first alone", at, len(late))
		}
		late[0].impatient()
		late[0].launch(late[0].span, 4, at)
		late[0].overtaken = true
	}
}

func TestSilence(t *testing.T) {
	t.Parallel()
	var s silence
	if due := s.due(noon); !due.Equal(noon.Add(30 * time.Second)) {
		t.Errorf("first probe at %v", due)
	}
	if s.heard(noon.Add(10 * time.Second)) {
		t.Error("a receipt ended probes that never were")
	}
	if due := s.due(noon); !due.Equal(noon.Add(40 * time.Second)) {
		t.Errorf("after a receipt: %v, want 30 s after it", due)
	}
	if due := s.due(noon.Add(time.Hour)); !due.Equal(noon.Add(time.Hour + 30*time.Second)) {
		t.Errorf("after a publication an hour later: %v, want 30 s after that", due)
	}
	at := noon
	for _, want := range []time.Duration{60, 120, 240, 480, 600, 600} {
		s.probed(at)
		if due := s.due(noon); !due.Equal(at.Add(want * time.Second)) {
			t.Fatalf("probe after %v, want %v s", due.Sub(at), int64(want))
		}
		at = s.due(noon)
	}
	if !s.heard(at) || s.heard(at) {
		t.Error("want that the first receipt ends the probing, and the second nothing")
	}
}
