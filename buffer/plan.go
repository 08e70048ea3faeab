package buffer

import "holdfast"

const (
	blockRecords = holdfast.MaxBatchRecords
	blockBytes   = 16 << 10 // of JSON; larger ones need free pages in a row, which a full file does not have
)

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
