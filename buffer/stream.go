package buffer

import (
	"encoding/json"
	"fmt"

	"holdfast"
)

// A stream is one start of the gateway: three lanes, the local one, and whether it ended well.
type stream struct {
	id      holdfast.Stream
	ordinal uint32 // the order of streams in the file
	device  string // whose numbers these are
	clean   bool   // ended by Run's own end: the heads are final
	lanes   [len(laneNames)]*lane
	local   *lane
	dirty   bool // the entry in the file is older than what memory knows
}

func newStream(id holdfast.Stream, ordinal uint32, device string, sum *sums) *stream {
	s := &stream{id: id, ordinal: ordinal, device: device, local: newLocal(sum)}
	for i := range s.lanes {
		s.lanes[i] = &lane{sum: sum}
	}
	return s
}

// owed is how many numbers of all lanes are not done.
func (s *stream) owed() uint64 {
	var n uint64
	for _, l := range s.lanes {
		n += l.owed()
	}
	return n
}

// idle reports whether the stream owes nothing and holds nothing: it is but a memory.
func (s *stream) idle() bool {
	for _, l := range s.lanes {
		if l.owed() > 0 || len(l.blocks) > 0 {
			return false
		}
	}
	return len(s.local.blocks) == 0
}

// unborn reports whether the stream has no number, and nothing that was withheld.
func (s *stream) unborn() bool {
	for _, l := range s.lanes {
		if l.head > 0 {
			return false
		}
	}
	return len(s.local.blocks) == 0
}

func (s *stream) heads() map[holdfast.Lane]uint64 {
	out := make(map[holdfast.Lane]uint64, len(laneNames))
	for i, name := range laneNames {
		out[name] = s.lanes[i].head
	}
	return out
}

// An entry is what the file keeps of a stream beside its blocks. A lane's head here may be older than its last block.
type entry struct {
	Ordinal uint32                      `json:"ordinal"`
	Stream  holdfast.Stream             `json:"stream"`
	Device  string                      `json:"device"`
	Clean   bool                        `json:"clean,omitempty"`
	Lanes   map[holdfast.Lane]laneEntry `json:"lanes"`
}

type laneEntry struct {
	Head uint64          `json:"head"`
	Done holdfast.Ranges `json:"done,omitempty"`
	Lost []loss          `json:"lost,omitempty"`
}

// encode writes the stream's entry as it is to be in the file, with the heads that the commit makes.
func (s *stream) encode(revision uint64, heads [len(laneNames)]uint64) []byte {
	e := entry{Ordinal: s.ordinal, Stream: s.id, Device: s.device, Clean: s.clean, Lanes: make(map[holdfast.Lane]laneEntry)}
	for i, name := range laneNames {
		e.Lanes[name] = laneEntry{Head: heads[i], Done: s.lanes[i].done, Lost: s.lanes[i].lost}
	}
	value, err := json.Marshal(e)
	if err != nil {
		panic(fmt.Sprintf("buffer: entry of stream %s has no JSON: %v", s.id, err)) // numbers and names only
	}
	c := cell{revision: revision, kind: cellStream, key: string(s.id[:]), value: value}
	return c.encode()
}

// decodeEntry reads a stream's entry back.
func decodeEntry(data []byte) (*entry, uint64, error) {
	c, err := decodeCell(data)
	if err != nil {
		return nil, 0, err
	}
	e, err := c.entry()
	return e, c.revision, err
}

func (c *cell) entry() (*entry, error) {
	var e entry
	if c.kind != cellStream {
		return nil, fmt.Errorf("%w: not a stream's", errCell)
	}
	if err := json.Unmarshal(c.value, &e); err != nil {
		return nil, fmt.Errorf("%w: %w", errCell, err)
	}
	if e.Stream.IsZero() || holdfast.CheckDevice(e.Device) != nil {
		return nil, fmt.Errorf("%w: no stream of a device", errCell)
	}
	for name, l := range e.Lanes {
		if err := e.check(name, l); err != nil {
			return nil, fmt.Errorf("%w: lane %q: %w", errCell, name, err)
		}
	}
	return &e, nil
}

// check returns an error unless the sets lie within the numbers that exist, and what is lost can be stated in a batch.
func (e *entry) check(name holdfast.Lane, l laneEntry) error {
	if l.Head > holdfast.MaxInteger {
		return fmt.Errorf("head %d", l.Head)
	}
	said := append([]loss{{What: holdfast.Dropped, Cause: holdfast.CauseFull, Ranges: l.Done}}, l.Lost...) // done: any statement
	for _, o := range said {
		for _, r := range o.Ranges {
			b := holdfast.Batch{
				V: holdfast.Version, Device: e.Device, Stream: e.Stream, Lane: name,
				First: r.First, Last: r.Last, Head: l.Head, What: o.What, Cause: o.Cause,
			}
			if err := b.Validate(); err != nil {
				return fmt.Errorf("%s %s: %w", o.What, o.Cause, err)
			}
		}
	}
	return name.Validate()
}

// stream makes the stream of an entry, without its blocks.
func (e *entry) stream(sum *sums) *stream {
	s := newStream(e.Stream, e.Ordinal, e.Device, sum)
	s.clean = e.Clean
	for i, name := range laneNames {
		l := e.Lanes[name]
		s.lanes[i].head, s.lanes[i].done, s.lanes[i].lost = l.Head, l.Done.Normal(), l.Lost
		for j := range l.Lost {
			l.Lost[j].Ranges = l.Lost[j].Ranges.Normal()
		}
	}
	return s
}
