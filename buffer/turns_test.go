package buffer

import (
	"context"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"holdfast/internal/testenv"
)

// The loop turns once a window, and stands still where a commit does not come back.
func TestTurns(t *testing.T) {
	t.Parallel()
	b, err := Open(Options{
		Path: filepath.Join(t.TempDir(), "buffer.db"), Device: "turns", Window: 5 * time.Millisecond, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- b.Run(ctx) }()
	turn := func(what string) {
		t.Helper()
		before := b.Turns()
		testenv.Poll(t.Context(), t, 10*time.Second, what, func() bool { return b.Turns() > before+2 })
	}
	turn("the loop to turn without anything to do")

	hold, err := b.db.Begin(true) // the next commit waits for this one
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Append(Change{State: map[string][]byte{"key": []byte("value")}}); err != nil {
		t.Fatal(err)
	}
	testenv.Pause(ctx, 100*time.Millisecond)
	before := b.Turns()
	testenv.Pause(ctx, 100*time.Millisecond)
	if after := b.Turns(); after != before {
		t.Errorf("%d turns while a commit hangs", after-before)
	}
	if err := hold.Rollback(); err != nil {
		t.Fatal(err)
	}
	turn("the loop to turn again")
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
