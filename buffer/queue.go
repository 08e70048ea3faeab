package buffer

import (
	"slices"

	"holdfast"
)

// A queue is what waits for its numbers in one lane, in order. The items that the running commit carries stand at the
// front and stay as they are until it ends.
type queue struct {
	items   []item
	flying  int // items that the running commit carries
	records int // items with data
	bytes   int // of their JSON
}

// An item is one record, or a run of numbers that will be lost as soon as they are given.
type item struct {
	record Record
	what   holdfast.What // data, dropped, rejected
	cause  holdfast.Cause
	n      uint64 // how many numbers: 1 for data
}

func newItem(r Record) item {
	if len(r.Data) > maxRecord {
		return item{what: holdfast.Rejected, cause: holdfast.CauseTooLarge, n: 1}
	}
	return item{record: r, what: holdfast.Data, n: 1}
}

func (q *queue) push(i item) {
	if n := len(q.items); i.what != holdfast.Data && n > q.flying && q.items[n-1].like(i) {
		q.items[n-1].n += i.n
		return
	}
	q.items = append(q.items, i)
	if i.what == holdfast.Data {
		q.records++
		q.bytes += len(i.record.Data)
	}
}

func (i item) like(o item) bool { return i.what == o.what && i.cause == o.cause }

// land takes the items of a commit that succeeded out of the queue; after one that failed they stay.
func (q *queue) land(success bool) {
	if success {
		for _, i := range q.items[:q.flying] {
			if i.what == holdfast.Data {
				q.records--
				q.bytes -= len(i.record.Data)
			}
		}
		q.items = slices.Delete(q.items, 0, q.flying)
	}
	q.flying = 0
}

// shed turns the oldest items that do not fly, up to n records, into one statement of their loss. It returns how many
// records went.
func (q *queue) shed(n int) uint64 {
	lost := item{what: holdfast.Dropped, cause: holdfast.CauseFull}
	start := q.flying
	for start < len(q.items) && q.items[start].what != holdfast.Data {
		start++
	}
	end, records := start, 0
	for ; end < len(q.items) && q.items[end].what == holdfast.Data && records < n; end++ {
		records++
		q.records--
		q.bytes -= len(q.items[end].record.Data)
	}
	if records == 0 {
		return 0
	}
	lost.n = uint64(records)
	if start > q.flying && q.items[start-1].like(lost) {
		start--
		lost.n += q.items[start].n
	}
	q.items = slices.Replace(q.items, start, end, lost)
	return uint64(records)
}

// queued is how many records wait in all lanes, and the bytes of their JSON. Called with the lock held.
func (b *Buffer) queued() (records, bytes int) {
	for i := range b.queues {
		records += b.queues[i].records
		bytes += b.queues[i].bytes
	}
	return records, bytes
}

// boundQueues keeps the memory that waits for the card bounded: oldest telemetry goes first, then events, then alerts.
// A sixteenth goes at a time, so that a long outage does not move the queue for every record. Called with the lock held.
func (b *Buffer) boundQueues() {
	for i := telemetry; i >= 0; i-- {
		for records, bytes := b.queued(); records > b.o.QueueRecords || bytes > b.o.QueueBytes; records, bytes = b.queued() {
			n := b.queues[i].shed(max(b.o.QueueRecords/16, 1))
			if n == 0 {
				break
			}
			b.overrun(n)
		}
	}
}
