package buffer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"

	"holdfast"
)

// Salvage makes a new file at o.Path from all that can be read of the damaged one, which it opens as plain bytes: blocks
// under their own streams and numbers, what was done of them, statements, and the newest values of state. Numbers below
// the highest that it met, of which nothing is left, become dropped statements (corrupt); a database that has them keeps
// them. Pages that bbolt had set free are read too, so that records which were done long ago, or keys of state which were
// deleted, may come back; a receiver knows the former already.
//
// It may take long and much memory for a large file: run it in a child process. There must be no file at o.Path. Of the
// other options it heeds Log and the sizes; a MaxBytes of 0 is what the damaged file needs.
func Salvage(ctx context.Context, damaged string, o Options) (Report, error) {
	report, err := salvage(ctx, damaged, o)
	if err != nil {
		return report, fmt.Errorf("salvage buffer %s into %s: %w", damaged, o.Path, err)
	}
	return report, nil
}

func salvage(ctx context.Context, damaged string, o Options) (Report, error) {
	if _, err := os.Stat(o.Path); err == nil {
		return Report{}, os.ErrExist
	}
	in, err := os.Open(damaged)
	if err != nil {
		return Report{}, err
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return Report{}, err
	}
	if o.MaxBytes == 0 {
		o.MaxBytes = max(2*info.Size(), defaultBytes)
	}
	if err := o.setDefaults(); err != nil {
		return Report{}, err
	}
	w := wreck{file: in, found: make(map[holdfast.Stream]*remains), state: make(map[string]cell)}
	if err := scan(ctx, in, info.Size(), w.take); err != nil {
		return Report{}, err
	}
	b := newBuffer(o)
	w.sort(b)
	f, err := openFile(o.Path, o.MaxBytes)
	if err != nil {
		return Report{}, err
	}
	b.db = f.db
	report, err := w.write(ctx, b)
	if err != nil {
		return Report{}, errors.Join(err, f.abandon())
	}
	if err := errors.Join(f.settle(o.MaxBytes), f.db.Close()); err != nil {
		return Report{}, err
	}
	return report, markClean(o.Path, "")
}

// A wreck is what scan found in a damaged file.
type wreck struct {
	file   *os.File
	found  map[holdfast.Stream]*remains
	state  map[string]cell // newest of each key
	chosen map[*stream]*[local + 1][]fragment
}

// remains are what is left of one stream.
type remains struct {
	ordinal  uint32
	device   string
	revision uint64 // of entry
	entry    *entry // the newest; nil where none is left
	blocks   [local + 1][]fragment
}

// A fragment is a block in the damaged file, or the part of it that is to be used.
type fragment struct {
	holdfast.Range // to be used
	revision       uint64
	offset, length int64
}

// take notes what a block or cell is.
func (w *wreck) take(offset int64, data []byte) {
	if h, err := decodeHeader(data); err == nil {
		s := w.stream(h.stream)
		s.ordinal, s.device = h.ordinal, h.device
		s.blocks[h.lane] = append(s.blocks[h.lane], fragment{h.Range, h.revision, offset, int64(len(data))})
		return
	}
	c, err := decodeCell(data)
	if err != nil {
		return
	}
	if e, err := c.entry(); err == nil {
		if s := w.stream(e.Stream); s.entry == nil || c.revision > s.revision {
			s.entry, s.revision, s.ordinal, s.device = e, c.revision, e.Ordinal, e.Device
		}
	}
	if c.kind == cellState && c.revision >= w.state[c.key].revision {
		w.state[c.key] = cell{revision: c.revision, value: slices.Clone(c.value)}
	}
}

func (w *wreck) stream(id holdfast.Stream) *remains {
	if w.found[id] == nil {
		w.found[id] = new(remains)
	}
	return w.found[id]
}

// sort makes streams of the remains and settles which fragment stands for which number: of two that claim it the later
// commit is right, for a commit that failed may have left its pages.
func (w *wreck) sort(b *Buffer) {
	w.chosen = make(map[*stream]*[local + 1][]fragment)
	for id, left := range w.found {
		s := newStream(id, left.ordinal, left.device, b.sum)
		if left.entry != nil {
			s = left.entry.stream(b.sum)
		}
		w.chosen[s] = new([local + 1][]fragment)
		b.keep(s)
		for i := range local + 1 {
			l := s.lane(i)
			w.chosen[s][i] = choose(left.blocks[i])
			for _, f := range w.chosen[s][i] {
				l.head = max(l.head, f.Last)
			}
			for _, f := range w.chosen[s][i] {
				l.add(block{Range: f.Range, size: int32(f.length)})
			}
		}
	}
	b.sortStreams()
	for i, s := range b.streams {
		s.ordinal = uint32(i) // a start that never got through may have left a stream of the same ordinal
		b.complete(s)
	}
	b.makeRoom(0)
}

// choose cuts fragments so that they do not overlap, in order of number.
func choose(all []fragment) []fragment {
	slices.SortFunc(all, func(f, g fragment) int {
		return cmp.Or(cmp.Compare(g.revision, f.revision), cmp.Compare(f.offset, g.offset))
	})
	var taken holdfast.Ranges
	var out []fragment
	for _, f := range all {
		for _, r := range taken.Missing(f.Range) {
			part := f
			part.Range = r
			out = append(out, part)
		}
		taken.Add(f.Range)
	}
	slices.SortFunc(out, func(f, g fragment) int { return cmp.Compare(f.First, g.First) })
	return out
}
