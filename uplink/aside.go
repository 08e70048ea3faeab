package uplink

import (
	"strings"
	"time"

	"holdfast"
)

// maxAside bounds how many streams are set aside at a time.
const maxAside = 4096

// setAside stops sending one stream for as long as the receiver says: it takes this device for another than the one that
// the stream is bound to. Everything is kept, and the other streams go on.
func (s *session) setAside(r *holdfast.Receipt) {
	_, known := s.aside[r.Stream]
	if !known && len(s.aside) >= maxAside {
		return
	}
	s.aside[r.Stream] = time.Now().Add(retryAfter(r))
	for i := range s.lanes {
		s.lanes[i].drop(r.Stream)
	}
	if !known {
		s.u.o.Log.Warn("receiver takes nothing of a stream", "stream", r.Stream, "reason", strings.ToValidUTF8(r.Reason[:min(len(r.Reason), 200)], ""))
	}
	s.reportAside()
}

// passes reports whether the lane has nothing to send of the stream now: it is set aside, or one batch of it is on its way
// to see whether it still is.
func (s *session) passes(w *window, stream holdfast.Stream, now time.Time) bool {
	until, aside := s.aside[stream]
	return aside && (now.Before(until) || w.flies(stream))
}

// retryAside lets streams be tried again whose time has come.
func (s *session) retryAside(now time.Time) {
	for stream, until := range s.aside {
		if !until.IsZero() && !until.After(now) {
			s.aside[stream] = time.Time{} // until the next answer
			s.rewind()
		}
	}
}

// asideUntil returns when the next stream may be tried again; zero for never.
func (s *session) asideUntil() (at time.Time) {
	for _, until := range s.aside {
		if !until.IsZero() && (at.IsZero() || until.Before(at)) {
			at = until
		}
	}
	return at
}

// takeUp goes on with a stream of which the receiver has taken something.
func (s *session) takeUp(stream holdfast.Stream) {
	if _, aside := s.aside[stream]; !aside {
		return
	}
	delete(s.aside, stream)
	s.rewind()
	s.reportAside()
	s.u.o.Log.Info("receiver takes the stream again", "stream", stream)
}

func (s *session) rewind() {
	for i := range s.lanes {
		s.lanes[i].rewind()
	}
}

func (s *session) reportAside() {
	n := len(s.aside)
	s.u.report(func(st *Status) { st.Aside = n })
}
