package simulated

import (
	"context"
	"testing"
	"testing/synctest"
)

func TestButton(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		presses := 0
		b := NewButton(func() { presses++ })
		b.Press() // before it runs: waits
		done := make(chan error, 1)
		go func() { done <- b.Run(ctx) }()
		synctest.Wait()
		b.Press()
		b.Press()
		synctest.Wait()
		cancel()
		if err := <-done; err != nil || presses != 3 {
			t.Errorf("Run: %v, %d presses, want 3", err, presses)
		}
		for range 100 { // nobody listens: must not block
			b.Press()
		}
	})
}
