package receiver

import (
	"holdfast"
	"holdfast/receiver/store"
)

// CauseCardLost is the cause of numbers that went with a card: the device has a new one, which knows nothing of them.
const CauseCardLost holdfast.Cause = "card_lost"

// putEvent does what follows from an event: a boot tells how the stream before ended, an anchor what a boot's clock meant.
func (w *writer) putEvent(s store.Stream, e *holdfast.Event) error {
	switch e.Event {
	case holdfast.EventBoot:
		return w.putBoot(s, readBoot(e))
	case holdfast.EventAnchor:
		return w.AddAnchor(s.Device, e.Time, *readAnchor(e))
	}
	return nil
}

// putBoot notes how the stream before s ended. Where there is none before s on its card, the card is new: what the device
// had on another one is lost.
func (w *writer) putBoot(s store.Stream, boot *holdfast.Boot) error {
	switch {
	case boot.Previous == nil:
		return w.loseOtherCards(s)
	case boot.Previous.Stream == s.ID:
		return nil
	}
	return w.end(s, boot.Previous)
}

// end notes how the stream before s ended. The first word about it counts, and none about the stream of another device.
func (w *writer) end(s store.Stream, p *holdfast.Previous) error {
	previous, err := w.streamOf(p.Stream, s.Device)
	if err != nil || previous == nil {
		return err
	}
	if err := w.SameCard(s.N, previous.N); err != nil {
		return err
	}
	if err := w.found(previous); err != nil || previous.Ended != "" {
		return err
	}
	previous.Ended = store.EndedCrash
	if p.Clean {
		previous.Ended = store.EndedClean
	}
	for _, lane := range holdfast.Lanes {
		head, err := w.Raise(previous.N, lane, p.Lanes[lane])
		if err != nil {
			return err
		}
		head.Durable = p.Lanes[lane]
		if err := w.SetDurable(previous.N, lane, head.Durable); err != nil {
			return err
		}
		if err := w.presume(*previous, lane, head); err != nil {
			return err
		}
	}
	return w.End(previous.N, previous.Ended)
}

// presume states as lost what nobody will bring any more of a lane of a stream that has ended: after a crash what lies
// above its last durable number, after the loss of its card all that is not here; up to the highest number that anybody
// spoke of.
func (w *writer) presume(s store.Stream, lane holdfast.Lane, head store.Head) error {
	r, cause := holdfast.Range{First: 1, Last: head.Head}, CauseCardLost
	switch s.Ended {
	case store.EndedCrash:
		r.First, cause = head.Durable+1, holdfast.CauseCrash
	case store.EndedLost:
	default:
		return nil
	}
	if r.Last < r.First {
		return nil
	}
	_, _, err := w.settle(s, lane, r, []store.Interval{{Range: r, State: holdfast.Dropped, Cause: cause}})
	return err
}

// loseOtherCards states as lost what the device had on cards before that of s.
func (w *writer) loseOtherCards(s store.Stream) error {
	lost, err := w.OtherCards(s)
	if err != nil {
		return err
	}
	for _, other := range lost {
		other.Ended = store.EndedLost
		lanes, err := w.Lanes(other.N)
		if err != nil {
			return err
		}
		for lane, head := range lanes {
			if err := w.presume(other, lane, head); err != nil {
				return err
			}
		}
		if err := w.End(other.N, store.EndedLost); err != nil {
			return err
		}
	}
	return nil
}

// found takes back that the card of s is lost, for somebody speaks of s who has it.
func (w *writer) found(s *store.Stream) error {
	if s.Ended != store.EndedLost {
		return nil
	}
	s.Ended = ""
	if err := w.Forget(s.N, CauseCardLost); err != nil {
		return err
	}
	return w.End(s.N, "")
}
