package buffer

import (
	"encoding/json"
	"time"

	"holdfast"
)

// Follow is [Buffer.Browse] for one who has read up to after, and goes on: a stream that the buffer does not know lies before
// all others, since those that are wholly done are forgotten in their order. The error is bbolt's, or ErrClosed.
func (b *Buffer) Follow(name holdfast.Lane, after holdfast.Position, f func(at holdfast.Position, record json.RawMessage) bool) error {
	b.mu.Lock()
	closed, known := b.closed, b.byID[after.Stream] != nil
	b.mu.Unlock()
	if closed {
		return ErrClosed
	}
	if !known {
		after = holdfast.Position{}
	}
	return b.Browse(name, after, time.Time{}, time.Time{}, func(stream holdfast.Stream, seq uint64, record []byte) bool {
		return f(holdfast.Position{Stream: stream, Seq: seq}, record)
	})
}
