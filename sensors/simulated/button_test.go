package simulated

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"holdfast/sensors"
)

func TestButton(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		var got []string
		b := NewButton(sensors.Contact{
			Debounce: 30 * time.Millisecond, Long: 2 * time.Second, Double: 400 * time.Millisecond,
			Press: func(press string) { got = append(got, press) },
		})
		b.Press("short") // before it runs: waits
		done := make(chan error, 1)
		go func() { done <- b.Run(ctx) }()
		for _, press := range []string{"long", "double", "short"} {
			time.Sleep(5 * time.Second)
			b.Press(press)
		}
		time.Sleep(time.Second)
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if want := []string{"short", "short", "long", "short", "double", "short"}; !slices.Equal(got, want) {
			t.Errorf("presses %q, want %q", got, want)
		}
		for range 100 { // nobody listens: must not block
			b.Press("short")
		}
	})
}
