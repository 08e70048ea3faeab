package buffer

import (
	"errors"
	"time"

	"holdfast"
)

// Browse calls f with every durable record of a lane that the file still holds, owed or done, behind after, with its stream
// and number, in the order of these. Where from and to are not both zero, only records whose time lies in [from, to] count.
// f returns false to stop; it may keep the record and call the buffer. Nothing moves: what is owed stays owed. A block that
// is deleted or damaged on the way is left out, and so is a thinned one, whose records have no numbers of their own. Behind a
// stream that the buffer does not know there is nothing. The local lane can be browsed too, and is part of no other.
func (b *Buffer) Browse(name holdfast.Lane, after holdfast.Position, from, to time.Time, f func(holdfast.Stream, uint64, []byte) bool) error {
	i, err := readable(name)
	if err != nil {
		return err
	}
	timed := !from.IsZero() || !to.IsZero()
	for _, p := range b.behind(i, after, from, to, timed) {
		records, err := b.fetch(p)
		if errors.Is(err, errBlock) {
			continue
		}
		if err != nil {
			return b.wrap("browse lane "+string(name), err)
		}
		for j, record := range records {
			seq := p.block.First + uint64(j)
			if p.stream.id == after.Stream && seq <= after.Seq || timed && !within(record, from, to) {
				continue
			}
			if !f(p.stream.id, seq, record) {
				return nil
			}
		}
	}
	return nil
}

// readable is the index of a lane that can be read: each but those that are none.
func readable(name holdfast.Lane) (int, error) {
	if name == holdfast.LaneLocal {
		return local, nil
	}
	return laneIndex(name)
}

// behind returns the blocks of lane i with records behind after, and of the times where it is timed.
func (b *Buffer) behind(i int, after holdfast.Position, from, to time.Time, timed bool) (out []place) {
	b.mu.Lock()
	defer b.mu.Unlock()
	begin := b.byID[after.Stream]
	if begin == nil && !after.Stream.IsZero() {
		return nil
	}
	for _, s := range b.streams {
		if begin != nil && s.ordinal < begin.ordinal {
			continue
		}
		for _, block := range s.lane(i).blocks {
			early := s == begin && block.Last <= after.Seq
			if early || block.thin || timed && (block.to < from.UnixMicro() || block.from > to.UnixMicro()) {
				continue
			}
			at := place{stream: s, lane: i, block: block}
			if block.tail {
				at.tail = b.tailRecords(s, i, block.First)
			}
			out = append(out, at)
		}
	}
	return out
}

// Newest returns the position behind which the newest n records of the lane lie that Browse would find.
func (b *Buffer) Newest(name holdfast.Lane, n uint64) (holdfast.Position, error) {
	i, err := readable(name)
	if err != nil {
		return holdfast.Position{}, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for k := len(b.streams) - 1; k >= 0; k-- {
		s := b.streams[k]
		blocks := s.lane(i).blocks
		for j := len(blocks) - 1; j >= 0; j-- {
			block := blocks[j]
			switch count := block.Len(); {
			case block.thin:
			case count >= n:
				return holdfast.Position{Stream: s.id, Seq: block.Last - n}, nil
			default:
				n -= count
			}
		}
	}
	return holdfast.Position{}, nil
}
