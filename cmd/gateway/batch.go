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

// The buffer asks for the batch before each commit at the end of a window, so that there is one checkpoint for each. By itself it
// goes when the oldest reading has waited for a window, or maxBatch records wait.
const maxBatch = 1000

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
	began, now := len(g.batch.records) > 0, g.now().Mono
	for _, r := range records {
		g.batch.add(r, now)
	}
	if !began {
		g.batch.timer.Reset(g.cfg.BufferWindow - time.Duration(now-g.batch.since)*time.Microsecond)
	}
}

// shelve puts a reading into the batch that was withheld.
func (g *gateway) shelve(reading *holdfast.Reading) {
	g.batch.withheld = append(g.batch.withheld, reading)
}

// askPatience is how long the buffer's writer waits for the loop, should that be busy.
const askPatience = 50 * time.Millisecond

// askForBatch has the loop hand its batch over. The buffer's writer calls it.
func (g *gateway) askForBatch() {
	done := make(chan struct{})
	patience := time.NewTimer(askPatience)
	defer patience.Stop()
	select {
	case g.asked <- done:
	case <-patience.C:
		return
	}
	select {
	case <-done:
	case <-patience.C:
	}
}

// full reports whether the batch cannot wait for more.
func (b *batch) full() bool { return b.urgent || b.size() >= maxBatch }
