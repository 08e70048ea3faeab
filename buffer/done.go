package buffer

import "holdfast"

// Done says that somebody else holds these numbers, or that the broker took them. It becomes durable with the next
// commit; until then a crash means that they are sent once more. Numbers that do not exist are ignored and counted.
func (b *Buffer) Done(id holdfast.Stream, name holdfast.Lane, ranges holdfast.Ranges) error {
	return b.each(id, name, ranges, func(s *stream, i int, r holdfast.Range) {
		s.lanes[i].done.Add(r)
		s.lanes[i].review(r)
	})
}

// Again says that these numbers are wanted once more. What the file still holds, or has a statement of, is owed again;
// the rest becomes a dropped statement: somebody had it, lost it, and it is gone here too.
func (b *Buffer) Again(id holdfast.Stream, name holdfast.Lane, ranges holdfast.Ranges) error {
	defer signal(b.changed)
	return b.each(id, name, ranges, b.again)
}

// AgainAll is Again for every number of every stream in the file: the database is another one.
func (b *Buffer) AgainAll() error {
	defer signal(b.changed)
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return ErrClosed
	}
	for _, s := range b.streams {
		for i, l := range s.lanes {
			if l.head > 0 {
				b.again(s, i, l.all())
				s.dirty = true
			}
		}
	}
	return nil
}

// again wants r of lane i of s once more. Called with the lock held.
func (b *Buffer) again(s *stream, i int, r holdfast.Range) {
	l := s.lanes[i]
	l.done.Remove(r)
	for _, gone := range l.held(r).Missing(r) {
		l.lose(gone, holdfast.Dropped, holdfast.CauseReceiptedThenLost)
	}
	l.review(r)
}

// Reject sets the records of r aside: a rejected statement with the cause takes their place, at once for Next and in the
// file with the next tick. Numbers that are already stated as lost keep their statement.
func (b *Buffer) Reject(id holdfast.Stream, name holdfast.Lane, r holdfast.Range, cause holdfast.Cause) error {
	defer signal(b.changed)
	return b.each(id, name, holdfast.Ranges{r}, func(s *stream, i int, r holdfast.Range) {
		b.count.Rejected += s.lanes[i].lose(r, holdfast.Rejected, cause)
		s.lanes[i].review(r)
		b.hasty = true
	})
}

// each calls f, with the lock held, for every range as far as its numbers exist.
func (b *Buffer) each(id holdfast.Stream, name holdfast.Lane, ranges holdfast.Ranges, f func(*stream, int, holdfast.Range)) error {
	i, err := laneIndex(name)
	if err != nil {
		return err
	}
	if err := ranges.Validate(); err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return ErrClosed
	}
	s := b.byID[id]
	for _, r := range ranges {
		known, ok := r, s != nil
		if ok {
			known, ok = s.lanes[i].clip(r)
		}
		if !ok || known != r {
			b.count.Unknown++
		}
		if ok {
			f(s, i, known)
			s.dirty = true
		}
	}
	return nil
}
