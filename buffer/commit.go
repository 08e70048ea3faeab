package buffer

import (
	"bytes"
	"slices"
	"time"

	"go.etcd.io/bbolt"

	"holdfast"
)

// settleAfter is how long receipts wait for a commit to ride with, before they cause one. What is not durable of them
// when the power fails is sent once more, and the receiver knows it already.
const settleAfter = 10 * time.Second

const (
	blockRecords = holdfast.MaxBatchRecords
	blockBytes   = 16 << 10 // of JSON; larger ones need free pages in a row, which a full file does not have
)

// writer is what only the goroutine of Run touches, and Open before it.
type writer struct {
	revision uint64    // of the last commit, tried or done
	last     time.Time // of the last commit that succeeded
	unsure   bool      // the last commit failed: bbolt may show it all the same
	aged     bool      // the file has its working size
	filler   int64     // bytes of pages that only grow uses
}

// A plan is one transaction.
type plan struct {
	stream   *stream
	revision uint64
	heads    [len(laneNames)]uint64 // after the commit
	pieces   []piece
	losses   []statement
	waiting  []*waiter
	state    []put
	deletes  [len(laneNames)][][]byte // keys
	forget   []uint32
	dirty    []*stream
	entries  [][]byte // of dirty
	mint     bool     // the stream is not in the file yet
	wipe     bool     // clear first what a failed commit may have left behind the heads
}

// A piece is a block to be.
type piece struct {
	lane    int
	first   uint64
	records []Record
	header  *header
	value   []byte
}

// A statement is a range that is lost from the moment that it has numbers.
type statement struct {
	lane int
	holdfast.Range
	what  holdfast.What
	cause holdfast.Cause
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
	b.health.after(err)
	b.mu.Unlock()
	if tooScattered(err) {
		b.relieve()
	}
	return err
}

// carry makes the plan's transaction, and memory agree with what became of it.
func (b *Buffer) carry(p *plan) error {
	for i := range p.pieces {
		p.pieces[i].encode(p)
	}
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
	p := &plan{
		stream: b.current(), revision: b.writer.revision, mint: !b.minted, wipe: b.writer.unsure,
		forget: slices.Clone(b.forget),
	}
	for i, l := range p.stream.lanes {
		p.heads[i] = l.head
	}
	return p
}

// due reports whether there is reason for a transaction. Called with the lock held.
func (b *Buffer) due() bool {
	if !b.minted || b.hasty || len(b.waiting) > 0 || len(b.puts) > 0 || len(b.redo) > 0 {
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

// number gives numbers behind head to the items of lane i, and to the records of that lane which waiters brought, and
// cuts them into blocks.
func (p *plan) number(i int, items []item, head uint64) {
	open := -1 // index of the piece that takes the next record
	size := 0
	take := func(it item) {
		if it.what != holdfast.Data {
			open = -1
			p.losses = append(p.losses, statement{i, holdfast.Range{First: head + 1, Last: head + it.n}, it.what, it.cause})
			head += it.n
			return
		}
		n := len(it.record.Data) + 1
		if open < 0 || len(p.pieces[open].records) == blockRecords || size+n > blockBytes {
			p.pieces = append(p.pieces, piece{lane: i, first: head + 1})
			open, size = len(p.pieces)-1, 0
		}
		p.pieces[open].records = append(p.pieces[open].records, it.record)
		size += n
		head++
	}
	for _, it := range items {
		take(it)
	}
	for _, w := range p.waiting {
		for _, r := range w.change.Records {
			if r.Lane == laneNames[i] {
				take(newItem(r))
			}
		}
	}
	p.heads[i] = head
}

func (c *piece) encode(p *plan) {
	first, last := c.records[0], c.records[len(c.records)-1]
	c.header = &header{
		stream: p.stream.id, device: p.stream.device, ordinal: p.stream.ordinal, revision: p.revision,
		lane: c.lane, what: holdfast.Data,
		Range: holdfast.Range{First: c.first, Last: c.first + uint64(len(c.records)) - 1},
		from:  first.Time.UnixMicro(), to: first.Time.UnixMicro(),
		monoFirst: first.Mono, monoEnd: last.Mono,
	}
	lines := make([][]byte, len(c.records))
	for i, r := range c.records {
		lines[i] = r.Data
		c.header.from = min(c.header.from, r.Time.UnixMicro())
		c.header.to = max(c.header.to, r.Time.UnixMicro())
	}
	c.value = appendBlock(nil, c.header, lines)
}

// fit makes room for the plan and gathers what rides along: deletions, and the entries of streams that changed.
func (b *Buffer) fit(p *plan) {
	b.mu.Lock()
	defer b.mu.Unlock()
	var need int64
	for _, c := range p.pieces {
		need += int64(len(c.value)) + overhead
	}
	b.makeRoom(need)
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
}

// write is the transaction.
func (p *plan) write(tx *bbolt.Tx) error {
	for i, name := range laneNames {
		bucket := tx.Bucket([]byte(name))
		bucket.FillPercent = fill
		for _, key := range p.deletes[i] {
			if err := bucket.Delete(key); err != nil {
				return err
			}
		}
		if p.wipe {
			if err := wipe(bucket, p.stream.ordinal, p.stream.lanes[i].head); err != nil {
				return err
			}
		}
	}
	for _, c := range p.pieces {
		if err := tx.Bucket([]byte(laneNames[c.lane])).Put(blockKey(p.stream.ordinal, c.first), c.value); err != nil {
			return err
		}
	}
	if err := p.writeState(tx.Bucket(bucketState)); err != nil {
		return err
	}
	return p.writeEntries(tx)
}

// wipe deletes the blocks of a stream behind head.
func wipe(bucket *bbolt.Bucket, ordinal uint32, head uint64) error {
	return deleteFrom(bucket, blockKey(ordinal, head+1), blockKey(ordinal, 0)[:4])
}

// deleteFrom deletes the keys from first on that begin with prefix.
func deleteFrom(bucket *bbolt.Bucket, first, prefix []byte) error {
	var keys [][]byte // bbolt's cursor loses its place at a deletion
	cursor := bucket.Cursor()
	for k, _ := cursor.Seek(first); k != nil && bytes.HasPrefix(k, prefix); k, _ = cursor.Next() {
		keys = append(keys, bytes.Clone(k))
	}
	for _, k := range keys {
		if err := bucket.Delete(k); err != nil {
			return err
		}
	}
	return nil
}

func (p *plan) writeState(bucket *bbolt.Bucket) error {
	for _, s := range p.state {
		if s.value == nil {
			if err := bucket.Delete([]byte(s.key)); err != nil {
				return err
			}
			continue
		}
		c := cell{revision: p.revision, kind: cellState, key: s.key, value: s.value}
		if err := bucket.Put([]byte(s.key), c.encode()); err != nil {
			return err
		}
	}
	return nil
}

func (p *plan) writeEntries(tx *bbolt.Tx) error {
	live, streams := tx.Bucket(bucketLive), tx.Bucket(bucketStreams)
	if p.mint {
		if err := deleteFrom(live, nil, nil); err != nil {
			return err
		}
	}
	for _, ordinal := range p.forget {
		if err := streams.Delete(blockKey(ordinal, 0)[:4]); err != nil {
			return err
		}
	}
	for i, s := range p.dirty {
		bucket := streams
		if s == p.stream {
			bucket = live
		}
		if err := bucket.Put(blockKey(s.ordinal, 0)[:4], p.entries[i]); err != nil {
			return err
		}
	}
	return nil
}
