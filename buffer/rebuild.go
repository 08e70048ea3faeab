package buffer

import (
	"context"
	"fmt"

	"go.etcd.io/bbolt"
)

// rebuildBytes is about how much one transaction of a rebuild writes.
const rebuildBytes = 1 << 20

// write puts what is chosen into the new file: blocks first, a bunch at a time, then the entries and the state, so that
// an entry never speaks of a block that could not be written.
func (w *wreck) write(ctx context.Context, b *Buffer) (Report, error) {
	report := Report{Streams: len(b.streams), State: len(w.state)}
	for _, s := range b.streams {
		for i := range local + 1 {
			fragments := w.chosen[s][i]
			for len(fragments) > 0 {
				if err := ctx.Err(); err != nil {
					return report, err
				}
				n := bunch(fragments)
				err := b.db.Update(func(tx *bbolt.Tx) error {
					return w.copy(tx, s, i, fragments[:n], &report)
				})
				if err != nil {
					return report, err
				}
				fragments = fragments[n:]
			}
		}
		b.complete(s)
	}
	report.Lost = b.count.Corrupt
	return report, b.db.Update(func(tx *bbolt.Tx) error { return w.writeCells(tx, b) })
}

// bunch is how many fragments go into one transaction.
func bunch(fragments []fragment) int {
	var size int64
	for n, f := range fragments {
		if size += f.length; size > rebuildBytes {
			return n + 1
		}
	}
	return len(fragments)
}

// copy writes those fragments that found room. One that cannot be read any more leaves the index.
func (w *wreck) copy(tx *bbolt.Tx, s *stream, i int, fragments []fragment, report *Report) error {
	bucket, err := laneBucket(tx, i, true)
	if err != nil {
		return err
	}
	bucket.FillPercent = fill
	l := s.lane(i)
	for _, f := range fragments {
		if j := l.find(f.First); j == len(l.blocks) || l.blocks[j].First != f.First {
			continue
		}
		data, err := w.read(f, s.ordinal)
		if err != nil {
			l.remove(func(block block) bool { return block.First == f.First })
			continue
		}
		if err := bucket.Put(blockKey(s.ordinal, f.First), data); err != nil {
			return err
		}
		report.Blocks++
		report.Records += f.Len()
		report.Bytes += int64(len(data))
	}
	return nil
}

// read returns the block of a fragment, cut to its range.
func (w *wreck) read(f fragment, ordinal uint32) ([]byte, error) {
	data := make([]byte, f.length)
	if _, err := w.file.ReadAt(data, f.offset); err != nil {
		return nil, err
	}
	h, records, err := decodeBlock(data)
	if err != nil {
		return nil, err
	}
	if h.Range == f.Range {
		setOrdinal(data, ordinal)
		return data, nil
	}
	if h.what != whats[0] {
		return nil, fmt.Errorf("%w: a summary is not divisible", errBlock)
	}
	records = records[f.First-h.First : f.Last-h.First+1]
	h.Range, h.ordinal = f.Range, ordinal
	return appendBlock(nil, h, records), nil
}

func (w *wreck) writeCells(tx *bbolt.Tx, b *Buffer) error {
	for _, s := range b.streams {
		var heads [len(laneNames)]uint64
		for i, l := range s.lanes {
			heads[i] = l.head
		}
		revision := w.found[s.id].revision
		if err := tx.Bucket(bucketStreams).Put(blockKey(s.ordinal, 0)[:4], s.encode(revision, heads)); err != nil {
			return err
		}
	}
	for key, value := range w.state {
		c := cell{revision: value.revision, kind: cellState, key: key, value: value.value}
		if err := tx.Bucket(bucketState).Put([]byte(key), c.encode()); err != nil {
			return err
		}
	}
	return nil
}
