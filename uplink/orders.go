package uplink

import (
	"context"
	"slices"
	"time"

	"holdfast"
)

// orders is what may be changed while the uplink runs. The slice is replaced, never changed.
type orders struct {
	off      bool          // nothing is forwarded; commands are taken all the same
	held     bool          // no telemetry is forwarded
	interval time.Duration // between two rounds of telemetry; 0: as it comes
	groups   []string      // whose commands this gateway takes
}

// SetEnabled says whether anything is forwarded. While it is not, the buffer keeps everything, and the link stays up for
// commands, state and shadow.
func (u *Uplink) SetEnabled(on bool) { u.order(func(o *orders) { o.off = !on }) }

// SetHeld says whether telemetry waits in the queue. Alerts and events are forwarded all the same.
func (u *Uplink) SetHeld(held bool) { u.order(func(o *orders) { o.held = held }) }

// SetInterval makes telemetry travel in rounds: each begins so long after the one before and sends what there is; 0 sends
// it as it comes. Alerts and events do not wait.
func (u *Uplink) SetInterval(d time.Duration) { u.order(func(o *orders) { o.interval = d }) }

// SetGroups says whose commands this gateway takes beside its own.
func (u *Uplink) SetGroups(groups []string) {
	groups = slices.Clone(groups)
	u.order(func(o *orders) { o.groups = groups })
}

func (u *Uplink) order(change func(*orders)) {
	u.mu.Lock()
	change(&u.orders)
	u.mu.Unlock()
	signal(u.ordered)
}

func (u *Uplink) ordersNow() orders {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.orders
}

// Hurry ends what the uplink waits for: the pause before it connects again, the receiver's hold, the round of telemetry.
func (u *Uplink) Hurry() { signal(u.hurry) }

// signal leaves a note on a channel of cap 1, unless one lies there.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// hurried does in a session what [Uplink.Hurry] asks for.
func (s *session) hurried() {
	s.u.round.due = time.Time{}
	if !s.held.IsZero() {
		s.held = time.Time{}
		s.restart()
	}
}

// heed brings the session in line with the orders.
func (s *session) heed(ctx context.Context) error {
	before, topic := s.orders.groups, s.u.o.Topics.Group
	s.orders = s.u.ordersNow()
	s.withdraw()
	if s.orders.interval == 0 {
		s.u.round = round{}
	}
	for _, group := range s.orders.groups {
		if slices.Contains(before, group) {
			continue
		}
		denied, err := s.listen(ctx, topic(group))
		if err != nil {
			return err
		}
		s.u.report(func(st *Status) { st.Denied = append(st.Denied, denied...) })
	}
	for _, group := range before {
		if slices.Contains(s.orders.groups, group) {
			continue
		}
		if err := s.conn.Unsubscribe(ctx, topic(group)); err != nil {
			return err
		}
		s.u.report(func(st *Status) {
			st.Denied = slices.DeleteFunc(st.Denied, func(t string) bool { return t == topic(group) })
		})
	}
	return nil
}

// withdraw gives up waiting for answers about what is to wait here: it is sent again afterwards, unless they come.
func (s *session) withdraw() {
	for i := range s.lanes {
		if s.holds(i) {
			s.lanes[i].forget()
		}
	}
}

// holds reports whether what is in the lane waits here, by order.
func (s *session) holds(lane int) bool {
	return s.orders.held && holdfast.Lanes[lane] == holdfast.LaneTelemetry
}

// A round is one time at which telemetry is sent, where it is sent in rounds.
type round struct {
	over bool      // it has sent everything, and the next begins at due
	due  time.Time // zero: at once
}

// open reports whether the lane may send now.
func (s *session) open(lane int, now time.Time) bool {
	if s.holds(lane) {
		return false
	}
	r := &s.u.round
	if s.orders.interval == 0 || holdfast.Lanes[lane] != holdfast.LaneTelemetry || !r.over {
		return true
	}
	if r.due.After(now) {
		return false
	}
	*r = round{}
	return true
}

// sentAll notes that the lane has nothing more to send.
func (s *session) sentAll(lane int, now time.Time) {
	r := &s.u.round
	if s.orders.interval == 0 || holdfast.Lanes[lane] != holdfast.LaneTelemetry || r.over {
		return
	}
	r.over, r.due = true, now.Add(s.orders.interval)
}
