package receiver

import (
	"holdfast"
	"holdfast/receiver/store"
)

// putStatus stores a device's state, or its last will, which counts for the device's current stream only. What the state
// says about lanes tells how far they reach.
func (w *writer) putStatus(d *delivery) error {
	st := d.status
	if !st.Online {
		counts, err := w.SetOffline(d.device, st.Stream)
		if err == nil && counts {
			w.live = append(w.live, Live{Kind: LiveDevice, Device: d.device, Online: false})
		}
		return err
	}
	if _, err := w.Seen(d.device, w.fresh, !d.Retained, w.now); err != nil {
		return err
	}
	s, err := w.currentStream(d)
	if err != nil {
		return err
	}
	if s != nil {
		if may, err := w.MayBring(d.device, s.Device); err != nil {
			return err
		} else if !may {
			return w.refuseStream(d, *s)
		}
		if err := w.raise(s, st.Lanes, d.Retained); err != nil {
			return err
		}
	}
	for _, older := range st.OlderStreams {
		if s, err = w.putOlder(d, s, older); err != nil {
			return err
		}
	}
	w.live = append(w.live, Live{Kind: LiveDevice, Device: d.device, Online: true})
	return w.SetState(d.device, st.Stream, d.Payload)
}

// currentStream returns the stream that a state speaks of as the current one; nil as long as nobody has heard of a number
// of it. A power cut before its first record is durable leaves a device that knows nothing of it, and never tells its end.
func (w *writer) currentStream(d *delivery) (*store.Stream, error) {
	for lane, l := range d.status.Lanes {
		if speaks(lane, l) {
			s, err := w.Stream(d.status.Stream, d.device, w.now)
			return &s, err
		}
	}
	return w.FindStream(d.status.Stream)
}

// speaks reports whether a state says of a lane that it has numbers.
func speaks(lane holdfast.Lane, l holdfast.LaneStatus) bool {
	return lane.Validate() == nil && l.Head > 0 && l.Head <= holdfast.MaxInteger
}

// putOlder notes how far a stream reaches that lies on the same card as that of card, and is before it; nil stands for
// none that is known. It returns one of that card. A stream that belongs to another device is left alone: its batches become
// the dead letters that tell.
func (w *writer) putOlder(d *delivery, card *store.Stream, older holdfast.StreamStatus) (*store.Stream, error) {
	if older.Stream.IsZero() {
		return card, nil
	}
	o, err := w.streamOf(older.Stream, d.device)
	if err != nil || o == nil {
		return card, err
	}
	if card == nil {
		card = o
	}
	if err := w.SameCard(card.N, o.N); err != nil {
		return card, err
	}
	return card, w.raise(o, older.Lanes, d.Retained)
}

// raise notes how far the lanes of a stream reach. News of it is a sign that its card is there.
func (w *writer) raise(s *store.Stream, lanes map[holdfast.Lane]holdfast.LaneStatus, retained bool) error {
	if !retained {
		if err := w.found(s); err != nil {
			return err
		}
	}
	for lane, l := range lanes {
		if !speaks(lane, l) {
			continue
		}
		head, err := w.Raise(s.N, lane, l.Head)
		if err != nil {
			return err
		}
		if err := w.presume(*s, lane, head); err != nil {
			return err
		}
	}
	return nil
}

// putCatalog stores what a device measures.
func (w *writer) putCatalog(d *delivery) error {
	if _, err := w.Seen(d.device, w.fresh, !d.Retained, w.now); err != nil {
		return err
	}
	online, err := w.SetCatalog(d.device, d.catalog, d.Payload)
	if err == nil {
		w.live = append(w.live, Live{Kind: LiveDevice, Device: d.device, Online: online})
	}
	return err
}
