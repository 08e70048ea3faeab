package buffer

import (
	"slices"
	"sort"

	"holdfast"
)

// A lane is what memory knows of one lane of one stream. For each number of 1..head it holds: a block has its record, or
// it is lost, or it is done. A number may be more than one of these: done comes first (nobody is owed anything), then
// lost (the statement replaces the record).
type lane struct {
	head   uint64 // newest durable number
	done   holdfast.Ranges
	lost   []loss // disjoint from each other
	blocks []block
	sum    *sums
}

// A block in memory: where it is, what it covers, what it costs.
type block struct {
	holdfast.Range
	from, to int64 // earliest and latest wall time, µs
	size     int32 // bytes in the file
	thin     bool
	tail     bool // it stands in the tail
	spent    bool // every number is done or lost: nobody is owed it, and it is history
}

// A loss is the numbers of a lane that have no data for one reason. Losses stay for as long as the stream is in the
// file, also when they are done: a database that asks again gets the same answer.
type loss struct {
	What   holdfast.What   `json:"what"` // dropped, rejected
	Cause  holdfast.Cause  `json:"cause"`
	Ranges holdfast.Ranges `json:"ranges"`
}

// sums are the bytes of all blocks, and of those of them that are spent.
type sums struct{ live, spent int64 }

// overhead is what bbolt adds to a block: the key and the element of its leaf page.
const overhead = 12 + 16

// all is every number that the lane has given. It is no valid range while there is none.
func (l *lane) all() holdfast.Range { return holdfast.Range{First: 1, Last: l.head} }

// clip returns the numbers of r that exist.
func (l *lane) clip(r holdfast.Range) (holdfast.Range, bool) {
	r = holdfast.Range{First: max(r.First, 1), Last: min(r.Last, l.head)}
	return r, r.First <= r.Last
}

// owed is how many numbers are not done.
func (l *lane) owed() uint64 { return l.head - l.done.Count() }

// next returns the first run of owed numbers from seq on that are stated alike: all lost for the same reason, or none
// of them lost (and the loss is nil).
func (l *lane) next(seq uint64) (holdfast.Range, *loss, bool) {
	run, ok := gap(l.done, holdfast.Range{First: seq, Last: l.head})
	if !ok {
		return run, nil, false
	}
	for i := range l.lost {
		held, ok := meet(l.lost[i].Ranges, run)
		if ok && held.First == run.First {
			return held, &l.lost[i], true
		}
		if ok {
			run.Last = held.First - 1
		}
	}
	return run, nil, true
}

// covered reports whether every number of r is done or lost.
func (l *lane) covered(r holdfast.Range) bool {
	for {
		rest, loss, ok := l.next(r.First)
		if !ok || rest.First > r.Last {
			return true
		}
		if loss == nil {
			return false
		}
		r.First = rest.Last + 1
	}
}

// lose states the numbers of r that are not lost yet as what, for the cause, and returns how many these were.
func (l *lane) lose(r holdfast.Range, what holdfast.What, cause holdfast.Cause) uint64 {
	fresh := holdfast.Ranges{r}
	for _, other := range l.lost {
		for _, held := range other.Ranges.Within(r) {
			fresh.Remove(held)
		}
	}
	if len(fresh) == 0 {
		return 0
	}
	i := slices.IndexFunc(l.lost, func(o loss) bool { return o.What == what && o.Cause == cause })
	if i < 0 {
		i = len(l.lost)
		l.lost = append(l.lost, loss{What: what, Cause: cause})
	}
	for _, r := range fresh {
		l.lost[i].Ranges.Add(r)
	}
	return fresh.Count()
}

// drop states those numbers of r as dropped that are neither done nor lost, and returns how many these were.
func (l *lane) drop(r holdfast.Range, cause holdfast.Cause) uint64 {
	var n uint64
	for _, owed := range l.done.Missing(r) {
		n += l.lose(owed, holdfast.Dropped, cause)
	}
	return n
}

// forgetBeyondHead takes back what was stated about numbers that a failed commit did not make.
func (l *lane) forgetBeyondHead() {
	for i := range l.lost {
		l.lost[i].Ranges.Remove(holdfast.Range{First: l.head + 1, Last: holdfast.MaxInteger})
	}
	l.lost = slices.DeleteFunc(l.lost, func(o loss) bool { return len(o.Ranges) == 0 })
}

// settled is where the last block in the lane's bucket begins; 0 where it holds none.
func (l *lane) settled() uint64 {
	for _, b := range slices.Backward(l.blocks) {
		if !b.tail {
			return b.First
		}
	}
	return 0
}

// find returns the index of the first block that ends at or behind seq.
func (l *lane) find(seq uint64) int {
	return sort.Search(len(l.blocks), func(i int) bool { return l.blocks[i].Last >= seq })
}

// held returns the numbers of r that a block holds.
func (l *lane) held(r holdfast.Range) holdfast.Ranges {
	var out holdfast.Ranges
	for i := l.find(r.First); i < len(l.blocks) && l.blocks[i].First <= r.Last; i++ {
		out.Add(holdfast.Range{First: max(l.blocks[i].First, r.First), Last: min(l.blocks[i].Last, r.Last)})
	}
	return out
}

// add puts a block behind the last one.
func (l *lane) add(b block) {
	b.spent = false
	l.blocks = append(l.blocks, b)
	l.sum.live += int64(b.size) + overhead
	l.review(b.Range)
}

// review settles anew which of the blocks that touch r are spent. Call it after done or lost changed in r.
func (l *lane) review(r holdfast.Range) {
	for i := l.find(r.First); i < len(l.blocks) && l.blocks[i].First <= r.Last; i++ {
		b := &l.blocks[i]
		if spent := l.covered(b.Range); spent != b.spent {
			b.spent = spent
			if spent {
				l.sum.spent += int64(b.size) + overhead
			} else {
				l.sum.spent -= int64(b.size) + overhead
			}
		}
	}
}

// remove takes out of the index the blocks that the function picks, in order of number, and returns them.
func (l *lane) remove(pick func(block) bool) []block {
	var out []block
	l.blocks = slices.DeleteFunc(l.blocks, func(b block) bool {
		if !pick(b) {
			return false
		}
		l.uncount(b)
		out = append(out, b)
		return true
	})
	return out
}

// cutTail takes the blocks of the tail out of the index.
func (l *lane) cutTail() {
	for n := len(l.blocks); n > 0 && l.blocks[n-1].tail; n-- {
		l.uncount(l.blocks[n-1])
		l.blocks = l.blocks[:n-1]
	}
}

func (l *lane) uncount(b block) {
	l.sum.live -= int64(b.size) + overhead
	if b.spent {
		l.sum.spent -= int64(b.size) + overhead
	}
}

// unknown returns the numbers of the lane that are neither done nor lost nor held: none, unless the file was damaged.
func (l *lane) unknown() holdfast.Ranges {
	if l.head == 0 {
		return nil
	}
	out := holdfast.Ranges{l.all()}
	for _, r := range l.done {
		out.Remove(r)
	}
	for _, o := range l.lost {
		for _, r := range o.Ranges {
			out.Remove(r)
		}
	}
	for _, b := range l.blocks {
		out.Remove(b.Range)
	}
	return out
}

// gap returns the first run of numbers of r that s does not hold.
func gap(s holdfast.Ranges, r holdfast.Range) (holdfast.Range, bool) {
	i := sort.Search(len(s), func(i int) bool { return s[i].Last >= r.First })
	if i < len(s) && s[i].First <= r.First {
		r.First = s[i].Last + 1
		i++
	}
	if i < len(s) {
		r.Last = min(r.Last, s[i].First-1)
	}
	return r, r.First <= r.Last
}

// meet returns the first run of numbers of r that s holds.
func meet(s holdfast.Ranges, r holdfast.Range) (holdfast.Range, bool) {
	i := sort.Search(len(s), func(i int) bool { return s[i].Last >= r.First })
	if i == len(s) || s[i].First > r.Last {
		return r, false
	}
	return holdfast.Range{First: max(s[i].First, r.First), Last: min(s[i].Last, r.Last)}, true
}
