package rules

import (
	"encoding/json"
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"holdfast"
)

// Rules of every kind make the same of a stream of readings whether the process runs through or is killed anywhere: what is
// restored from a checkpoint goes on exactly.
func TestReplayWithRestarts(t *testing.T) {
	t.Parallel()
	set, err := Parse("every.yaml", []byte(every))
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		options := func() Options {
			n := 0
			return Options{
				NewID:  func() string { n++; return fmt.Sprint("a", n) },
				Broken: func(rule string, err error) { t.Fatalf("rule %s: %v", rule, err) },
			}
		}
		through, killed := New(set, options()), New(set, options())
		o := options() // of all lives of the killed one
		killed.o = o
		at := instant(0)
		for range rapid.IntRange(1, 60).Draw(t, "length") {
			us := rapid.OneOf(rapid.Int64Range(0, 2e6), rapid.Int64Range(0, 90e6)).Draw(t, "us")
			at.Mono, at.Time = at.Mono+us, at.Time.Add(micros(us))
			if rapid.IntRange(0, 2).Draw(t, "kill") == 0 {
				data, err := whole(killed)
				if err != nil {
					t.Fatal(err)
				}
				killed = New(set, o)
				if _, err := whole(killed); err != nil { // of nothing
					t.Fatal(err)
				}
				if records, err := restore(killed, data, at); err != nil || records != nil {
					t.Fatal(records, err)
				}
			}
			if _, err := whole(killed); err != nil {
				t.Fatal(err)
			}
			switch rapid.IntRange(0, 7).Draw(t, "what") {
			case 0, 1:
				same(t, through.Tick(at), killed.Tick(at))
				continue
			case 2:
				id := fmt.Sprint("a", rapid.IntRange(1, 8).Draw(t, "alert"))
				want, _ := through.Acknowledge(id, "ann", at)
				got, _ := killed.Acknowledge(id, "ann", at)
				same(t, want, got)
				continue
			}
			sensor := rapid.SampledFrom([]string{"s", "other"}).Draw(t, "sensor")
			r := reading(at, sensor, float64(rapid.IntRange(-120, 120).Draw(t, "v"))/4)
			if rapid.IntRange(0, 5).Draw(t, "bad") == 0 {
				r.Quality = map[string]holdfast.Quality{"temperature_celsius": holdfast.Bad}
			}
			same(t, through.Apply(r, at), killed.Apply(r, at))
			if through.Fate() != killed.Fate() {
				t.Fatalf("fates %v and %v", through.Fate(), killed.Fate())
			}
		}
	})
}

func same(t *rapid.T, through, killed []holdfast.Record) {
	got, err := json.Marshal(killed)
	if err != nil {
		t.Fatal(err)
	}
	want, err := json.Marshal(through)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Fatalf("killed  %s\nthrough %s", got, want)
	}
}
