package receiver

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"

	"holdfast/receiver/store"
)

// What becomes of a device that nobody registered, and of one that somebody did.
func TestNewDevices(t *testing.T) {
	t.Parallel()
	for rule, want := range map[NewDevices]struct {
		reason  string // of the hold; "" for a receipt or silence
		stored  int
		answers int
	}{
		TakeNew: {"", 5, 1}, HoldNew: {store.StatusPending, 0, 1}, RefuseNew: {"", 0, 0},
	} {
		bubble(t, func(t *testing.T, r *rig) {
			r.receiver.New = rule
			got := r.send(readings(streamA, 1, 5))
			if len(got) != want.answers || want.reason != "" && (!got[0].Hold || got[0].Reason != want.reason || got[0].RetryS != 60) {
				t.Errorf("%s: receipts %s", rule, text(got))
			}
			r.expectValues(want.stored)
			devices, err := r.store.Devices(t.Context(), "", 10)
			if err != nil || (len(devices) == 0) != (rule == RefuseNew) {
				t.Errorf("%s: devices %+v, %v", rule, devices, err)
			}
			if letters := r.letters(); len(letters) > 0 {
				t.Errorf("%s: dead letters %+v", rule, letters)
			}
			// An operator's word, given by another process, counts from the next batch on.
			err = r.store.Write(t.Context(), func(tx *store.Tx) error {
				if rule == RefuseNew {
					return tx.AddDevice(store.Device{ID: device, Status: store.StatusActive}, "hash")
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			if err := SetStatus(t.Context(), r.store, device, store.StatusActive); err != nil {
				t.Fatal(err)
			}
			if got := r.send(readings(streamA, 1, 5)); len(got) != 1 || got[0].Hold {
				t.Errorf("%s: after the approval: receipts %s", rule, text(got))
			}
			r.expectValues(5)
		})
	}
	if _, err := New(Options{Instance: "one", New: "maybe"}); err == nil || !strings.Contains(err.Error(), "active, pending or refuse") {
		t.Errorf("a rule that is none: %v", err)
	}
}

// The log tells of each device once in a while, with the command that admits it.
func TestNewcomersAreTold(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	var n newcomers
	for i := range 20 {
		n.tell(slog.New(slog.NewTextHandler(&log, nil)), HoldNew, []string{"pi-7", "pi-8"}, time.Unix(int64(i)*60, 0))
	}
	if got := strings.Count(log.String(), `"receiver device activate pi-7"`); got != 2 {
		t.Errorf("told %d times in 20 minutes, want 2:\n%s", got, &log)
	}
}
