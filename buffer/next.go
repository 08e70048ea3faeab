package buffer

import (
	"encoding/json"
	"errors"
	"fmt"

	"go.etcd.io/bbolt"

	"holdfast"
)

// Next returns the first statement of a lane that is durable, not done, and lies behind after; the oldest stream comes
// first. Records that follow each other are put together, up to maxRecords and maxBytes of JSON, and at least one. A
// statement of a loss covers all of its run at once. The batch is complete and valid. False means that nothing is owed
// behind after.
//
// A block that turns out to be damaged is stated as dropped (corrupt), counted and logged. The error is bbolt's, or
// ErrClosed.
func (b *Buffer) Next(name holdfast.Lane, after holdfast.Position, maxRecords, maxBytes int) (holdfast.Batch, bool, error) {
	i, err := laneIndex(name)
	if err != nil {
		return holdfast.Batch{}, false, err
	}
	maxRecords = min(max(maxRecords, 1), holdfast.MaxBatchRecords)
	for {
		t, ok, err := b.seek(i, after, maxRecords)
		if !ok || err != nil {
			return holdfast.Batch{}, false, err
		}
		if t.batch.What == holdfast.Dropped || t.batch.What == holdfast.Rejected {
			return t.batch, true, nil
		}
		bad, err := b.read(t, maxRecords, maxBytes)
		if errors.Is(err, errBlock) {
			b.corrupt(t.stream, i, bad, err)
			continue // with what is first now
		}
		if err != nil {
			return holdfast.Batch{}, false, b.wrap("read lane "+string(name), err)
		}
		return t.batch, true, nil
	}
}

// A target is what Next found: a batch that is ready, or the blocks to fill it from.
type target struct {
	stream *stream
	lane   int
	batch  holdfast.Batch
	run    holdfast.Range // what is owed and alike from the batch's first number on
	blocks []source
}

// A source is a block to read; records are those of a block in the tail.
type source struct {
	block
	records []json.RawMessage
}

// seek finds the first owed run of lane i behind after.
func (b *Buffer) seek(i int, after holdfast.Position, maxRecords int) (*target, bool, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return nil, false, ErrClosed
	}
	from := b.byID[after.Stream]
	for _, s := range b.streams {
		seq := uint64(1)
		if from != nil && s.ordinal < from.ordinal {
			continue
		}
		if s == from {
			seq = after.Seq + 1
		}
		if t := s.seek(i, seq, maxRecords); t != nil {
			b.readTail(t)
			return t, true, nil
		}
	}
	return nil, false, nil
}

// readTail takes what stands in the tail. Called with the lock held: what moves from there afterwards has been read.
func (b *Buffer) readTail(t *target) {
	for i := range t.blocks {
		if t.blocks[i].tail {
			t.blocks[i].records = b.tailRecords(t.stream, t.lane, t.blocks[i].First)
		}
	}
}

func (s *stream) seek(i int, seq uint64, maxRecords int) *target {
	l := s.lanes[i]
	run, loss, ok := l.next(seq)
	if !ok {
		return nil
	}
	t := &target{stream: s, lane: i, run: run, batch: holdfast.Batch{
		V: holdfast.Version, Device: s.device, Stream: s.id, Lane: laneNames[i],
		First: run.First, Last: run.Last, Head: l.head, What: holdfast.Data,
	}}
	if loss != nil {
		t.batch.What, t.batch.Cause = loss.What, loss.Cause
		return t
	}
	for j, end := l.find(run.First), run.First; j < len(l.blocks) && l.blocks[j].First <= min(end, run.Last); j++ {
		block := l.blocks[j]
		if block.thin {
			if len(t.blocks) == 0 { // a summary is not divisible
				t.blocks = append(t.blocks, source{block: block})
				t.batch.What, t.batch.First, t.batch.Last = holdfast.Thin, block.First, block.Last
			}
			break
		}
		t.blocks = append(t.blocks, source{block: block})
		end = block.Last + 1
		if end-run.First >= uint64(maxRecords) {
			break
		}
	}
	return t
}

// read fills the batch from the file. An error that wraps errBlock comes with the first number of the damaged block.
func (b *Buffer) read(t *target, maxRecords, maxBytes int) (uint64, error) {
	var bad uint64
	err := b.view(func(tx *bbolt.Tx) error {
		bucket := tx.Bucket([]byte(laneNames[t.lane]))
		seq, size := t.batch.First, 0
		for _, block := range t.blocks {
			bad = block.First
			records, err := block.records, error(nil)
			if !block.tail {
				records, err = readBlock(bucket, t.stream, t.lane, block.block)
			}
			if err != nil && len(t.batch.Records) > 0 {
				return nil // the damaged one will be the first of the next batch
			}
			if err != nil {
				return err
			}
			if block.thin {
				t.batch.Records = records
				return nil
			}
			for _, record := range records[seq-block.First:] {
				n := len(t.batch.Records)
				if n > 0 && (n == maxRecords || size+len(record) > maxBytes) || seq > t.run.Last {
					return nil
				}
				t.batch.Records = append(t.batch.Records, record)
				t.batch.Last = seq
				size += len(record) + 1
				seq++
			}
		}
		return nil
	})
	return bad, err
}

// readBlock returns the records of a block that the index names. What is not there, or not it, is an error that wraps
// errBlock. The records are copies.
func readBlock(bucket *bbolt.Bucket, s *stream, lane int, want block) ([]json.RawMessage, error) {
	h, lines, err := decodeBlock(bucket.Get(blockKey(s.ordinal, want.First)))
	if err != nil {
		return nil, err
	}
	if h.stream != s.id || h.lane != lane || h.Range != want.Range {
		return nil, fmt.Errorf("%w: it is another one", errBlock)
	}
	records := make([]json.RawMessage, len(lines))
	for i, line := range lines {
		records[i] = line
	}
	return records, nil
}

// corrupt states what is owed of a damaged block as dropped, unless the block went its way in the meantime.
func (b *Buffer) corrupt(s *stream, i int, first uint64, err error) {
	b.mu.Lock()
	gone := s.lanes[i].remove(func(block block) bool { return block.First == first && !block.tail })
	var lost uint64
	for _, block := range gone {
		lost += s.lanes[i].drop(block.Range, holdfast.CauseCorrupt)
		b.deletes[i] = append(b.deletes[i], blockKey(s.ordinal, first))
	}
	b.count.Corrupt += lost
	s.dirty, b.hasty = true, true
	b.mu.Unlock()
	if len(gone) > 0 {
		b.o.Log.Error("buffer has a damaged block", "stream", s.id, "lane", laneNames[i], "seq", first, "records", lost, "err", err)
	}
}

// wrap says where an error came from.
func (b *Buffer) wrap(what string, err error) error {
	return fmt.Errorf("buffer %s: %s: %w", b.o.Path, what, err)
}
