package uplink

import (
	"context"
	"time"

	"holdfast"
	"holdfast/mqtt"
)

// A Target is a broker, and whom to obey there.
type Target struct {
	Broker mqtt.Options    // this, Pin and First as in [Options]
	Pin    holdfast.Stream //
	First  holdfast.Stream //
	Bound  Binding         // what to begin with; where it is not the one that is kept, it becomes that

	// Unproven keeps a target from changing anything that lasts until it has freed a record: it binds this process only, has
	// nothing offered again, and no record is set aside because its link died.
	Unproven bool

	Bind func(context.Context, Binding) error // as in Options; nil for that one

	// Freed is called, by the goroutine of the session, for what this target frees. It must not block. May be nil.
	Freed func(stream holdfast.Stream, lane holdfast.Lane, ranges holdfast.Ranges)
}

// Retarget takes leave of the broker of now, and goes on with another at once. Nothing that waits is lost.
func (u *Uplink) Retarget(t Target) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.next = &t
	if u.leave != nil {
		u.leave()
	}
}

// adopt takes over the target that is to be gone on with, and returns the context of sessions with it.
func (u *Uplink) adopt(ctx context.Context) (here context.Context, leave func()) {
	u.mu.Lock()
	t := u.next
	u.next = nil
	here, leave = context.WithCancel(ctx)
	u.leave = leave
	u.mu.Unlock()
	if t == nil {
		return here, leave
	}
	u.o.Broker, u.o.First = t.Broker, t.First
	if t.Bind != nil {
		u.o.Bind = t.Bind
	}
	u.unproven, u.freedBy = t.Unproven, t.Freed
	u.receivers = receivers{pin: t.Pin, bound: t.Bound}
	u.poison, u.hold = poison{}, ""
	u.report(func(s *Status) { s.Broker, s.Error, s.Hold, s.Since = t.Broker.Broker, "", "", time.Time{} })
	u.reportReceivers()
	return here, leave
}

// proven makes the binding last once its store is known to hold something, before anything is freed on its word. It reports
// whether that may be done now.
func (s *session) proven(ctx context.Context) bool {
	if !s.u.unproven {
		return true
	}
	other := s.u.receivers.bound.Store != s.u.durable.Store
	s.u.unproven = false
	if !s.bind(ctx, s.u.receivers.bound) {
		s.u.unproven = true
		return false
	}
	if other {
		s.rewind()
	}
	return true
}
