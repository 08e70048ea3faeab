package buffer

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"

	"go.etcd.io/bbolt"

	"holdfast"
)

// load reads entries, state and the header of every block into memory. What cannot be read is lost as corrupt, counted
// and logged; only an error of bbolt itself ends it. Called by Open, before anybody shares the buffer.
func (b *Buffer) load() error {
	return b.db.View(func(tx *bbolt.Tx) error {
		b.loadEntries(tx)
		b.loadState(tx)
		for i := range local + 1 {
			b.loadBlocks(tx, i)
		}
		b.loadTail(tx)
		b.sortStreams()
		for _, s := range b.streams {
			b.complete(s)
		}
		b.writer.revision += revisionGap
		b.writer.root.measure(tx)
		return nil
	})
}

func (b *Buffer) sortStreams() {
	slices.SortStableFunc(b.streams, func(s, t *stream) int { return cmp.Compare(s.ordinal, t.ordinal) })
}

func (b *Buffer) loadEntries(tx *bbolt.Tx) {
	for _, name := range [][]byte{bucketStreams, bucketLive} {
		cursor := tx.Bucket(name).Cursor()
		for k, v := cursor.First(); k != nil; k, v = cursor.Next() {
			e, revision, err := decodeEntry(v)
			if err != nil || len(k) != 4 || e.Ordinal != binary.BigEndian.Uint32(k) {
				b.damage++
				b.o.Log.Error("buffer has a damaged stream entry", "key", fmt.Sprintf("%x", k), "err", err)
				continue
			}
			b.writer.revision = max(b.writer.revision, revision)
			if b.byID[e.Stream] == nil {
				b.keep(e.stream(b.sum))
			}
		}
	}
}

func (b *Buffer) loadState(tx *bbolt.Tx) {
	cursor := tx.Bucket(bucketState).Cursor()
	for k, v := cursor.First(); k != nil; k, v = cursor.Next() {
		c, err := decodeCell(v)
		if err != nil || c.kind != cellState || c.key != string(k) {
			b.damage++
			b.o.Log.Error("buffer has a damaged state value", "key", string(k), "err", err)
			continue
		}
		b.writer.revision = max(b.writer.revision, c.revision)
		b.state[c.key] = bytes.Clone(c.value)
	}
}

// loadBlocks indexes the blocks of one lane. One that is damaged, or claims numbers of the one before it, is deleted
// with the next commit; its numbers come out as unknown.
func (b *Buffer) loadBlocks(tx *bbolt.Tx, i int) {
	bucket := tx.Bucket(bucketName(i))
	if bucket == nil { // nothing was withheld so far
		return
	}
	cursor := bucket.Cursor()
	for k, v := cursor.First(); k != nil; k, v = cursor.Next() {
		h, err := decodeHeader(v)
		if err == nil && (h.lane != i || !bytes.Equal(k, blockKey(h.ordinal, h.First))) {
			err = fmt.Errorf("%w: it is not where it belongs", errBlock)
		}
		if err == nil && i == local && b.byID[h.stream] == nil { // a gateway that knows no local lane forgot the stream
			b.deletes[i] = append(b.deletes[i], bytes.Clone(k))
			continue
		}
		if err == nil {
			err = b.index(h, len(v), false)
		}
		if err != nil {
			b.damage++
			b.o.Log.Error("buffer has a damaged block", "lane", string(bucketName(i)), "key", fmt.Sprintf("%x", k), "err", err)
			b.deletes[i] = append(b.deletes[i], bytes.Clone(k))
			continue
		}
		b.writer.revision = max(b.writer.revision, h.revision)
	}
}

// index puts the block of h, which the cursor met in order of number, behind those already known.
func (b *Buffer) index(h *header, size int, tail bool) error {
	s := b.byID[h.stream]
	if s == nil && !slices.ContainsFunc(b.streams, func(s *stream) bool { return s.ordinal == h.ordinal }) {
		s = newStream(h.stream, h.ordinal, h.device, b.sum)
		b.keep(s)
	}
	if s == nil || s.ordinal != h.ordinal {
		return fmt.Errorf("%w: it claims the place of another stream", errBlock)
	}
	l := s.lane(h.lane)
	if n := len(l.blocks); n > 0 && h.First <= l.blocks[n-1].Last {
		return fmt.Errorf("%w: it claims numbers of another", errBlock)
	}
	l.head = max(l.head, h.Last)
	block := h.block(size)
	block.tail = tail
	l.add(block)
	return nil
}

func (h *header) block(size int) block {
	return block{Range: h.Range, from: h.from, to: h.to, size: int32(size), thin: h.what == holdfast.Thin}
}

// revisionGap lies between the revisions of two starts: some of the last start may stand in pages of a commit that failed.
const revisionGap = 1 << 20

// complete states as corrupt what a stream's file does not account for.
func (b *Buffer) complete(s *stream) {
	for i, l := range s.lanes {
		for _, r := range l.unknown() {
			b.count.Corrupt += l.drop(r, holdfast.CauseCorrupt)
			s.dirty = true
			b.o.Log.Error("buffer lost records to damage", "stream", s.id, "lane", laneNames[i], "first", r.First, "last", r.Last)
		}
		l.review(l.all())
	}
}
