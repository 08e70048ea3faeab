package uplink

import (
	"maps"
	"slices"
	"time"

	"holdfast"
)

// Status is what there is to know of the link. Counters are of this start.
type Status struct {
	Up     bool
	Losses uint64    // times that Up has ended, but for the good-bye at the end
	Since  time.Time // of Up, or of its loss; zero before the first connection
	Broker string
	Error  string   // why the link is down; empty while it is up
	Denied []string // command topics that the broker does not let this gateway read

	Mode     holdfast.AckMode
	Store    holdfast.Stream   // bound to; zero where none
	Instance string            // of the receiver that announced it
	Online   bool              // whether a receiver of that store is there
	Others   []holdfast.Stream // stores that are not obeyed, and spoke all the same
	Hold     string            // the receiver's reason for taking nothing; empty where there is none
	Aside    int               // streams of which the receiver takes nothing, for they belong to another device

	Inflight    int       // batches on their way
	Sent        uint64    // records published for the first time
	Resent      uint64    // records published again
	Receipted   uint64    // records that were answered for, by receipt or in puback mode by the broker
	Rejected    uint64    // of these, set aside by the receiver
	Poisoned    uint64    // records set aside because the link does not carry them
	Dropped     uint64    // responses lost for want of room
	Overflown   uint64    // commands that found too many waiting
	LastReceipt time.Time // zero before the first
	Records     uint64    // bytes of JSON of the telemetry in Sent and Resent
	Wire        uint64    // bytes of the batches that carried it
	QueueError  string    // why the queue cannot be read; empty where it can
}

// Status returns a copy of the link's state.
func (u *Uplink) Status() Status {
	u.mu.Lock()
	defer u.mu.Unlock()
	s := u.status
	s.Denied, s.Others = slices.Clone(s.Denied), slices.Clone(s.Others)
	return s
}

// report changes the state that Status returns.
func (u *Uplink) report(change func(*Status)) {
	u.mu.Lock()
	defer u.mu.Unlock()
	change(&u.status)
}

// reportReceivers tells whom the gateway obeys and whom it does not.
func (u *Uplink) reportReceivers() {
	r := &u.receivers
	others := slices.SortedFunc(maps.Keys(r.others), func(a, b holdfast.Stream) int { return slices.Compare(a[:], b[:]) })
	u.report(func(s *Status) {
		s.Store, s.Instance, s.Online, s.Others = r.bound.Store, r.bound.Instance, r.online(), others
	})
}

// up notes that a session stands.
func (u *Uplink) up(denied []string) {
	now := u.o.Now().Time
	u.report(func(s *Status) { s.Up, s.Since, s.Error, s.Denied = true, now, "", denied })
	u.o.Log.Info("link up", "broker", u.o.Broker.Broker)
	if u.o.Link != nil {
		u.o.Link("up", nil)
	}
}

// down notes that there is no session, for the reason err; nil at the end of Run.
func (u *Uplink) down(err error) {
	now := u.o.Now().Time
	var text string
	if err != nil {
		text = err.Error()
	}
	var changed bool
	u.report(func(s *Status) {
		changed = s.Up || s.Error == "" && text != ""
		if changed {
			s.Since = now
		}
		if s.Up && err != nil {
			s.Losses++
		}
		s.Up, s.Error, s.Inflight, s.Online = false, text, 0, false
	})
	if !changed {
		u.o.Log.Debug("link still down", "err", err)
		return
	}
	if err == nil { // this gateway said good-bye
		u.o.Log.Info("link closed", "broker", u.o.Broker.Broker)
	} else {
		u.o.Log.Warn("link down", "broker", u.o.Broker.Broker, "err", err)
	}
	if u.o.Link != nil {
		u.o.Link("down", err)
	}
}
