package uplink

import (
	"encoding/json"
	"fmt"
	"slices"
	"sync"

	"holdfast"
)

// table is a queue in memory: for each stream and lane what every number is. It keeps its whole history.
type table struct {
	changed chan struct{}

	mu      sync.Mutex
	device  string
	streams []holdfast.Stream
	lanes   map[holdfast.Position]*column // Seq is the index of the lane
	again   int                           // calls of AgainAll
	err     error                         // of every call
}

type column struct {
	records []json.RawMessage // records[i] has number i+1
	done    holdfast.Ranges
	aside   holdfast.Ranges
}

func newTable(streams ...holdfast.Stream) *table {
	return &table{changed: make(chan struct{}, 1), device: device, streams: streams, lanes: map[holdfast.Position]*column{}}
}

func (t *table) signal() {
	select {
	case t.changed <- struct{}{}:
	default:
	}
}

func (t *table) column(stream holdfast.Stream, lane holdfast.Lane) *column {
	key := holdfast.Position{Stream: stream, Seq: uint64(slices.Index(holdfast.Lanes[:], lane))}
	if t.lanes[key] == nil {
		t.lanes[key] = &column{}
	}
	return t.lanes[key]
}

// fill appends n records to a lane of the newest stream.
func (t *table) fill(lane holdfast.Lane, n int) {
	records := make([]json.RawMessage, n)
	for i := range records {
		records[i] = json.RawMessage(fmt.Sprintf(`{"n":%d}`, i))
	}
	t.put(lane, records...)
}

func (t *table) put(lane holdfast.Lane, records ...json.RawMessage) {
	t.mu.Lock()
	defer t.mu.Unlock()
	defer t.signal()
	c := t.column(t.streams[len(t.streams)-1], lane)
	c.records = append(c.records, records...)
}

// pending counts the numbers of a lane, in all streams, that are not done.
func (t *table) pending(lane holdfast.Lane) (n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, s := range t.streams {
		c := t.column(s, lane)
		n += len(c.records) - int(c.done.Count())
	}
	return n
}

// rejected returns the numbers of a lane of the newest stream that were set aside.
func (t *table) rejected(lane holdfast.Lane) holdfast.Ranges {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.column(t.streams[len(t.streams)-1], lane).aside)
}

func (t *table) fail(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.err = err
}

func (t *table) Next(lane holdfast.Lane, after holdfast.Position, maxRecords, maxBytes int) (holdfast.Batch, bool, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.err != nil {
		return holdfast.Batch{}, false, t.err
	}
	start := max(slices.Index(t.streams, after.Stream), 0)
	for _, stream := range t.streams[start:] {
		first := uint64(1)
		if stream == after.Stream {
			first = after.Seq + 1
		}
		c := t.column(stream, lane)
		for seq := first; seq <= uint64(len(c.records)); seq++ {
			if !c.done.Contains(seq) {
				return c.batch(holdfast.Batch{V: holdfast.Version, Device: t.device, Stream: stream, Lane: lane}, seq, maxRecords, maxBytes), true, nil
			}
		}
	}
	return holdfast.Batch{}, false, nil
}

func (c *column) batch(b holdfast.Batch, seq uint64, maxRecords, maxBytes int) holdfast.Batch {
	b.First, b.Last, b.Head, b.What = seq, seq, uint64(len(c.records)), holdfast.Data
	if c.aside.Contains(seq) {
		b.What, b.Cause = holdfast.Rejected, holdfast.CauseTooLarge
		return b
	}
	size := 0
	for ; seq <= b.Head && len(b.Records) < maxRecords && !c.done.Contains(seq) && !c.aside.Contains(seq); seq++ {
		size += len(c.records[seq-1])
		if len(b.Records) > 0 && size > maxBytes {
			break
		}
		b.Records, b.Last = append(b.Records, c.records[seq-1]), seq
	}
	return b
}

func (t *table) change(stream holdfast.Stream, lane holdfast.Lane, ranges holdfast.Ranges, f func(*column, holdfast.Range)) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.err != nil {
		return t.err
	}
	if !slices.Contains(t.streams, stream) {
		return nil
	}
	c := t.column(stream, lane)
	for _, r := range ranges {
		if r.Last = min(r.Last, uint64(len(c.records))); r.First <= r.Last {
			f(c, r)
		}
	}
	return nil
}

func (t *table) Done(stream holdfast.Stream, lane holdfast.Lane, ranges holdfast.Ranges) error {
	return t.change(stream, lane, ranges, func(c *column, r holdfast.Range) { c.done.Add(r) })
}

func (t *table) Again(stream holdfast.Stream, lane holdfast.Lane, ranges holdfast.Ranges) error {
	defer t.signal()
	return t.change(stream, lane, ranges, func(c *column, r holdfast.Range) { c.done.Remove(r) })
}

func (t *table) AgainAll() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	defer t.signal()
	if t.err != nil {
		return t.err
	}
	t.again++
	for _, c := range t.lanes {
		c.done = nil
	}
	return nil
}

func (t *table) Reject(stream holdfast.Stream, lane holdfast.Lane, r holdfast.Range, _ holdfast.Cause) error {
	defer t.signal()
	return t.change(stream, lane, holdfast.Ranges{r}, func(c *column, r holdfast.Range) { c.aside.Add(r) })
}

func (t *table) Changed() <-chan struct{} { return t.changed }
