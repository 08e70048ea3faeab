package damage

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"testing"
	"time"

	"holdfast"
	"holdfast/buffer"
)

// childEnv tells the test program that it is the child that reads a file. The child may die of what it finds.
const childEnv = "HOLDFAST_DAMAGE_READ"

func TestMain(m *testing.M) {
	if what := os.Getenv(childEnv); what != "" {
		var job readJob
		if err := json.Unmarshal([]byte(what), &job); err != nil {
			panic(err)
		}
		json.NewEncoder(os.Stdout).Encode(job.read())
		return
	}
	os.Exit(m.Run())
}

// A readJob is what the child is to do.
type readJob struct {
	Truth, File string
	Cap         int64
}

// A reading is all that a file delivers.
type reading struct {
	Error   string
	Owed    []map[holdfast.Lane]*found // of each run of the truth: what is owed
	Wrong   []string                   // what was delivered and never stored so
	Held    uint64                     // records of the truth's runs in the history, before anything else was done
	Other   uint64                     // telemetry of other streams: what was measured since
	Corrupt uint64                     // numbers of all streams that are stated corrupt
	State   []string                   // keys of the truth that have a value
	Damaged []holdfast.BufferChange    // what the gateway's events say of damage
}

// found is what is owed of a lane.
type found struct{ Data, Stated holdfast.Ranges }

// read opens the file as the gateway does and has everything delivered, also, in the end, what was done.
func (job readJob) read() (r reading) {
	var tr truth
	data, err := os.ReadFile(job.Truth)
	if err == nil {
		err = json.Unmarshal(data, &tr)
	}
	var b *buffer.Buffer
	if err == nil {
		b, err = buffer.Open(buffer.Options{Path: job.File, Device: device, MaxBytes: job.Cap, Log: slog.New(slog.DiscardHandler)})
	}
	if err != nil {
		r.Error = err.Error()
		return r
	}
	defer b.Close()
	for range tr.Runs {
		lanes := map[holdfast.Lane]*found{}
		for _, lane := range holdfast.Lanes {
			lanes[lane] = &found{}
		}
		r.Owed = append(r.Owed, lanes)
	}
	r.history(b)
	r.state(b, &tr)
	r.deliver(b, &tr, r.Owed)
	if err := b.AgainAll(); err != nil {
		r.Error = err.Error()
	}
	again := reading{Owed: r.Owed} // no number comes twice in one pass; this one repeats the first
	again.deliver(b, &tr, nil)
	r.Wrong = append(r.Wrong, again.Wrong...)
	return r
}

func (r *reading) wrong(format string, args ...any) {
	if len(r.Wrong) < 5 {
		r.Wrong = append(r.Wrong, fmt.Sprintf(format, args...))
	}
}

// history looks at every record that the page would show.
func (r *reading) history(b *buffer.Buffer) {
	err := b.History(time.Unix(0, 0), time.Unix(1e10, 0), func(lane holdfast.Lane, record []byte) bool {
		var who struct {
			Run    *int
			Lane   holdfast.Lane
			Number uint64
			Event  string
			Data   holdfast.BufferChange
		}
		err := json.Unmarshal(record, &who)
		switch {
		case who.Event == holdfast.EventBuffer && err == nil && who.Data.State == "damaged":
			r.Damaged = append(r.Damaged, who.Data)
		case who.Run == nil && lane == holdfast.LaneTelemetry:
			r.Other++
		case who.Run == nil:
		case err != nil || who.Lane != lane || !bytes.Equal(record, content(*who.Run, lane, who.Number)):
			r.wrong("history has %.80s", record)
		default:
			r.Held++
		}
		return true
	})
	if err != nil {
		r.Error = err.Error()
	}
}

func (r *reading) state(b *buffer.Buffer, tr *truth) {
	for key, values := range tr.State {
		value := b.State(key)
		if value == nil {
			continue
		}
		r.State = append(r.State, key)
		known := false
		for _, v := range values {
			known = known || v == string(value)
		}
		if !known {
			r.wrong("state %s is %.80q, which it never was", key, value)
		}
	}
}

// deliver takes everything that is owed, and notes it where there is a place for it.
func (r *reading) deliver(b *buffer.Buffer, tr *truth, note []map[holdfast.Lane]*found) {
	given := map[holdfast.Position]map[holdfast.Lane]bool{}
	for batch, err := range statements(b) {
		if err != nil {
			r.Error = err.Error()
			return
		}
		if err := batch.Validate(); err != nil {
			r.wrong("%v", err)
		}
		if batch.Cause == holdfast.CauseCorrupt {
			r.Corrupt += batch.Range().Len()
		}
		run := tr.run(batch.Stream)
		if run < 0 {
			continue
		}
		if head := tr.Lanes[run][batch.Lane].Head; batch.Last > head || batch.Device != device {
			r.wrong("run %d, %s: %d to %d %s %s of %s, and %d was the last number", run, batch.Lane, batch.First, batch.Last, batch.What, batch.Cause, batch.Device, head)
			continue
		}
		for seq := batch.First; seq <= batch.Last; seq++ {
			at := holdfast.Position{Stream: batch.Stream, Seq: seq}
			if given[at][batch.Lane] {
				r.wrong("run %d, %s: %d comes twice", run, batch.Lane, seq)
			}
			if given[at] == nil {
				given[at] = map[holdfast.Lane]bool{}
			}
			given[at][batch.Lane] = true
			if batch.What == holdfast.Data && !bytes.Equal(batch.Records[seq-batch.First], content(run, batch.Lane, seq)) {
				r.wrong("run %d, %s: %d is %.80s", run, batch.Lane, seq, batch.Records[seq-batch.First])
			}
		}
		if note != nil && batch.What == holdfast.Data {
			note[run][batch.Lane].Data.Add(batch.Range())
		} else if note != nil {
			note[run][batch.Lane].Stated.Add(batch.Range())
		}
	}
}

// statements yields all that the buffer owes, lane by lane, oldest first.
func statements(b *buffer.Buffer) func(yield func(holdfast.Batch, error) bool) {
	return func(yield func(holdfast.Batch, error) bool) {
		for _, lane := range holdfast.Lanes {
			for at := (holdfast.Position{}); ; {
				batch, ok, err := b.Next(lane, at, holdfast.MaxBatchRecords, holdfast.MaxBatchBytes)
				if err != nil {
					yield(batch, err)
					return
				}
				if !ok {
					break
				}
				if !yield(batch, nil) {
					return
				}
				at = holdfast.Position{Stream: batch.Stream, Seq: batch.Last}
			}
		}
	}
}
