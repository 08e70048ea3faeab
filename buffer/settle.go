package buffer

import (
	"errors"
	"slices"
	"syscall"
	"time"

	bberrors "go.etcd.io/bbolt/errors"

	"holdfast"
)

// settle makes memory agree with what became of the plan.
func (b *Buffer) settle(p *plan, err error) {
	used := b.measure()
	b.mu.Lock()
	defer b.mu.Unlock()
	if err != nil {
		b.takeBack(p)
	} else {
		b.landed(p)
		b.measured = usage{used: used, live: b.sum.live}
	}
	b.flying = 0
	for _, w := range p.waiting {
		w.end(err)
	}
}

// landed: what flew is in the file, and its numbers exist.
func (b *Buffer) landed(p *plan) {
	b.writer.unsure, b.writer.last = false, time.Now()
	b.minted = true
	for i := range b.queues {
		b.queues[i].land(true)
		p.stream.lanes[i].head = p.heads[i]
	}
	b.shelf.land(true, p.localHead-p.stream.local.head)
	p.stream.local.head = p.localHead
	b.reindex(p)
	for _, c := range p.fresh {
		b.count.Records += uint64(len(c.records))
	}
	for _, s := range p.losses {
		if s.what == holdfast.Rejected {
			b.count.Rejected += s.Len()
		}
	}
	for _, s := range p.state {
		if s.value == nil {
			delete(b.state, s.key)
		} else {
			b.state[s.key] = s.value
		}
		delete(b.redo, s.key)
	}
	b.unstage(func(i int, _ put) bool { return i < b.flying })
	b.forget = b.forget[len(p.forget):]
	b.count.Commits++
	if len(p.fresh)+len(p.losses) > 0 {
		signal(b.changed)
	}
}

// takeBack: nothing of the plan is durable. Where it was the very last page that the card refused, bbolt may show the
// transaction nevertheless: the next one writes over it.
func (b *Buffer) takeBack(p *plan) {
	b.writer.unsure = true
	p.stream.clean = false
	b.count.Failures++
	for i := range b.queues {
		b.queues[i].land(false)
		p.stream.lanes[i].forgetBeyondHead()
	}
	b.shelf.land(false, 0)
	for i := range b.deletes {
		b.deletes[i] = append(p.deletes[i], b.deletes[i]...)
	}
	for _, s := range p.dirty {
		s.dirty = true
	}
	for _, s := range b.puts[:b.flying] {
		if s.of != nil {
			b.redo[s.key] = true
		}
	}
	b.unstage(func(_ int, s put) bool { return s.of != nil && slices.Contains(p.waiting, s.of) })
}

// noRoom reports whether a commit failed for want of space, which is made then.
func noRoom(err error) bool { return tooScattered(err) || diskFull(err) }

// diskFull reports whether the disk had no room for the file to grow.
func diskFull(err error) bool { return errors.Is(err, syscall.ENOSPC) }

// tooScattered reports whether bbolt found no room although there should be: its free pages lie too scattered.
func tooScattered(err error) bool { return errors.Is(err, bberrors.ErrMaxSizeReached) }

// relieve lowers the limit and lets go what is beyond it, in a transaction that needs hardly any room itself.
func (b *Buffer) relieve() {
	b.mu.Lock()
	b.limit = max(b.limit-b.limit/8, pageLimit(b.o.MaxBytes)/4)
	p := b.blank()
	b.mu.Unlock()
	if err := b.carry(p); err != nil {
		b.o.Log.Error("buffer finds no room", "err", err)
	}
}
