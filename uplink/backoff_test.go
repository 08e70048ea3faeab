package uplink

import (
	"testing"
	"time"
)

func TestBackoff(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		rand float64
		want []time.Duration
	}{
		{0, []time.Duration{1, 1, 1, 1, 1, 1, 1, 1}},
		{1, []time.Duration{2, 4, 8, 16, 32, 60, 60, 60}},
	} {
		b := backoff{rand: func() float64 { return c.rand }}
		for i, want := range c.want {
			if got := b.next(); got != want*time.Second {
				t.Errorf("jitter %v, pause %d: %v, want %d s", c.rand, i, got, want)
			}
		}
		b.reset()
		if got := b.next(); got != c.want[0]*time.Second {
			t.Errorf("jitter %v, after reset: %v", c.rand, got)
		}
	}
}
