package receiver

import (
	"fmt"
	"log/slog"
	"time"

	"holdfast"
	"holdfast/receiver/store"
)

// NewDevices says what becomes of a device that is heard and that nobody registered. On the embedded broker there is none:
// whoever is not registered cannot log in. On an operator's broker it is that broker's logins that let devices in.
type NewDevices string

const (
	TakeNew   NewDevices = "active"  // its data is taken at once
	HoldNew   NewDevices = "pending" // it is registered and told to keep its data, until an operator says that it is active
	RefuseNew NewDevices = "refuse"  // it gets no answer and leaves no trace but a line in the log
)

// Validate returns an error unless n is one of those.
func (n NewDevices) Validate() error {
	switch n {
	case TakeNew, HoldNew, RefuseNew:
		return nil
	}
	return fmt.Errorf("new devices %q: want active, pending or refuse", string(n))
}

// status is what a new device is registered with.
func (n NewDevices) status() string {
	if n == HoldNew {
		return store.StatusPending
	}
	return store.StatusActive
}

func (r *Receiver) writer(tx *store.Tx) *writer {
	return &writer{
		Tx: tx, now: r.Now(), fresh: r.New.status(), closed: r.New == RefuseNew,
		outcome: outcome{stored: make(map[holdfast.What]uint64)},
	}
}

// stranger reports whether a delivery comes from a device that is not to be answered.
func (w *writer) stranger(d *delivery) (bool, error) {
	if !w.closed || d.device == "" {
		return false, nil
	}
	known, err := w.Known(d.device)
	if err != nil || known {
		return false, err
	}
	w.newcomers = append(w.newcomers, d.device)
	return true, nil
}

// Bounds of what the log says about newcomers.
const (
	tellAgain    = 10 * time.Minute // about one device
	maxNewcomers = 1000             // that are remembered
)

// newcomers remembers of which devices the log has told lately. It belongs to the goroutine that commits.
type newcomers map[string]time.Time

// tell logs who waits for an operator's word, and what that word would be.
func (n *newcomers) tell(log *slog.Logger, rule NewDevices, devices []string, now time.Time) {
	for _, device := range devices {
		if last, ok := (*n)[device]; ok && now.Sub(last) < tellAgain {
			continue
		}
		if *n == nil || len(*n) >= maxNewcomers {
			*n = make(newcomers)
		}
		(*n)[device] = now
		if rule == RefuseNew {
			log.Warn("device is not registered and gets no answer", "device", device, "to admit it", "receiver device add "+device)
			continue
		}
		log.Warn("device waits for approval and keeps its data meanwhile", "device", device, "to approve it", "receiver device activate "+device)
	}
}
