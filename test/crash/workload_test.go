package crash

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"time"

	"holdfast"
	"holdfast/buffer"
)

const bufferName = "buffer.db"

// A job tells the workload what to do.
type job struct {
	Folder       string // of the buffer
	Tongue       string // the file that it says its lines into
	MaxBytes     int64
	HistoryBytes int64
	Grow         bool
	Steps        int
	Pad          int // longest padding of a record, bytes
	Seed         uint64
}

func options(folder string, maxBytes, historyBytes int64) buffer.Options {
	return buffer.Options{
		Path: filepath.Join(folder, bufferName), Device: "pi-7", MaxBytes: maxBytes, HistoryBytes: historyBytes,
		Window: 3 * time.Millisecond, WindowRecords: 12, Log: slog.New(slog.DiscardHandler),
	}
}

// A line is what the workload says, in a write of its own. What it is about to do it says before, and what is durable as
// soon as it was told.
type line struct {
	Kind   string            // of these:
	Stream holdfast.Stream   // open: this stream is durable; done, again, reject, held: of these numbers
	Pad    int               // open
	Lane   holdfast.Lane     // done, again, reject
	Range  holdfast.Range    // done, again, reject
	Heads  heads             // will: records up to these numbers may be durable from now on; held: they are
	State  map[string][]byte // will: these values may be, null deletes; open: these are, and no others
	All    bool              // held: and so is everything else that was said before
	Full   uint64            // open, held, stopped: how many numbers went for space, in all streams
	Owed   []statement       // open: what is owed
}

// A statement is a run of numbers that is owed, without its records.
type statement struct {
	Stream holdfast.Stream
	Lane   holdfast.Lane
	Range  holdfast.Range
	What   holdfast.What
	Cause  holdfast.Cause
}

type heads map[holdfast.Lane]uint64

const (
	willOpen   = "opening"
	isOpen     = "open"
	will       = "will"
	willDone   = "done"
	willAgain  = "again"
	willReject = "reject"
	isHeld     = "held"
	tookBack   = "took back" // heads and state of the last will: a Commit of it failed
	willStop   = "stopping"
	isStopped  = "stopped"
)

// A worker uses the buffer as the gateway does.
type worker struct {
	job
	rng    *rand.Rand
	tongue *os.File
	buffer *buffer.Buffer
	heads  heads  // numbers that were appended
	full   uint64 // numbers that earlier runs let go for space
}

// workload opens the buffer, works with it and ends it well.
func workload(j job) error {
	tongue, err := os.OpenFile(j.Tongue, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer tongue.Close()
	w := &worker{job: j, rng: rand.New(rand.NewPCG(j.Seed, 0)), tongue: tongue, heads: make(heads)}
	o := options(j.Folder, j.MaxBytes, j.HistoryBytes)
	o.Grow = j.Grow
	w.say(line{Kind: willOpen})
	if buffer.NeedsCheck(o.Path) {
		if _, err := buffer.Check(context.Background(), o.Path); err != nil {
			return err
		}
	}
	if w.buffer, err = buffer.Open(o); err != nil {
		return err
	}
	opened, err := w.opened()
	if err != nil {
		return err
	}
	w.say(opened)
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- w.buffer.Run(ctx) }()
	err = w.work()
	w.say(line{Kind: willStop})
	stop()
	err = errors.Join(err, <-ended)
	w.say(line{Kind: isStopped, Full: w.full + w.buffer.Status().Dropped})
	return err
}

func (w *worker) say(l line) {
	data, err := json.Marshal(l)
	if err == nil {
		_, err = w.tongue.Write(data)
	}
	if err != nil {
		panic(err)
	}
}

// opened says what is there after Open. Whether the last things that an earlier process said came to be, only the file
// can tell. What went for space the workload never receipts, so all of it is owed.
func (w *worker) opened() (line, error) {
	l := line{Kind: isOpen, Stream: w.buffer.Stream(), Pad: w.Pad, State: make(map[string][]byte)}
	for _, key := range w.buffer.StateKeys("") {
		l.State[key] = w.buffer.State(key)
	}
	for _, lane := range holdfast.Lanes {
		var at holdfast.Position
		for {
			batch, ok, err := w.buffer.Next(lane, at, holdfast.MaxBatchRecords, 1<<30)
			if err != nil {
				return l, err
			}
			if !ok {
				break
			}
			l.Owed = append(l.Owed, statement{batch.Stream, lane, batch.Range(), batch.What, batch.Cause})
			if batch.Cause == holdfast.CauseFull {
				w.full += batch.Last - batch.First + 1
			}
			at = holdfast.Position{Stream: batch.Stream, Seq: batch.Last}
		}
	}
	l.Full = w.full
	return l, nil
}

func (w *worker) work() error {
	for range w.Steps {
		var err error
		switch dice := w.rng.IntN(100); {
		case dice < 25:
			err = w.append(false)
		case dice < 50:
			err = w.commit()
		case dice < 80:
			err = w.done()
		case dice < 87:
			err = w.again()
		case dice < 91:
			err = w.reject()
		default:
			err = w.append(true)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// change makes n records of a lane, perhaps with state and with records that are withheld, and says that they will be.
func (w *worker) change(lane holdfast.Lane, n int) buffer.Change {
	c := buffer.Change{State: make(map[string][]byte)}
	for range n {
		w.heads[lane]++
		c.Records = append(c.Records, place{w.buffer.Stream(), lane, w.heads[lane], w.Pad}.record())
	}
	if w.rng.IntN(2) == 0 {
		key := pick(w.rng, "settings", "rules", "checkpoint", "binding")
		c.State[key] = fmt.Appendf(nil, "%s of %d %d", key, w.heads[lane], w.rng.Uint32())
		if w.rng.IntN(5) == 0 {
			c.State[key] = nil
		}
	}
	if w.rng.IntN(3) == 0 {
		for range 1 + w.rng.IntN(20) {
			w.heads[holdfast.LaneLocal]++
			c.Local = append(c.Local, place{w.buffer.Stream(), holdfast.LaneLocal, w.heads[holdfast.LaneLocal], w.Pad}.record())
		}
	}
	w.say(line{Kind: will, Heads: w.heads, State: c.State})
	return c
}

// append adds telemetry and goes on, or waits until the buffer says that it is durable.
func (w *worker) append(wait bool) error {
	c := w.change(holdfast.LaneTelemetry, 1+w.rng.IntN(8))
	c.Urgent = wait
	if err := w.buffer.Append(c); err != nil || !wait {
		return err
	}
	for {
		s := w.buffer.Status()
		if s.Lanes[holdfast.LaneTelemetry].Head == w.heads[holdfast.LaneTelemetry] {
			w.say(line{Kind: isHeld, Stream: s.Stream, Heads: w.heads, Full: w.full + s.Dropped})
			return nil
		}
		select {
		case <-w.buffer.Changed():
		case <-time.After(time.Millisecond):
		}
	}
}

func (w *worker) commit() error {
	lane := pick(w.rng, holdfast.LaneAlert, holdfast.LaneEvent, holdfast.LaneEvent, holdfast.LaneTelemetry)
	c := w.change(lane, 1+w.rng.IntN(3))
	if err := w.buffer.Commit(context.Background(), c); err != nil {
		return w.takeBack(lane, c, err)
	}
	w.say(line{Kind: isHeld, Stream: w.buffer.Stream(), Heads: w.heads, All: true, Full: w.full + w.buffer.Status().Dropped})
	return nil
}

// takeBack is for a Commit that a full file refused (buffer/DESIGN.md, Full). Nothing of it may be found, and its numbers
// go to others.
func (w *worker) takeBack(lane holdfast.Lane, c buffer.Change, err error) error {
	if !outOfRoom(err) {
		return err
	}
	w.heads[lane] -= uint64(len(c.Records))
	w.say(line{Kind: tookBack, Stream: w.buffer.Stream(), Heads: w.heads, State: c.State})
	return nil
}

// outOfRoom is bbolt's error where a full file has free pages, and not enough of them in a row.
func outOfRoom(err error) bool { return err != nil && strings.Contains(err.Error(), "maximum size") }

// owed is the first batch of any lane.
func (w *worker) owed() (holdfast.Batch, bool, error) {
	return w.buffer.Next(pick(w.rng, holdfast.Lanes[:]...), holdfast.Position{}, 1+w.rng.IntN(100), holdfast.MaxBatchBytes)
}

func (w *worker) done() error {
	batch, ok, err := w.owed()
	if err != nil || !ok || batch.Cause == holdfast.CauseFull {
		return err
	}
	w.say(line{Kind: willDone, Stream: batch.Stream, Lane: batch.Lane, Range: batch.Range()})
	return w.buffer.Done(batch.Stream, batch.Lane, holdfast.Ranges{batch.Range()})
}

// again wants numbers before the first that is owed once more.
func (w *worker) again() error {
	batch, ok, err := w.owed()
	if err != nil || !ok || batch.First == 1 {
		return err
	}
	r := holdfast.Range{First: 1 + w.rng.Uint64N(batch.First-1), Last: batch.First - 1}
	r.Last = min(r.Last, r.First+10)
	w.say(line{Kind: willAgain, Stream: batch.Stream, Lane: batch.Lane, Range: r})
	return w.buffer.Again(batch.Stream, batch.Lane, holdfast.Ranges{r})
}

func (w *worker) reject() error {
	batch, ok, err := w.owed()
	if err != nil || !ok {
		return err
	}
	r := holdfast.Range{First: batch.Last, Last: batch.Last}
	w.say(line{Kind: willReject, Stream: batch.Stream, Lane: batch.Lane, Range: r})
	return w.buffer.Reject(batch.Stream, batch.Lane, r, holdfast.CauseOperator)
}
