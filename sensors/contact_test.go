package sensors

import (
	"cmp"
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

func TestContactDebounces(t *testing.T) {
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
				edges, presses, done := make(chan Edge, 16), 0, make(chan struct{})
				go func() {
					defer close(done)
					Contact{Debounce: test.period, Press: func(string) { presses++ }}.Follow(ctx, edges)
				}()
				begin := time.Now()
				for _, e := range test.edges {
					time.Sleep(e.after)
					edges <- Edge{Closed: e.closed, At: time.Since(begin)}
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

// A press is told when the contact has closed; what it becomes is told when that is known.
func TestContactTellsPressesApart(t *testing.T) {
	t.Parallel()
	const ms = time.Millisecond
	type told struct {
		at    time.Duration // since the first closing
		press string
	}
	for _, test := range []struct {
		name    string
		contact Contact
		moves   []time.Duration // closed, open, closed …
		closed  bool            // what the line says when it is asked
		want    []told
	}{
		{"short", Contact{}, []time.Duration{1900 * ms}, true, []told{{0, "short"}}},
		{"long, told while it is held", Contact{}, []time.Duration{5000 * ms}, true, []told{{0, "short"}, {2000 * ms, "long"}}},
		{"a release that got lost", Contact{}, []time.Duration{5000 * ms}, false, []told{{0, "short"}}},
		{"double", Contact{}, []time.Duration{100 * ms, 100 * ms, 100 * ms}, true, []told{{0, "short"}, {200 * ms, "double"}}},
		{"two that are apart", Contact{}, []time.Duration{100 * ms, 301 * ms, 100 * ms}, true, []told{{0, "short"}, {401 * ms, "short"}}},
		{"three", Contact{}, []time.Duration{100 * ms, 100 * ms, 100 * ms, 100 * ms, 100 * ms}, true,
			[]told{{0, "short"}, {200 * ms, "double"}, {400 * ms, "short"}}},
		{"the second of two held", Contact{}, []time.Duration{100 * ms, 100 * ms, 3000 * ms}, true,
			[]told{{0, "short"}, {200 * ms, "double"}, {2200 * ms, "long"}}},
		{"neither long nor double", Contact{Long: -1, Double: -1}, []time.Duration{100 * ms, 100 * ms, 3000 * ms}, true, []told{{0, "short"}, {200 * ms, "short"}}},
		{"debounced here", Contact{Debounce: 30 * ms}, []time.Duration{100 * ms, 100 * ms, 3000 * ms}, true,
			[]told{{30 * ms, "short"}, {230 * ms, "double"}, {2230 * ms, "long"}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				begin, edges, done := time.Now(), make(chan Edge), make(chan struct{})
				var got []told
				c := test.contact
				c.Long, c.Double = cmp.Or(c.Long, 2000*ms), cmp.Or(c.Double, 400*ms)
				c.Closed = func() bool { return test.closed }
				c.Press = func(press string) { got = append(got, told{time.Since(begin), press}) }
				go func() { defer close(done); c.Follow(ctx, edges) }()
				for i, wait := range test.moves {
					edges <- Edge{Closed: i%2 == 0, At: time.Since(begin)}
					time.Sleep(wait)
				}
				edges <- Edge{At: time.Since(begin)}
				time.Sleep(time.Minute)
				cancel()
				<-done
				if !slices.Equal(got, test.want) {
					t.Errorf("got %v, want %v", got, test.want)
				}
			})
		})
	}
}
