package receiver

import (
	"fmt"

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
	if _, err := w.Seen(d.device, !d.Retained, w.now); err != nil {
		return err
	}
	s, err := w.Stream(st.Stream, d.device, w.now)
	if err != nil {
		return err
	}
	if s.Device != d.device {
		return w.refuse(d.refused(codeForeignStream, fmt.Errorf("stream %s belongs to device %s", s.ID, s.Device)))
	}
	if err := w.raise(s, st.Lanes); err != nil {
		return err
	}
	for _, older := range st.OlderStreams {
		if err := w.putOlder(d.device, older); err != nil {
			return err
		}
	}
	w.live = append(w.live, Live{Kind: LiveDevice, Device: d.device, Online: true})
	return w.SetState(d.device, s.ID, d.Payload)
}

// putOlder notes how far an earlier stream of the device reaches. One that belongs to another device is left alone: its
// batches become the dead letters that tell.
func (w *writer) putOlder(device string, older holdfast.StreamStatus) error {
	if older.Stream.IsZero() {
		return nil
	}
	s, err := w.Stream(older.Stream, device, w.now)
	if err != nil || s.Device != device {
		return err
	}
	return w.raise(s, older.Lanes)
}

func (w *writer) raise(s store.Stream, lanes map[holdfast.Lane]holdfast.LaneStatus) error {
	for lane, l := range lanes {
		if lane.Validate() != nil || l.Head == 0 || l.Head > holdfast.MaxInteger {
			continue
		}
		head, err := w.Raise(s.N, lane, l.Head)
		if err != nil {
			return err
		}
		if s.Ended == store.EndedCrash {
			if err := w.crash(s, lane, head); err != nil {
				return err
			}
		}
	}
	return nil
}

// putCatalog stores what a device measures.
func (w *writer) putCatalog(d *delivery) error {
	if _, err := w.Seen(d.device, !d.Retained, w.now); err != nil {
		return err
	}
	online, err := w.SetCatalog(d.device, d.catalog, d.Payload)
	if err == nil {
		w.live = append(w.live, Live{Kind: LiveDevice, Device: d.device, Online: online})
	}
	return err
}
