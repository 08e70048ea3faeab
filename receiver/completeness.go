package receiver

import (
	"context"
	"time"

	"holdfast"
	"holdfast/receiver/store"
)

// Bounds of a completeness list.
const (
	maxStreams = 1000
	maxSpans   = 1000
)

// missing is the state of numbers that the ledger knows nothing of.
const missing = "missing"

// Completeness says of every number of a device what became of it.
type Completeness struct {
	Device  string               `json:"device"`
	Totals  Totals               `json:"totals"`
	Streams []StreamCompleteness `json:"streams" doc:"newest first"`
}

// Totals counts numbers; head is the sum of the others.
type Totals struct {
	Head     uint64 `json:"head" doc:"numbers that are known to exist"`
	Data     uint64 `json:"data" doc:"stored"`
	Thinned  uint64 `json:"thinned" doc:"stored as summaries"`
	Dropped  uint64 `json:"dropped" doc:"lost, with a cause"`
	Rejected uint64 `json:"rejected" doc:"set aside, with a cause"`
	Missing  uint64 `json:"missing" doc:"neither stored nor explained yet"`
}

// StreamCompleteness is the completeness of one stream.
type StreamCompleteness struct {
	Stream    string             `json:"stream"`
	FirstSeen time.Time          `json:"first_seen"`
	Ended     string             `json:"ended" enum:"running,clean,crash,lost" doc:"running until the next stream's boot event tells; lost with its card"`
	Lanes     []LaneCompleteness `json:"lanes"`
}

// LaneCompleteness is the completeness of one lane of a stream.
type LaneCompleteness struct {
	Lane holdfast.Lane `json:"lane" enum:"alert,event,telemetry"`
	Totals
	Ranges    []Span `json:"ranges" doc:"everything that is not plain data, ascending"`
	Truncated bool   `json:"truncated,omitempty" doc:"there are more ranges than listed"`
	Open      *Open  `json:"open,omitempty"`
}

// A Span is a range of numbers of one fate.
type Span struct {
	First uint64         `json:"first"`
	Last  uint64         `json:"last"`
	State string         `json:"state" enum:"missing,thinned,dropped,rejected"`
	Cause holdfast.Cause `json:"cause,omitempty"`
}

// Open says that from First on nothing is known: the daemon died, and what it had not committed by then nobody saw; or the
// card is lost, and with it what it alone held.
type Open struct {
	First uint64         `json:"first"`
	Cause holdfast.Cause `json:"cause"`
}

// add counts a span, and lists it unless it is plain data.
func (c *LaneCompleteness) add(s Span) {
	n := s.Last - s.First + 1
	switch s.State {
	case string(holdfast.Data):
		c.Data += n
		return
	case string(holdfast.Thin):
		c.Thinned += n
	case string(holdfast.Dropped):
		c.Dropped += n
	case string(holdfast.Rejected):
		c.Rejected += n
	default:
		c.Missing += n
	}
	if len(c.Ranges) == maxSpans {
		c.Truncated = true
		return
	}
	c.Ranges = append(c.Ranges, s)
}

// NewTotals counts what is missing beside what the database counted.
func NewTotals(t store.Totals) Totals {
	held := t.Data + t.Thinned + t.Dropped + t.Rejected
	head := max(t.Head, held)
	return Totals{Head: head, Data: t.Data, Thinned: t.Thinned, Dropped: t.Dropped, Rejected: t.Rejected, Missing: head - held}
}

// Complete returns the completeness of a device: of its newest 1,000 streams, with totals over those.
func Complete(ctx context.Context, s *store.Store, device string) (*Completeness, error) {
	streams, err := s.Streams(ctx, device, maxStreams)
	if err != nil {
		return nil, err
	}
	c := &Completeness{Device: device, Streams: []StreamCompleteness{}}
	for _, stream := range streams {
		one, err := completeStream(ctx, s, stream)
		if err != nil {
			return nil, err
		}
		for _, lane := range one.Lanes {
			c.Totals.add(lane.Totals)
		}
		c.Streams = append(c.Streams, *one)
	}
	return c, nil
}

func (t *Totals) add(o Totals) {
	t.Head += o.Head
	t.Data += o.Data
	t.Thinned += o.Thinned
	t.Dropped += o.Dropped
	t.Rejected += o.Rejected
	t.Missing += o.Missing
}

func completeStream(ctx context.Context, s *store.Store, stream store.Stream) (*StreamCompleteness, error) {
	heads, err := s.Heads(ctx, stream.N)
	if err != nil {
		return nil, err
	}
	c := &StreamCompleteness{Stream: stream.ID.String(), FirstSeen: stream.FirstSeen, Ended: stream.Ended, Lanes: []LaneCompleteness{}}
	if c.Ended == "" {
		c.Ended = "running"
	}
	for _, name := range holdfast.Lanes {
		head, ok := heads[name]
		if !ok {
			continue
		}
		held, err := s.Intervals(ctx, stream.N, name)
		if err != nil {
			return nil, err
		}
		lane := account(held, head.Head)
		lane.Lane = name
		switch stream.Ended {
		case store.EndedCrash:
			lane.Open = &Open{First: head.Durable + 1, Cause: holdfast.CauseCrash}
		case store.EndedLost:
			lane.Open = &Open{First: lane.Head + 1, Cause: CauseCardLost}
		}
		c.Lanes = append(c.Lanes, lane)
	}
	return c, nil
}
