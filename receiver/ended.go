package receiver

import (
	"holdfast"
	"holdfast/receiver/store"
)

// putEvent does what follows from an event: a boot tells how the stream before ended, an anchor what a boot's clock meant.
func (w *writer) putEvent(s store.Stream, e *holdfast.Event) error {
	switch e.Event {
	case holdfast.EventBoot:
		if boot := readBoot(e); boot.Previous != nil && boot.Previous.Stream != s.ID {
			return w.end(s.Device, boot.Previous)
		}
	case holdfast.EventAnchor:
		return w.AddAnchor(s.Device, e.Time, *readAnchor(e))
	}
	return nil
}

// end notes how the stream before ended. The first word about it counts, and none about the stream of another device.
func (w *writer) end(device string, p *holdfast.Previous) error {
	s, err := w.Stream(p.Stream, device, w.now)
	if err != nil || s.Device != device || s.Ended != "" {
		return err
	}
	ended := store.EndedCrash
	if p.Clean {
		ended = store.EndedClean
	}
	for _, lane := range holdfast.Lanes {
		head, err := w.Raise(s.N, lane, p.Lanes[lane])
		if err != nil {
			return err
		}
		head.Durable = p.Lanes[lane]
		if err := w.SetDurable(s.N, lane, head.Durable); err != nil {
			return err
		}
		if !p.Clean {
			if err := w.crash(s, lane, head); err != nil {
				return err
			}
		}
	}
	return w.End(s.N, ended)
}

// crash states as lost what lies above the last durable number of a crashed stream, up to the highest that anybody spoke of.
func (w *writer) crash(s store.Stream, lane holdfast.Lane, head store.Head) error {
	if head.Head <= head.Durable {
		return nil
	}
	r := holdfast.Range{First: head.Durable + 1, Last: head.Head}
	_, _, err := w.settle(s, lane, r, []store.Interval{{Range: r, State: holdfast.Dropped, Cause: holdfast.CauseCrash}})
	return err
}
