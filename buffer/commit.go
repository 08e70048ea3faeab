package buffer

import (
	"slices"
	"time"
)

// settleAfter is how long receipts wait for a commit to ride with, before they cause one. What is not durable of them
// when the power fails is sent once more, and the receiver knows it already.
const settleAfter = 10 * time.Second

// writer is what only the goroutine of Run touches, and Open before it.
type writer struct {
	revision uint64    // of the last commit, tried or done
	last     time.Time // of the last commit that succeeded
	unsure   bool      // the last commit failed: bbolt may show it all the same
	aged     bool      // the file has its working size
	full     time.Time // when the disk had no room last; zero for never
	filler   int64     // bytes of pages that only grow uses
	root     root
}

// commit carries everything that waits into one transaction; nothing, if nothing does. The last one marks the stream as
// ended well and closes the buffer for producers. Only Open and the goroutine of Run call it.
func (b *Buffer) commit(last bool) error {
	p := b.take(last)
	if p == nil {
		return nil
	}
	err := b.carry(p)
	b.mu.Lock()
	if err != nil || b.memory == nil {
		b.health.after(err)
	}
	b.mu.Unlock()
	switch {
	case tooScattered(err):
		b.relieve()
	case diskFull(err):
		b.cede()
	}
	return err
}

// carry makes the plan's transaction, and memory agree with what became of it.
func (b *Buffer) carry(p *plan) error {
	b.arrange(p)
	b.fit(p)
	err := b.db.Update(p.write)
	b.settle(p, err)
	return err
}

// take numbers what waits. From here until settle the front of each queue flies.
func (b *Buffer) take(last bool) *plan {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !last && !b.due() {
		return nil
	}
	p := b.blank()
	b.takeLocal(p, last || len(b.waiting) > 0 || b.shelf.ripe())
	p.waiting, b.waiting = b.waiting, nil
	for i := range b.queues {
		q := &b.queues[i]
		q.flying = len(q.items)
		p.number(i, q.items, p.heads[i])
	}
	for key := range b.redo {
		p.state = append(p.state, put{key: key, value: b.state[key]})
	}
	b.flying = len(b.puts)
	p.state = append(p.state, b.puts...)
	p.stateSize = b.stateSize(p.state)
	b.hasty = false
	if last {
		b.closed = true
		p.stream.clean, p.stream.dirty = true, true
	}
	return p
}

// blank is a plan that carries nothing but what fit finds: deletions and entries. Called with the lock held.
func (b *Buffer) blank() *plan {
	b.writer.revision++
	b.forgetSpentTail()
	p := &plan{
		stream: b.current(), revision: b.writer.revision, mint: !b.minted, wipe: b.writer.unsure,
		forget: slices.Clone(b.forget), tail: b.tail, stateSize: b.stateSize(nil),
	}
	for i, l := range p.stream.lanes {
		p.heads[i] = l.head
	}
	p.localHead = p.stream.local.head
	return p
}

// due reports whether there is reason for a transaction. Called with the lock held.
func (b *Buffer) due() bool {
	if !b.minted || b.hasty || len(b.waiting) > 0 || len(b.redo) > 0 || len(b.puts) > 0 || b.shelf.due() {
		return true
	}
	for i := range b.queues {
		if len(b.queues[i].items) > 0 {
			return true
		}
	}
	if time.Since(b.writer.last) < max(settleAfter, b.o.Window) {
		return false
	}
	for i := range b.deletes {
		if len(b.deletes[i]) > 0 {
			return true
		}
	}
	return slices.ContainsFunc(b.streams, func(s *stream) bool { return s.dirty })
}

// fit makes room for the plan and gathers what rides along: deletions, and the entries of streams that changed.
func (b *Buffer) fit(p *plan) {
	b.mu.Lock()
	defer b.mu.Unlock()
	var need int64
	for _, c := range slices.Concat(p.pieces, p.tail) {
		if c.lane != local {
			need += int64(len(c.value)) + overhead
		}
	}
	for _, c := range b.tail {
		need -= int64(len(c.value)) + overhead
	}
	b.makeRoom(need)
	b.makeRoomForLocal(p, need)
	for _, s := range p.losses {
		p.stream.lanes[s.lane].lose(s.Range, s.what, s.cause)
		p.stream.dirty = true
	}
	p.stream.dirty = p.stream.dirty || p.mint
	for _, s := range b.streams {
		if !s.dirty {
			continue
		}
		heads := p.heads
		if s != p.stream {
			for i, l := range s.lanes {
				heads[i] = l.head
			}
		}
		p.dirty = append(p.dirty, s)
		p.entries = append(p.entries, s.encode(p.revision, heads))
		s.dirty = false
	}
	for i := range b.deletes {
		p.deletes[i], b.deletes[i] = b.deletes[i], nil
	}
	if tailSize(p.tail) > b.tailRoom(p) { // the entries have grown
		p.spill()
	}
}
