package main

import (
	"time"

	"holdfast"
)

// A batch is what the loop has gathered for the buffer. Readings go there together, with one checkpoint of the rules behind
// them: at once when something urgent came of one, else soon.
type batch struct {
	records  []holdfast.Record
	withheld []holdfast.Record // readings that do not go up
	since    int64             // monotonic time of the oldest reading that goes up, or of the first record, µs
	urgent   bool              // it holds an alert or an event
	timer    *time.Timer       // runs out when it must go
}

// maxBatch is how many records the loop gathers, and gatherFor how long, at most; less where the buffer's window is short.
const (
	maxBatch  = 256
	gatherFor = 125 * time.Millisecond
)

func newBatch() *batch {
	b := &batch{timer: time.NewTimer(0)}
	b.timer.Stop()
	return b
}

// add puts a record behind the others.
func (b *batch) add(r holdfast.Record, now int64) {
	if reading, ok := r.(*holdfast.Reading); ok && reading.Mono > 0 {
		now = min(now, reading.Mono)
	}
	if len(b.records) == 0 || now < b.since {
		b.since = now
	}
	b.records = append(b.records, r)
	b.urgent = b.urgent || r.Lane() != holdfast.LaneTelemetry
}

// take empties the batch.
func (b *batch) take() (records, withheld []holdfast.Record) {
	records, withheld = b.records, b.withheld
	b.records, b.withheld, b.since, b.urgent = nil, nil, 0, false
	b.timer.Stop()
	return records, withheld
}

func (b *batch) size() int { return len(b.records) + len(b.withheld) }

// gather puts records into the batch, and keeps it where it cannot wait.
func (g *gateway) gather(records []holdfast.Record) {
	if len(records) == 0 {
		return
	}
	g.begin()
	now := g.now().Mono
	for _, r := range records {
		g.batch.add(r, now)
	}
}

// shelve puts a reading into the batch that was withheld.
func (g *gateway) shelve(reading *holdfast.Reading) {
	g.begin()
	g.batch.withheld = append(g.batch.withheld, reading)
}

// begin starts the time of a batch that was empty.
func (g *gateway) begin() {
	if g.batch.size() == 0 {
		g.batch.timer.Reset(min(gatherFor, g.cfg.BufferWindow/8))
	}
}

// full reports whether the batch cannot wait for more.
func (b *batch) full() bool { return b.urgent || b.size() >= maxBatch }
