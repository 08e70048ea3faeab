package buffer

import "holdfast"

// The states that a [holdfast.BufferChange] of the buffer names.
const (
	stateFull      = "full"
	stateFailing   = "failing"
	stateRecovered = "recovered"
)

// health is how the buffer does, and which changes of that Report has not been told yet. Guarded by the buffer's lock.
type health struct {
	failing  error  // why the last commit failed; nil while commits succeed
	full     bool   // pending records were dropped for space, and no space came back since
	dropped  uint64 // in this time of being full
	announce []holdfast.BufferChange
}

// after notes how a commit ended.
func (h *health) after(err error) {
	if err != nil && h.failing == nil {
		h.announce = append(h.announce, holdfast.BufferChange{State: stateFailing, Error: err.Error()})
	}
	if err == nil && h.failing != nil {
		h.announce = append(h.announce, holdfast.BufferChange{State: stateRecovered})
	}
	h.failing = err
}

// overrun notes that n pending records were dropped for space. Called with the lock held.
func (b *Buffer) overrun(n uint64) {
	h := &b.health
	b.count.Dropped += n
	h.dropped += n
	if !h.full {
		h.full = true
		h.announce = append(h.announce, holdfast.BufferChange{State: stateFull, Records: h.dropped})
	}
}

// relax notes that there is space again: half of the file and of the queue, so that it does not come and go with every
// batch. Called with the lock held.
func (b *Buffer) relax() {
	h := &b.health
	records, bytes := b.queued()
	if !h.full || b.sum.live-b.sum.spent > b.limit/2 || records > b.o.QueueRecords/2 || bytes > b.o.QueueBytes/2 {
		return
	}
	h.announce = append(h.announce, holdfast.BufferChange{State: stateRecovered, Records: h.dropped})
	h.full, h.dropped = false, 0
}

// announce tells Report what changed, outside of the lock.
func (b *Buffer) announce() {
	b.mu.Lock()
	b.relax()
	changes := b.health.announce
	b.health.announce = nil
	b.mu.Unlock()
	for _, c := range changes {
		b.o.Log.Warn("buffer changed state", "state", c.State, "records", c.Records, "err", c.Error)
		b.o.Report(c)
	}
}
