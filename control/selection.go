package control

import (
	"cmp"
	"context"
	"encoding/json"
	"time"

	"holdfast"
)

// A Selection names records of one lane that the device still has, owed or not, in one of three ways: the numbers First to
// Last of Stream, the times From to To, or the newest Count. Page is where to go on, as an earlier page told; "" at the
// beginning.
type Selection struct {
	Lane        holdfast.Lane
	Stream      holdfast.Stream // zero unless by number
	First, Last uint64
	From, To    time.Time // zero unless by time
	Count       int       // 0 unless by count
	Page        string
}

// maxCount bounds Selection.Count.
const maxCount = 1_000_000

func sendMeasurements(c *Control, args json.RawMessage) (plan, *holdfast.Fault) {
	var a struct {
		Lane   holdfast.Lane `json:"lane"`
		Stream string        `json:"stream"`
		First  *uint64       `json:"first"`
		Last   *uint64       `json:"last"`
		From   *time.Time    `json:"from"`
		To     *time.Time    `json:"to"`
		Count  *int          `json:"count"`
		Page   string        `json:"page"`
	}
	const want = "stream, first and last; or from and to; or count; with lane and page where needed"
	if fault := decode(args, &a, want); fault != nil {
		return plan{}, fault
	}
	s := Selection{Lane: cmp.Or(a.Lane, holdfast.LaneTelemetry), Page: a.Page}
	if err := s.Lane.Validate(); err != nil && s.Lane != holdfast.LaneLocal {
		return plan{}, invalid("lane: %q: want telemetry, event, alert or local", cut(string(s.Lane), 40))
	}
	if len(s.Page) > 100 {
		return plan{}, invalid("page: %d characters: want what next of the page before says", len(s.Page))
	}
	byNumber, byTime, byCount := a.Stream != "" || a.First != nil || a.Last != nil, a.From != nil || a.To != nil, a.Count != nil
	switch {
	case byNumber && !byTime && !byCount:
		stream, err := holdfast.ParseStream(a.Stream)
		if err != nil || a.First == nil || a.Last == nil || *a.First < 1 || *a.Last < *a.First || *a.Last > holdfast.MaxInteger {
			return plan{}, invalid("want stream (32 hex digits) and 1 ≤ first ≤ last < 2^53")
		}
		s.Stream, s.First, s.Last = stream, *a.First, *a.Last
	case byTime && !byNumber && !byCount:
		if a.From == nil || a.To == nil || a.To.Before(*a.From) {
			return plan{}, invalid("want from and to, two times with from ≤ to")
		}
		s.From, s.To = *a.From, *a.To
	case byCount && !byNumber && !byTime:
		if *a.Count < 1 || *a.Count > maxCount {
			return plan{}, invalid("count: %d: want 1 to %d", *a.Count, maxCount)
		}
		s.Count = *a.Count
	default:
		return plan{}, invalid("want one of: %s", want)
	}
	if c.o.Measurements == nil {
		return plan{}, cannot("this device keeps no measurements")
	}
	return plan{work: func(ctx context.Context) (any, error) { return c.o.Measurements(ctx, s) }}, nil
}
