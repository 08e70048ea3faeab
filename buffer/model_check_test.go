package buffer

import (
	"fmt"
	"slices"
	"time"

	"pgregory.net/rapid"

	"holdfast"
)

// Check compares all that the buffer says with the model.
func (m *model) Check(t *rapid.T) {
	*m.steps++
	for i, name := range laneNames {
		var want, got []string
		for _, s := range m.streams {
			for j, n := range s.lanes[i] {
				said := n.data
				if n.lost != "" {
					said = n.lost
				}
				if !n.done {
					want = append(want, fmt.Sprint(s.id, j+1, said))
				}
			}
		}
		var at holdfast.Position
		for {
			batch, ok, err := m.buffer.Next(name, at, 7, 1000)
			if err != nil {
				t.Fatal(err)
			}
			if !ok {
				break
			}
			if err := batch.Validate(); err != nil {
				t.Fatal(err)
			}
			for seq := batch.First; seq <= batch.Last; seq++ {
				said := string(batch.What) + " " + string(batch.Cause)
				if batch.What == holdfast.Data {
					said = string(batch.Records[seq-batch.First])
				}
				got = append(got, fmt.Sprint(batch.Stream, seq, said))
			}
			at = holdfast.Position{Stream: batch.Stream, Seq: batch.Last}
		}
		if !slices.Equal(got, want) {
			t.Fatalf("lane %s owes\n%s\nwant\n%s", name, short(got), short(want))
		}
	}
	for key, value := range m.state {
		if got := string(m.buffer.State(key)); got != value {
			t.Fatalf("state %s is %q, want %q", key, got, value)
		}
	}
	m.withheld(t)
	m.sums(t)
}

// sums counts anew what the buffer keeps count of.
func (m *model) sums(t *rapid.T) {
	var want sums
	for _, s := range m.buffer.streams {
		for i := range local + 1 {
			l := s.lane(i)
			if i == local {
				for _, b := range l.blocks {
					want.live += int64(b.size) + overhead
					want.spent += int64(b.size) + overhead
				}
				continue
			}
			if unknown := l.unknown(); len(unknown) > 0 {
				t.Fatalf("stream %s: nothing accounts for %v", s.id, unknown)
			}
			for _, b := range l.blocks {
				want.live += int64(b.size) + overhead
				if l.covered(b.Range) {
					want.spent += int64(b.size) + overhead
				}
			}
		}
	}
	if *m.buffer.sum != want {
		t.Fatalf("sums %+v, want %+v", *m.buffer.sum, want)
	}
}

func short(lines []string) []string {
	if len(lines) > 20 {
		return append(slices.Clone(lines[:20]), fmt.Sprintf("and %d more", len(lines)-20))
	}
	return lines
}

// withheld expects of what was withheld the newest that history had room for, in order; and nothing of it anywhere else.
func (m *model) withheld(t *rapid.T) {
	var got []string
	err := m.buffer.Browse(holdfast.LaneLocal, holdfast.Position{}, time.Time{}, time.Time{}, func(_ holdfast.Stream, _ uint64, data []byte) bool {
		got = append(got, string(data))
		return true
	})
	if err != nil || len(got) > len(m.local) || !slices.Equal(got, m.local[len(m.local)-len(got):]) {
		t.Fatalf("of what was withheld there is\n%s\nwant the end of\n%s, %v", short(got), short(m.local), err)
	}
	if m.trims || m.options.HistoryBytes < 0 {
		return
	}
	if len(got) != len(m.local) {
		t.Fatalf("%d of %d withheld records are there, and nothing had to go", len(got), len(m.local))
	}
}
