package clock

import (
	"context"
	"time"

	"holdfast"
)

// Step is how far wall time must move against monotonic time to count as a step. A clock that is merely slewed or drifts
// stays below it.
const Step = 500 * time.Millisecond

// Watch looks at the clock now and then at every interval. It calls f with an anchor once the clock is synchronised, and
// again whenever wall time has stepped by more than [Step] since the last anchor. f is called from this goroutine; while
// it runs nothing is missed, since steps add up. Watch returns nil when ctx ends.
func (c *Clock) Watch(ctx context.Context, every time.Duration, f func(anchor holdfast.Anchor, at holdfast.Instant)) error {
	return Watch(ctx, every, c.look, f)
}

// Watch is [Clock.Watch] of what look sees: an instant, and how far its wall time may be off against its monotonic time.
func Watch(ctx context.Context, every time.Duration, look func() (holdfast.Instant, time.Duration), f func(holdfast.Anchor, holdfast.Instant)) error {
	var last stepper
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		if at, uncertainty := look(); last.anchors(at) {
			f(holdfast.Anchor{Boot: at.Boot, Mono: at.Mono, UncertaintyUS: uncertainty.Microseconds()}, at)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// A stepper knows how far wall and monotonic time were apart at the last anchor.
type stepper struct {
	anchored bool
	offset   int64 // wall minus monotonic, µs
}

// anchors reports whether at is worth an anchor, and if so takes it as the last one.
func (s *stepper) anchors(at holdfast.Instant) bool {
	if !at.Synchronized {
		return false
	}
	offset := at.Time.UnixMicro() - at.Mono
	moved := time.Duration(offset-s.offset) * time.Microsecond
	if s.anchored && moved.Abs() <= Step {
		return false
	}
	s.anchored, s.offset = true, offset
	return true
}
