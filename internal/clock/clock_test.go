package clock

import (
	"context"
	"reflect"
	"testing"
	"testing/synctest"
	"time"

	"holdfast"
)

func TestNow(t *testing.T) {
	t.Parallel()
	c := New(AssertSynchronized())
	before := time.Now().Truncate(time.Microsecond)
	first := c.Now()
	second := c.Now()
	after := time.Now()

	if first.Time.Before(before) || second.Time.After(after) || first.Time.Location() != time.UTC {
		t.Errorf("wall times %v, %v: want UTC between %v and %v", first.Time, second.Time, before, after)
	}
	if first.Mono < 0 || second.Mono < first.Mono || second.Mono-first.Mono > after.Sub(before).Microseconds()+1 {
		t.Errorf("mono went from %d to %d in %v", first.Mono, second.Mono, after.Sub(before))
	}
	if first.Boot == "" || first.Boot != second.Boot || first.Boot != c.Boot() {
		t.Errorf("boot ids %q, %q, %q: want one", first.Boot, second.Boot, c.Boot())
	}
	if !first.Synchronized {
		t.Error("an asserted clock says that it is not synchronised")
	}
	clock := holdfast.Clock{Boot: first.Boot, Mono: first.Mono}
	if err := clock.Validate(); err != nil {
		t.Error(err)
	}
}

// In a bubble time.Now is fake and starts at 2000-01-01; wall adds the steps of a clock that is set meanwhile.
func TestWatch(t *testing.T) {
	t.Parallel()
	at := func(d time.Duration) int64 { return d.Microseconds() }
	tests := []struct {
		name         string
		synchronized time.Duration // when the clock gets synchronised
		wall         func(elapsed time.Duration) time.Duration
		want         []int64 // mono of the anchors
	}{
		{"synchronised from the start", 0, func(time.Duration) time.Duration { return 0 }, []int64{0}},
		{"never", time.Hour, func(time.Duration) time.Duration { return 0 }, nil},
		{"later", 25 * time.Second, func(time.Duration) time.Duration { return 0 }, []int64{at(30 * time.Second)}},
		{"step forward", 0, func(d time.Duration) time.Duration {
			if d >= 40*time.Second {
				return 501 * time.Millisecond
			}
			return 0
		}, []int64{0, at(40 * time.Second)}},
		{"step back", 0, func(d time.Duration) time.Duration {
			if d >= 40*time.Second {
				return -time.Hour
			}
			return 0
		}, []int64{0, at(40 * time.Second)}},
		{"small steps", 0, func(d time.Duration) time.Duration {
			if d >= 40*time.Second {
				return 499 * time.Millisecond
			}
			return 0
		}, []int64{0}},
		{"drift adds up", 0, func(d time.Duration) time.Duration { return d / 100 }, []int64{0, at(60 * time.Second)}},
		{"a step while not synchronised", 50 * time.Second, func(d time.Duration) time.Duration {
			if d >= 40*time.Second {
				return time.Hour
			}
			return 0
		}, []int64{at(50 * time.Second)}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), 95*time.Second)
				defer cancel()
				start := time.Now()
				look := func() (holdfast.Instant, time.Duration) {
					elapsed := time.Since(start)
					return holdfast.Instant{
						Time:         time.Now().Add(test.wall(elapsed)),
						Boot:         "b",
						Mono:         elapsed.Microseconds(),
						Synchronized: elapsed >= test.synchronized,
					}, 7 * time.Microsecond
				}
				var got []int64
				err := Watch(ctx, 10*time.Second, look, func(a holdfast.Anchor, at holdfast.Instant) {
					if a.Boot != "b" || a.Mono != at.Mono || a.UncertaintyUS != 7 {
						t.Errorf("anchor %+v at %+v", a, at)
					}
					got = append(got, a.Mono)
				})
				if err != nil {
					t.Errorf("Watch: %v", err)
				}
				if !reflect.DeepEqual(got, test.want) {
					t.Errorf("anchors at %v, want %v", got, test.want)
				}
			})
		})
	}
}
