package sensors

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

func TestDebouncer(t *testing.T) {
	t.Parallel()
	const period = 30 * time.Millisecond
	type edge struct {
		after  time.Duration // the one before
		closed bool
	}
	bounce := func(n int, every time.Duration, end bool) (edges []edge) {
		level := end
		if n%2 == 0 {
			level = !end
		}
		for range n {
			edges = append(edges, edge{every, level})
			level = !level
		}
		return edges
	}
	join := func(parts ...[]edge) (all []edge) {
		for _, p := range parts {
			all = append(all, p...)
		}
		return all
	}
	press := []edge{{time.Second, true}, {time.Second, false}}
	tests := []struct {
		name   string
		period time.Duration
		edges  []edge
		want   int
	}{
		{"a clean press", period, press, 1},
		{"three", period, join(press, press, press), 3},
		{"seven edges 4 ms apart", period, bounce(7, 4*time.Millisecond, true), 1},
		{"bouncing at both ends", period, join(bounce(9, 2*time.Millisecond, true), []edge{{time.Second, true}}, bounce(7, 2*time.Millisecond, false)), 1},
		{"a spike", period, []edge{{time.Second, true}, {29 * time.Millisecond, false}}, 0},
		{"just long enough", period, []edge{{time.Second, true}, {31 * time.Millisecond, false}}, 1},
		{"a gap that is too short", period, []edge{{time.Second, true}, {time.Second, false}, {10 * time.Millisecond, true}, {time.Second, false}}, 1},
		{"held from the start", period, []edge{{time.Second, false}, {time.Second, true}}, 1},
		{"debounced by the kernel", 0, join(press, press), 2},
		{"by the kernel, which lost a release", 0, []edge{{time.Second, true}, {time.Second, true}}, 2},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				closed, presses, done := make(chan bool, 16), 0, make(chan struct{})
				go func() {
					defer close(done)
					debouncer{test.period, func() { presses++ }}.run(ctx, closed)
				}()
				for _, e := range test.edges {
					time.Sleep(e.after)
					closed <- e.closed
				}
				time.Sleep(time.Second)
				cancel()
				<-done
				if presses != test.want {
					t.Errorf("%d presses, want %d", presses, test.want)
				}
			})
		})
	}
}
