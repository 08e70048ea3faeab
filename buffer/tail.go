package buffer

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"slices"

	"go.etcd.io/bbolt"
)

// The tail is the newest durable records of all lanes, in blocks so small that bbolt keeps each, in a bucket of its own,
// inside the root page, which every commit writes anyway. So a commit of a few records costs no page: its records join the
// last block of their lane, which is written anew under the same number. When the root page has no room for them, what is
// in the tail moves into the lanes' buckets; four of its blocks fit into a page there.
//
// Memory has the tail whole: it is read from there, and each commit makes the file's tail what memory says, also after a
// commit that failed. Only the writer changes it, with the lock held.

const (
	// An inline bucket may take a quarter of a page: its header and one element, key and value.
	maxTailValue = pageSize/4 - pageHeader - leafElement - tailKeySize
	tailCost     = leafElement + tailKeySize // beside the value
	tailKeySize  = 1 + 4 + 8
)

// The tail's buckets, one for each block.
var tailNames = [...][]byte{[]byte("tail0"), []byte("tail1"), []byte("tail2"), []byte("tail3")}

// tailKey is where a block stands in its bucket of the tail.
func tailKey(lane int, ordinal uint32, first uint64) []byte {
	key := binary.BigEndian.AppendUint32([]byte{byte(lane)}, ordinal)
	return binary.BigEndian.AppendUint64(key, first)
}

// arrange settles which blocks stand in the tail after the commit and which go into the lanes' buckets, and encodes them.
func (b *Buffer) arrange(p *plan) {
	for i := range p.local {
		p.local[i].encode(p)
	}
	p.localSize = b.localSize(p)
	defer func() { p.pieces = slices.Concat(p.pieces, p.local) }()
	room, before := b.tailRoom(p), p.tail
	earlier := slices.ContainsFunc(before, func(c piece) bool { return c.stream != p.stream })
	if !earlier && p.join(before, room) {
		return
	}
	p.pieces = before
	if !p.join(nil, room) {
		p.tail = p.fresh
		p.spill()
	}
}

// join puts what is fresh into the tail, if there is room.
func (p *plan) join(tail []piece, room int) bool {
	tail = slices.Clone(tail)
	for j := range p.fresh {
		c := &p.fresh[j]
		if i := lastOf(tail, c.lane); i >= 0 && tail[i].takes(c) {
			if whole := tail[i].with(c); len(whole.encode(p)) <= maxTailValue {
				tail[i] = whole
				continue
			}
		}
		if len(c.encode(p)) > maxTailValue || len(tail) == len(tailNames) {
			return false
		}
		tail = append(tail, *c)
	}
	if tailSize(tail) > room {
		return false
	}
	p.tail = tail
	return true
}

// takes reports whether d continues c, and would not make it too large.
func (c *piece) takes(d *piece) bool {
	return c.end() == d.first && c.size+d.size <= blockBytes && len(c.records)+len(d.records) <= blockRecords
}

// with returns c and d in one.
func (c *piece) with(d *piece) piece {
	return piece{stream: c.stream, lane: c.lane, first: c.first, records: slices.Concat(c.records, d.records), size: c.size + d.size}
}

// spill lets all of the tail move.
func (p *plan) spill() {
	p.pieces, p.tail = slices.Concat(p.pieces, p.tail), nil
	for i := range p.pieces {
		p.pieces[i].encode(p)
	}
}

func tailSize(tail []piece) int {
	n := 0
	for _, c := range tail {
		n += tailCost + len(c.value)
	}
	return n
}

// lastOf returns the index of a lane's last block in the tail, or -1.
func lastOf(tail []piece, lane int) int {
	for i, c := range slices.Backward(tail) {
		if c.lane == lane {
			return i
		}
	}
	return -1
}

// writeTail makes the file's tail what the plan says.
func (p *plan) writeTail(tx *bbolt.Tx) error {
	for i, name := range tailNames {
		bucket := tx.Bucket(name)
		var key, value []byte
		if i < len(p.tail) {
			c := p.tail[i]
			key, value = tailKey(c.lane, c.stream.ordinal, c.first), c.value
		}
		if k, v := bucket.Cursor().First(); bytes.Equal(k, key) && bytes.Equal(v, value) {
			continue
		}
		if err := deleteFrom(bucket, nil, nil); err != nil {
			return err
		}
		if key == nil {
			continue
		}
		if err := bucket.Put(key, value); err != nil {
			return err
		}
	}
	return nil
}

// reindex makes memory agree with where the blocks of a commit are now. Called with the lock held.
func (b *Buffer) reindex(p *plan) {
	for _, c := range b.tail {
		c.stream.lanes[c.lane].cutTail()
	}
	for _, c := range p.pieces {
		c.stream.lane(c.lane).add(c.header.block(len(c.value)))
	}
	for _, c := range p.tail {
		block := c.header.block(len(c.value))
		block.tail = true
		c.stream.lanes[c.lane].add(block)
	}
	b.tail = p.tail
}

// forgetSpentTail takes out of the tail what nobody is owed, where there is no history. Called with the lock held.
func (b *Buffer) forgetSpentTail() {
	if b.o.HistoryBytes > 0 {
		return
	}
	b.tail = slices.DeleteFunc(slices.Clone(b.tail), func(c piece) bool {
		gone := c.stream.lanes[c.lane].remove(func(block block) bool { return block.tail && block.spent && block.First == c.first })
		return len(gone) > 0
	})
}

// tailRecords returns the records of a block of the tail. They must not be changed. Called with the lock held.
func (b *Buffer) tailRecords(s *stream, lane int, first uint64) []json.RawMessage {
	for _, c := range b.tail {
		if c.stream == s && c.lane == lane && c.first == first {
			out := make([]json.RawMessage, len(c.records))
			for i, r := range c.records {
				out[i] = r.Data
			}
			return out
		}
	}
	return nil
}

// loadTail indexes the tail, behind the blocks of the lanes.
func (b *Buffer) loadTail(tx *bbolt.Tx) {
	for _, name := range tailNames {
		k, v := tx.Bucket(name).Cursor().First()
		if k == nil {
			continue
		}
		v = bytes.Clone(v)
		h, lines, err := decodeBlock(v)
		if err == nil && (h.lane == local || !bytes.Equal(k, tailKey(h.lane, h.ordinal, h.First))) {
			err = fmt.Errorf("%w: it is not where it belongs", errBlock)
		}
		if err == nil {
			err = b.index(h, len(v), true)
		}
		if err != nil {
			b.damage++
			b.o.Log.Error("buffer has a damaged block", "bucket", string(name), "key", fmt.Sprintf("%x", k), "err", err)
			continue
		}
		c := piece{stream: b.byID[h.stream], lane: h.lane, first: h.First, header: h, value: v}
		for _, line := range lines {
			c.records = append(c.records, Record{Lane: laneNames[h.lane], Data: line})
		}
		b.tail = append(b.tail, c)
		b.writer.revision = max(b.writer.revision, h.revision)
	}
}
