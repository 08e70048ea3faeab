package crash

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"holdfast"
	"holdfast/buffer"
)

// A trial is one image under examination: what must be in it, and what a walk through it found.
type trial struct {
	*facts
	history int64              // bytes that it may keep
	full    uint64             // at most so many numbers may be stated as full
	data    func(place) []byte // the record of a place
	own     holdfast.Stream    // the stream of the examiner's own commit
	owed    map[holdfast.Stream]map[holdfast.Lane]holdfast.Ranges
	found   uint64 // numbers that are stated as full
}

// examine starts the buffer of an image as the gateway does, and returns an error unless all is there that must be.
func (tr *trial) examine(o buffer.Options, lie bool) error {
	_, err := os.Stat(o.Path)
	if there := err == nil; there {
		needs := buffer.NeedsCheck(o.Path)
		if !needs && lie {
			return errors.New("a clean stop is told of a file that was changed behind it")
		}
		if needs && tr.stop == isStopped && !tr.opening {
			return errors.New("no clean stop is told, and the buffer ended well")
		}
		if _, err := buffer.Check(context.Background(), o.Path); err != nil {
			return err
		}
	}
	b, err := buffer.Open(o)
	if err != nil {
		return err
	}
	if err := errors.Join(tr.previous(b), tr.states(b), tr.withheld(b), tr.walk(b, false)); err != nil {
		return errors.Join(err, b.Close())
	}
	if err := tr.commit(b); err != nil {
		return fmt.Errorf("one more commit: %w", err)
	}
	return tr.reopen(o)
}

// previous looks at the stream that the buffer calls the one before: the newest that has a number.
func (tr *trial) previous(b *buffer.Buffer) error {
	p := b.Previous()
	for _, id := range slices.Backward(tr.order) {
		if p != nil && p.Stream == id {
			return tr.ended(p)
		}
		if !tr.mayBeUnborn(id) {
			return fmt.Errorf("the newest stream is %v, want %s", p, id)
		}
	}
	if p != nil {
		return fmt.Errorf("the newest stream is %s, which nobody was told", p.Stream)
	}
	return nil
}

// mayBeUnborn reports whether a stream may be found without a number, and be none therefore.
func (tr *trial) mayBeUnborn(id holdfast.Stream) bool {
	for lane, l := range tr.streams[id].lanes {
		if l.held > 0 && (lane != holdfast.LaneLocal || tr.history >= roomy) {
			return false
		}
	}
	return true
}

// ended looks at how the stream before ended.
func (tr *trial) ended(p *holdfast.Previous) error {
	s, born := tr.streams[p.Stream], false
	stop := s.stop
	if p.Stream == tr.last {
		stop = tr.stop
	}
	if p.Clean && stop == "" || !p.Clean && stop == isStopped {
		return fmt.Errorf("clean %v, and it is %q", p.Clean, stop)
	}
	for lane, l := range s.lanes {
		head := p.Lanes[lane] // none of the local lane
		if lane != holdfast.LaneLocal && (head < l.held || head > l.may) {
			return fmt.Errorf("%s ends at %d, want %d to %d", lane, head, l.held, l.may)
		}
		born = born || head > 0 || lane == holdfast.LaneLocal && l.may > 0
	}
	if !born {
		return fmt.Errorf("the newest stream is %s, which has no number", p.Stream)
	}
	return nil
}

func (tr *trial) states(b *buffer.Buffer) error {
	for key := range tr.state {
		if err := tr.value(key, b.State(key)); err != nil {
			return err
		}
	}
	for _, key := range b.StateKeys("") {
		if err := tr.value(key, b.State(key)); err != nil {
			return err
		}
	}
	return nil
}

// roomy is room for all the history that any scenario makes.
const roomy = 1 << 20

// withheld looks at the local lane: what is there is right and in order, and some is not there only where room was short.
func (tr *trial) withheld(b *buffer.Buffer) error {
	found, last := make(map[holdfast.Stream]uint64), make(map[holdfast.Stream]uint64)
	var wrong error
	err := b.Browse(holdfast.LaneLocal, holdfast.Position{}, time.Time{}, time.Time{}, func(stream holdfast.Stream, _ uint64, data []byte) bool {
		var is struct{ N uint64 }
		err, s := json.Unmarshal(data, &is), tr.streams[stream]
		switch {
		case err != nil, s == nil && !tr.opening, is.N <= last[stream], s != nil && is.N > s.lanes[holdfast.LaneLocal].may:
			wrong = fmt.Errorf("behind %d that is withheld of %s is %.60s", last[stream], stream, data)
		case s != nil && !bytes.Equal(data, tr.data(place{stream, holdfast.LaneLocal, is.N, s.pad})):
			wrong = fmt.Errorf("%d that is withheld of %s is %.60s", is.N, stream, data)
		}
		found[stream], last[stream] = found[stream]+1, is.N
		return wrong == nil
	})
	if err != nil || wrong != nil || tr.history < roomy {
		return errors.Join(err, wrong)
	}
	for stream, s := range tr.streams {
		if held := s.lanes[holdfast.LaneLocal].held; last[stream] < held || found[stream] < last[stream] {
			return fmt.Errorf("%d are withheld of %s, the last is %d, want all to %d", found[stream], stream, last[stream], held)
		}
	}
	return nil
}

// walk goes through everything that is owed. With all, everything that was ever numbered was made owed before: each
// number must turn up.
func (tr *trial) walk(b *buffer.Buffer, all bool) error {
	tr.found = 0
	heads := make(map[holdfast.Stream]map[holdfast.Lane]uint64)
	if !all {
		tr.owed = make(map[holdfast.Stream]map[holdfast.Lane]holdfast.Ranges)
	}
	for _, lane := range holdfast.Lanes {
		var at holdfast.Position
		for {
			batch, ok, err := b.Next(lane, at, holdfast.MaxBatchRecords, 1<<30)
			if err != nil {
				return err
			}
			if !ok {
				break
			}
			if at.Stream != batch.Stream {
				at.Seq = 0
			}
			if all && batch.First != at.Seq+1 {
				return fmt.Errorf("%s of %s: nothing accounts for %d to %d", lane, batch.Stream, at.Seq+1, batch.First-1)
			}
			if err := tr.batch(&batch, all); err != nil {
				return err
			}
			if heads[batch.Stream] == nil {
				heads[batch.Stream] = make(map[holdfast.Lane]uint64)
			}
			heads[batch.Stream][lane] = batch.Last
			at = holdfast.Position{Stream: batch.Stream, Seq: batch.Last}
		}
	}
	if tr.found > tr.full {
		return fmt.Errorf("%d numbers went for space, want at most %d", tr.found, tr.full)
	}
	if all {
		return tr.heads(heads)
	}
	return nil
}

// heads compares the highest number of each lane with what was promised.
func (tr *trial) heads(found map[holdfast.Stream]map[holdfast.Lane]uint64) error {
	for id, s := range tr.streams {
		for _, lane := range holdfast.Lanes {
			l := s.lanes[lane]
			if head := found[id][lane]; head < l.held || head > l.may {
				return fmt.Errorf("%s of %s ends at %d, want %d to %d", lane, id, head, l.held, l.may)
			}
		}
	}
	return nil
}

// batch looks at one statement of the walk.
func (tr *trial) batch(b *holdfast.Batch, all bool) error {
	if err := b.Validate(); err != nil {
		return err
	}
	s := tr.streams[b.Stream]
	if s == nil && b.Stream == tr.own && b.Lane == holdfast.LaneEvent && b.Last == 1 && b.What == holdfast.Data {
		return nil
	}
	if s == nil {
		return fmt.Errorf("%s %d of %s: nobody knows that stream", b.Lane, b.First, b.Stream)
	}
	l := s.lanes[b.Lane]
	if b.Head > l.may {
		return fmt.Errorf("%s of %s ends at %d, want at most %d", b.Lane, b.Stream, b.Head, l.may)
	}
	if !all {
		tr.isOwed(b)
	}
	for n := b.First; n <= b.Last; n++ {
		if err := tr.number(b, place{b.Stream, b.Lane, n, s.pad}, l, all); err != nil {
			return err
		}
	}
	return nil
}

func (tr *trial) isOwed(b *holdfast.Batch) {
	if tr.owed[b.Stream] == nil {
		tr.owed[b.Stream] = make(map[holdfast.Lane]holdfast.Ranges)
	}
	ranges := tr.owed[b.Stream][b.Lane]
	ranges.Add(b.Range())
	tr.owed[b.Stream][b.Lane] = ranges
}

// number looks at one number of a statement.
func (tr *trial) number(b *holdfast.Batch, p place, l *laneFacts, all bool) error {
	if isOwed := tr.owed[p.stream][p.lane].Contains(p.n); isOwed && !l.can(p.n, owed) {
		return fmt.Errorf("%s %d of %s is owed, and it is done", p.lane, p.n, p.stream)
	} else if !isOwed && !l.can(p.n, done) {
		return fmt.Errorf("%s %d of %s is done, and nobody said so", p.lane, p.n, p.stream)
	}
	if b.What != holdfast.Data {
		if b.Cause == holdfast.CauseFull {
			tr.found++
		}
		return l.lost(p, b.What, b.Cause)
	}
	if got := b.Records[p.n-b.First]; !l.data(p.n) || p.tooLarge() || !bytes.Equal(got, tr.data(p)) {
		return fmt.Errorf("%s %d of %s is %.200s", p.lane, p.n, p.stream, got)
	}
	return nil
}

const ownKey, ownValue = "examiner", "was here"

// commit makes one more commit and ends the buffer well.
func (tr *trial) commit(b *buffer.Buffer) error {
	tr.own = b.Stream()
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- b.Run(ctx) }()
	c := buffer.Change{
		Records: []buffer.Record{place{tr.own, holdfast.LaneEvent, 1, 10}.record()},
		State:   map[string][]byte{ownKey: []byte(ownValue)},
	}
	err := b.Commit(ctx, c)
	for tries := 0; outOfRoom(err) && tries < 3; tries++ { // it makes room, see buffer/DESIGN.md
		err = b.Commit(ctx, c)
	}
	stop()
	err = errors.Join(err, <-ended)
	tr.full += b.Status().Dropped
	return err
}

// reopen starts the buffer once more and looks at every number that it ever gave.
func (tr *trial) reopen(o buffer.Options) error {
	if buffer.NeedsCheck(o.Path) {
		return errors.New("the file is not clean after a clean stop")
	}
	b, err := buffer.Open(o)
	if err != nil {
		return fmt.Errorf("the second start: %w", err)
	}
	err = tr.second(b)
	return errors.Join(err, b.Close())
}

func (tr *trial) second(b *buffer.Buffer) error {
	if p := b.Previous(); p == nil || p.Stream != tr.own || !p.Clean || p.Lanes[holdfast.LaneEvent] != 1 {
		return fmt.Errorf("the commit is not there after a second start: %+v", p)
	}
	if got := string(b.State(ownKey)); got != ownValue {
		return fmt.Errorf("the commit's state is %q after a second start", got)
	}
	if err := b.AgainAll(); err != nil {
		return err
	}
	if err := tr.walk(b, true); err != nil {
		return fmt.Errorf("second start: %w", err)
	}
	return nil
}
