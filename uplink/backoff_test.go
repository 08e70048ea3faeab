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
		b := Backoff{Rand: func() float64 { return c.rand }}
		for i, want := range c.want {
			if got := b.Next(); got != want*time.Second {
				t.Errorf("jitter %v, pause %d: %v, want %d s", c.rand, i, got, want)
			}
		}
		b.Reset()
		if got := b.Next(); got != c.want[0]*time.Second {
			t.Errorf("jitter %v, after reset: %v", c.rand, got)
		}
	}
}

// A host without a broker is asked soon again, for a while.
func TestBackoffNobodyListens(t *testing.T) {
	t.Parallel()
	b := Backoff{Rand: func() float64 { return 1 }}
	b.Next()
	for i := range shortPauses {
		if got := b.NobodyListened(); got != 1500*time.Millisecond {
			t.Fatalf("pause %d: %v, want 1.5 s", i, got)
		}
	}
	for _, want := range []time.Duration{4, 8, 16} {
		if got := b.NobodyListened(); got != want*time.Second {
			t.Errorf("after %d short pauses: %v, want %d s", shortPauses, got, want)
		}
	}
	b.Reset()
	b.Rand = func() float64 { return 0 }
	if got := b.NobodyListened(); got != 500*time.Millisecond {
		t.Errorf("after reset: %v, want 0.5 s", got)
	}
}
