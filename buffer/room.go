package buffer

import (
	"time"

	"go.etcd.io/bbolt"

	"holdfast"
)

// Space is made in this order: history, oldest first; then telemetry that nobody has yet, oldest first; then events;
// then alerts. Blocks leave memory's index at once and the file with the commit that needs the room.

// makeRoom lets go what must go so that need more bytes of blocks fit. Called by the writer with the lock held.
func (b *Buffer) makeRoom(need int64) {
	if time.Since(b.writer.full) > shortHistory {
		b.history = b.o.HistoryBytes
	}
	if b.sum.spent > b.history {
		b.trim(b.sum.spent - b.history + b.history/16) // a good bunch, to have rest for a while
	}
	over := b.over(need)
	if over <= 0 {
		return
	}
	bunch := b.limit / 256
	over -= b.trim(over + bunch)
	for i := telemetry; i >= 0 && over > 0; i-- {
		over -= b.shed(i, over+bunch)
	}
}

// shortHistory is for how long history stays as short as a full disk has made it.
const shortHistory = time.Hour

// cede makes room where the disk has none: the file cannot grow, but it has pages of its own to give. History becomes
// shorter by an eighth, in a transaction that needs hardly any room itself, and does not grow again for a while. Filler goes
// with the next tick, see grow.
func (b *Buffer) cede() {
	b.writer.full = time.Now()
	b.mu.Lock()
	b.history = b.sum.spent - b.sum.spent/16
	p := b.blank()
	b.mu.Unlock()
	if err := b.carry(p); err != nil {
		b.o.Log.Debug("buffer finds no room on its disk", "err", err)
	}
}

// over is how many bytes of blocks are too many, if need more come. What a byte of a block takes of the file is known
// from the last commit: pages are partly empty, the more so the larger blocks are in relation to a page.
func (b *Buffer) over(need int64) int64 {
	cost := 1.0
	if b.measured.live > 0 {
		cost = min(max(cost, float64(b.measured.used)/float64(b.measured.live)), 2)
	}
	since := b.sum.live + need - b.measured.live
	return since + int64(float64(b.measured.used-b.limit)/cost)
}

// measure tells, right after a commit, how many bytes of pages are in use but for filler; and notes how full the root page is.
func (b *Buffer) measure() int64 {
	var used int64
	err := b.db.View(func(tx *bbolt.Tx) error {
		used = tx.Size()
		b.writer.root.measure(tx)
		return nil
	})
	if err != nil {
		return b.measured.used
	}
	stats := b.db.Stats()
	return max(0, used-int64(stats.FreePageN+stats.PendingPageN)*pageSize-b.writer.filler)
}

// usage is how many bytes of pages hold how many bytes of blocks.
type usage struct{ used, live int64 }

// trim deletes history of at least want bytes, as far as there is any, and returns how many bytes went.
func (b *Buffer) trim(want int64) int64 {
	var freed int64
	for _, s := range b.streams {
		if freed < want && b.sum.spent > 0 {
			freed += b.trimByAge(s, want-freed)
		}
		for i := telemetry - 1; i >= 0 && freed < want && b.sum.spent > 0; i-- {
			freed += b.release(s, i, want-freed, func(block block) bool { return block.spent })
		}
	}
	return freed
}

// shed drops blocks of lane i that are still owed, of at least want bytes as far as there are any, and returns how many
// bytes went.
func (b *Buffer) shed(i int, want int64) int64 {
	var freed int64
	for _, s := range b.streams {
		if freed >= want {
			break
		}
		l := s.lanes[i]
		freed += b.release(s, i, want-freed, func(block block) bool {
			if n := l.drop(block.Range, holdfast.CauseFull); n > 0 {
				b.overrun(n)
				s.dirty = true
			}
			return true
		})
	}
	return freed
}

// release takes the oldest blocks that let picks out of lane i of s, until want bytes are free.
func (b *Buffer) release(s *stream, i int, want int64, let func(block) bool) int64 {
	var freed int64
	for _, gone := range s.lane(i).remove(func(block block) bool {
		if block.tail || freed >= want || !let(block) {
			return false
		}
		freed += int64(block.size) + overhead
		return true
	}) {
		b.deletes[i] = append(b.deletes[i], blockKey(s.ordinal, gone.First))
	}
	return freed
}
