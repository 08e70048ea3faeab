package sensors

import (
	"testing"
	"time"
)

func TestSchedule(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	at := func(d time.Duration) time.Time { return start.Add(d) }
	tests := []struct {
		name     string
		n        int64
		now      time.Duration
		skipped  uint64
		wantNext time.Duration
	}{
		{"early", 3, 2500 * time.Millisecond, 0, 3 * time.Second},
		{"on time", 3, 3 * time.Second, 0, 3 * time.Second},
		{"a little late", 3, 3500 * time.Millisecond, 0, 3 * time.Second},
		{"late", 3, 3501 * time.Millisecond, 1, 4 * time.Second},
		{"a whole interval late", 3, 4 * time.Second, 1, 4 * time.Second},
		{"and a little", 3, 4500 * time.Millisecond, 1, 4 * time.Second},
		{"a little more", 3, 4501 * time.Millisecond, 2, 5 * time.Second},
		{"an hour late", 3, time.Hour, 3597, time.Hour},
	}
	for _, test := range tests {
		s := schedule{start: start, interval: time.Second, n: test.n}
		skipped := s.skipLate(at(test.now))
		if skipped != test.skipped || !s.due().Equal(at(test.wantNext)) {
			t.Errorf("%s: skipped %d, next at %v: want %d, %v", test.name, skipped, s.due().Sub(start), test.skipped, test.wantNext)
		}
		if again := s.skipLate(at(test.now)); again != 0 {
			t.Errorf("%s: skips %d more when asked again", test.name, again)
		}
	}
}

// However often one asks, no two samples come closer than half an interval, and the numbers add up.
func TestScheduleNeverBunches(t *testing.T) {
	t.Parallel()
	start := time.Now()
	s := schedule{start: start, interval: 100 * time.Millisecond}
	var last time.Time
	var taken, skipped uint64
	now := start
	for i := range 10000 {
		skipped += s.skipLate(now)
		if due := s.due(); due.After(now) {
			now = due.Add(time.Duration(i%53) * time.Millisecond) // wakes up late, once in a while too late
			continue
		}
		if gap := now.Sub(last); !last.IsZero() && gap < 50*time.Millisecond {
			t.Fatalf("two samples %v apart", gap)
		}
		last = now
		taken++
		s.n++
		now = now.Add(time.Duration(i*37%450) * time.Millisecond) // how long it takes
	}
	if got := uint64(s.n); got != taken+skipped {
		t.Errorf("sample %d is due after %d taken and %d skipped", got, taken, skipped)
	}
	if taken < 1000 || skipped < 1000 {
		t.Errorf("%d taken, %d skipped: the test shows little", taken, skipped)
	}
}
