package buffer

import (
	"cmp"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"go.etcd.io/bbolt"

	"holdfast"
)

// History calls f with every durable record that the file still holds, owed or done, whose time lies in [from, to]:
// streams in their order, the blocks of a stream in the order of their first time, records in their order. Readings that were
// withheld count as telemetry. f returns false to stop; it may keep the record and call the buffer. A block that is deleted or damaged on the way is left out.
func (b *Buffer) History(from, to time.Time, f func(lane holdfast.Lane, record []byte) bool) error {
	for _, p := range b.between(from.UnixMicro(), to.UnixMicro()) {
		records, err := b.fetch(p)
		if errors.Is(err, errBlock) {
			continue
		}
		if err != nil {
			return b.wrap("read history", err)
		}
		whole := p.block.from >= from.UnixMicro() && p.block.to <= to.UnixMicro()
		for _, record := range records {
			if (whole || within(record, from, to)) && !f(p.said(), record) {
				return nil
			}
		}
	}
	return nil
}

// A place names one block.
type place struct {
	stream *stream
	lane   int
	block  block
	tail   []json.RawMessage // the records of a block in the tail
}

// said is the lane that readers are told: what was withheld is telemetry all the same.
func (p place) said() holdfast.Lane {
	if p.lane == local {
		return laneNames[telemetry]
	}
	return laneNames[p.lane]
}

// between returns the blocks with records from one wall time to another, µs.
func (b *Buffer) between(from, to int64) []place {
	b.mu.Lock()
	defer b.mu.Unlock()
	var out []place
	for _, s := range b.streams {
		start := len(out)
		for i := range local + 1 {
			for _, block := range s.lane(i).blocks {
				if block.to >= from && block.from <= to {
					at := place{stream: s, lane: i, block: block}
					if block.tail {
						at.tail = b.tailRecords(s, i, block.First)
					}
					out = append(out, at)
				}
			}
		}
		slices.SortStableFunc(out[start:], func(p, q place) int { return cmp.Compare(p.block.from, q.block.from) })
	}
	return out
}

// fetch reads one block in a transaction of its own: a long one would keep bbolt from using freed pages.
func (b *Buffer) fetch(p place) ([]json.RawMessage, error) {
	if p.block.tail {
		return p.tail, nil
	}
	var records []json.RawMessage
	err := b.view(func(tx *bbolt.Tx) error {
		var err error
		records, err = readBlock(tx.Bucket(bucketName(p.lane)), p.stream, p.lane, p.block)
		return err
	})
	return records, err
}

// within reports whether the record's time lies in [from, to].
func within(record []byte, from, to time.Time) bool {
	var r struct {
		Time, From time.Time // summaries of thinned ranges have from only
	}
	if json.Unmarshal(record, &r) != nil {
		return false
	}
	at := r.Time
	if at.IsZero() {
		at = r.From
	}
	return !at.Before(from) && !at.After(to)
}
