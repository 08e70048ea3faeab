package buffer

import "holdfast"

const (
	blockRecords = holdfast.MaxBatchRecords
	blockBytes   = 16 << 10 // of JSON; larger ones need free pages in a row, which a full file does not have
)

// A plan is one transaction.
type plan struct {
	stream    *stream
	revision  uint64
	heads     [len(laneNames)]uint64 // after the commit
	fresh     []piece                // records that came, in blocks
	pieces    []piece                // what goes into the lanes' buckets
	tail      []piece                // what stands in the tail afterwards
	local     []piece                // of the local lane
	localHead uint64                 // after the commit
	losses    []statement
	waiting   []*waiter
	state     []put
	deletes   [local + 1][][]byte // keys
	forget    []uint32
	dirty     []*stream
	entries   [][]byte // of dirty
	stateSize int      // bytes that the bucket of state holds after the commit
	localSize int      // the same of the bucket of the local lane, at least as far as it may be small
	mint      bool     // the stream is not in the file yet
	wipe      bool     // clear first what a failed commit may have left behind the heads
}

// A piece is a block to be, or one of the tail.
type piece struct {
	stream  *stream
	lane    int
	first   uint64
	records []Record
	size    int // of their JSON, as lines
	header  *header
	value   []byte // nil until it is encoded
}

// end is the number behind the last.
func (c *piece) end() uint64 { return c.first + uint64(len(c.records)) }

// appendRecord appends a record to pieces: to the last of them, if it follows there and there is room, else as a new one.
func appendRecord(pieces []piece, s *stream, lane int, seq uint64, r Record) []piece {
	n := len(r.Data) + 1
	if i := len(pieces) - 1; i >= 0 {
		last := &pieces[i]
		if last.stream == s && last.lane == lane && last.end() == seq && len(last.records) < blockRecords && last.size+n <= blockBytes {
			last.records = append(last.records, r)
			last.size += n
			return pieces
		}
	}
	return append(pieces, piece{stream: s, lane: lane, first: seq, records: []Record{r}, size: n})
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
	take := func(it item) {
		if it.what != holdfast.Data {
			p.losses = append(p.losses, statement{i, holdfast.Range{First: head + 1, Last: head + it.n}, it.what, it.cause})
			head += it.n
			return
		}
		head++
		p.fresh = appendRecord(p.fresh, p.stream, i, head, it.record)
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

// encode makes the block, unless it is made already.
func (c *piece) encode(p *plan) []byte {
	if c.value != nil {
		return c.value
	}
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
	return c.value
}
