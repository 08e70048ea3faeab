package store

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"holdfast"
)

// Whatever comes, a device has at most so many commands here, and what is settled takes little room.
func TestCommandBounds(t *testing.T) {
	t.Parallel()
	s := open(t, filepath.Join(t.TempDir(), "receiver.db"))
	now := noon
	payload := []byte(`{"v":1,"args":"` + strings.Repeat("x", 10<<10) + `"}`)
	for round := range 5 {
		write(t, s, func(tx *Tx) error {
			for i := range 2 * MaxWaiting {
				c := Command{Device: "pi-7", ID: fmt.Sprintf("%d-%d", round, i), Name: "ping", Payload: payload, Received: now, Expires: now.Add(time.Hour), State: CommandKept}
				if _, err := tx.KeepCommand(c); errors.Is(err, ErrFull) != (i >= MaxWaiting) {
					t.Fatalf("command %d: %v", i, err)
				}
			}
			for i := range MaxWaiting - 2 {
				r := &holdfast.Result{V: 1, ID: fmt.Sprintf("%d-%d", round, i), Name: "ping", State: holdfast.Succeeded}
				if err := tx.AnswerCommand("pi-7", r, now); err != nil {
					return err
				}
			}
			if _, err := tx.WithdrawCommand("pi-7", fmt.Sprintf("%d-%d", round, MaxWaiting-2)); err != nil {
				return err
			}
			return nil
		})
		for at, want := range map[time.Time]int{now: 1, now.Add(time.Hour): 0} {
			if due, err := s.DueCommands(t.Context(), "pi-7", now, at, 10); err != nil || len(due) != want {
				t.Errorf("at %v: %d due, %v", at, len(due), err)
			}
		}
		write(t, s, func(tx *Tx) error { return tx.ExpireCommands(now.Add(time.Hour)) })
	}
	all, err := s.Commands(t.Context(), "pi-7", "", 10000)
	if err != nil || len(all) > MaxSettled+MaxWaiting || all[0].ID != "4-99" || all[0].State != CommandExpired || all[1].State != CommandWithdrawn || all[2].State != "succeeded" {
		t.Fatalf("%d commands, %v", len(all), err)
	}
	for _, c := range all {
		if len(c.Payload) > 0 || c.Waiting || c.State == CommandKept {
			t.Fatalf("%s is %s and holds %d bytes", c.ID, c.State, len(c.Payload))
		}
	}
	if due, err := s.DueCommands(t.Context(), "pi-7", now, now, 10); err != nil || len(due) > 0 {
		t.Errorf("due %v, %v", due, err)
	}
	if awaited, err := s.Awaited(t.Context()); err != nil || len(awaited) > 0 {
		t.Errorf("awaited %v, %v", awaited, err)
	}
}
