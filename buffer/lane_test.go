package buffer

import (
	"fmt"
	"testing"

	"holdfast"
)

func testLane() *lane {
	l := &lane{head: 100, sum: new(sums)}
	for first := uint64(1); first < 100; first += 10 {
		l.add(block{Range: holdfast.Range{First: first, Last: first + 9}, size: 72})
	}
	return l
}

func TestLaneNext(t *testing.T) {
	t.Parallel()
	l := testLane()
	l.done = ranges(1, 15, 30, 40)
	l.lose(holdfast.Range{First: 35, Last: 50}, holdfast.Dropped, holdfast.CauseFull)
	l.lose(holdfast.Range{First: 45, Last: 52}, holdfast.Rejected, holdfast.CauseTooLarge)
	for _, c := range []struct {
		seq  uint64
		want string
	}{
		{1, "16-29"}, {20, "20-29"}, {29, "29-29"}, {30, "41-50 full"}, {47, "47-50 full"}, {51, "51-52 too_large"}, {53, "53-100"}, {100, "100-100"}, {101, ""}, {500, ""},
	} {
		got := ""
		if r, loss, ok := l.next(c.seq); ok {
			got = fmt.Sprintf("%d-%d", r.First, r.Last)
			if loss != nil {
				got += " " + string(loss.Cause)
			}
		}
		if got != c.want {
			t.Errorf("next(%d): %q, want %q", c.seq, got, c.want)
		}
	}
}

func TestLaneCountsWhatIsSpent(t *testing.T) {
	t.Parallel()
	l := testLane()
	if got := *l.sum; got != (sums{live: 1000}) {
		t.Fatalf("sums %+v, want 10 blocks of 100 bytes", got)
	}
	for _, c := range []struct {
		what  string
		do    func()
		spent int64
	}{
		{"half a block done", func() { l.done.Add(holdfast.Range{First: 1, Last: 5}) }, 0},
		{"the rest of it lost", func() { l.lose(holdfast.Range{First: 6, Last: 10}, holdfast.Rejected, holdfast.CauseTooLarge) }, 100},
		{"three more done", func() { l.done.Add(holdfast.Range{First: 11, Last: 45}) }, 400},
		{"one wanted again", func() { l.done.Remove(holdfast.Range{First: 30, Last: 30}) }, 300},
		{"the first trimmed", func() { l.remove(func(b block) bool { return b.First == 1 }) }, 200},
	} {
		c.do()
		l.review(l.all())
		if l.sum.spent != c.spent {
			t.Errorf("%s: %d bytes spent, want %d", c.what, l.sum.spent, c.spent)
		}
	}
	if l.sum.live != 900 {
		t.Errorf("%d bytes live, want 900", l.sum.live)
	}
	if got := l.unknown(); len(got) != 0 {
		t.Errorf("unknown %v: what was trimmed was done or lost", got)
	}
	l.remove(func(b block) bool { return b.First == 91 })
	if got := l.unknown(); len(got) != 1 || got[0] != (holdfast.Range{First: 91, Last: 100}) {
		t.Errorf("unknown %v, want 91 to 100", got)
	}
}

func TestGapAndMeet(t *testing.T) {
	t.Parallel()
	s := ranges(3, 5, 8, 8)
	for _, c := range []struct {
		first, last uint64
		gap, meet   string
	}{
		{1, 10, "1-2", "3-5"}, {3, 10, "6-7", "3-5"}, {4, 5, "", "4-5"}, {6, 7, "6-7", ""}, {8, 8, "", "8-8"}, {9, 12, "9-12", ""}, {5, 4, "", ""},
	} {
		text := func(r holdfast.Range, ok bool) string {
			if !ok {
				return ""
			}
			return fmt.Sprintf("%d-%d", r.First, r.Last)
		}
		r := holdfast.Range{First: c.first, Last: c.last}
		if got := text(gap(s, r)); got != c.gap {
			t.Errorf("gap of %v: %q, want %q", r, got, c.gap)
		}
		if got := text(meet(s, r)); got != c.meet && r.First <= r.Last {
			t.Errorf("meet of %v: %q, want %q", r, got, c.meet)
		}
	}
}
