package buffer

import (
	"time"

	"holdfast"
)

// Status is how the buffer does.
type Status struct {
	Stream   holdfast.Stream
	Volatile bool                                  // the stream is not on the card yet, which takes nothing since the start
	Lanes    map[holdfast.Lane]holdfast.LaneStatus // of the current stream
	Older    []holdfast.StreamStatus               // earlier streams that still owe something, oldest first

	Bytes        int64 // of pages in use, history among them
	Limit        int64 // of Bytes; less than the cap of the file, see DESIGN.md
	HistoryBytes int64 // of blocks that nobody is owed any more
	Queued       int   // records in memory that are not durable yet

	Full    bool   // pending records were dropped for space, and no space came back since
	Failing string // why the last commit failed; empty while commits succeed

	// Since Open.
	Commits          uint64
	CommittedRecords uint64
	Failures         uint64 // commits that failed
	Dropped          uint64 // numbers that went for space
	Rejected         uint64 // numbers that no link carries
	Corrupt          uint64 // numbers that damage took
	Withheld         uint64 // records that are durable in the local lane
	WithheldLost     uint64 // that were let go before they were, for want of room
	UnknownReceipts  uint64 // ranges that named numbers which do not exist here
}

type counters struct {
	Commits, Records, Failures, Dropped, Rejected, Corrupt, Unknown uint64
}

// Status tells how the buffer does, from memory.
func (b *Buffer) Status() Status {
	b.mu.Lock()
	defer b.mu.Unlock()
	queued, _ := b.queued()
	s := Status{
		Stream: b.current().id, Volatile: !b.minted || b.memory != nil, Lanes: b.current().status(),
		Bytes: b.measured.used, Limit: b.limit, HistoryBytes: b.sum.spent, Queued: queued,
		Full:    b.health.full,
		Commits: b.count.Commits, CommittedRecords: b.count.Records, Failures: b.count.Failures,
		Dropped: b.count.Dropped, Rejected: b.count.Rejected, Corrupt: b.count.Corrupt, UnknownReceipts: b.count.Unknown,
		Withheld: b.shelf.kept, WithheldLost: b.shelf.lost,
	}
	if b.health.failing != nil {
		s.Failing = b.health.failing.Error()
	}
	for _, older := range b.streams[:len(b.streams)-1] {
		if older.owed() > 0 {
			s.Older = append(s.Older, holdfast.StreamStatus{Stream: older.id, Lanes: older.status()})
		}
	}
	return s
}

func (s *stream) status() map[holdfast.Lane]holdfast.LaneStatus {
	out := make(map[holdfast.Lane]holdfast.LaneStatus, len(laneNames))
	for i, name := range laneNames {
		l := s.lanes[i]
		out[name] = holdfast.LaneStatus{Head: l.head, Pending: l.owed(), Oldest: l.oldest()}
	}
	return out
}

// oldest is the time of the first block that is owed; zero where only statements are.
func (l *lane) oldest() time.Time {
	for seq := uint64(1); ; {
		run, loss, ok := l.next(seq)
		if !ok {
			return time.Time{}
		}
		if i := l.find(run.First); loss == nil && i < len(l.blocks) {
			return time.UnixMicro(l.blocks[i].from).UTC()
		}
		seq = run.Last + 1
	}
}
