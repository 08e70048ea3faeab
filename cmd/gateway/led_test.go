package main

import (
	"testing"
	"testing/synctest"
	"time"

	"holdfast"
)

func TestLamp(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		facts lampFacts
		want  lamp
	}{
		{lampFacts{}, lampStarting},
		{lampFacts{identify: true}, lampIdentify},
		{lampFacts{open: true, measuring: true}, lampRunning},
		{lampFacts{open: true, measuring: true, offline: true}, lampOffline},
		{lampFacts{open: true, offline: true}, lampPaused},
		{lampFacts{open: true, safe: true, offline: true}, lampSafe},
		{lampFacts{open: true, safe: true, fault: true}, lampFault},
		{lampFacts{open: true, measuring: true, fault: true, offline: true}, lampFault},
		{lampFacts{open: true, identify: true, fault: true}, lampIdentify},
	} {
		if got := test.facts.lamp(); got != test.want {
			t.Errorf("%+v: %s, want %s", test.facts, got, test.want)
		}
	}
}

// No two patterns can be taken for each other: each has its own number of flashes in two seconds.
func TestLampPatterns(t *testing.T) {
	t.Parallel()
	seen := map[int]lamp{}
	for _, l := range []lamp{lampStarting, lampRunning, lampPaused, lampOffline, lampFault, lampSafe, lampIdentify} {
		var round, dark time.Duration
		for i, step := range l.pattern() {
			if step <= 0 {
				t.Errorf("%s: step %d takes %v", l, i, step)
			}
			round += step
			if i%2 == 1 {
				dark = max(dark, step)
			}
		}
		changes := len(l.pattern()) / 2 * int(2*time.Second/round) // flashes in two seconds
		key := changes*100 + int(dark/(100*time.Millisecond))
		if other, taken := seen[key]; taken {
			t.Errorf("%s looks like %s", l, other)
		}
		seen[key] = l
	}
}

// The LED follows what the gateway does, and is off at the end.
func TestLED(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t)
		_, quit := b.startReceiver()
		b.lines, b.config = nil, ""
		stop := outputsOf(b)
		g := b.running.Load()
		follows := func(want lamp) {
			t.Helper()
			time.Sleep(200 * time.Millisecond) // it is looked at each 100 ms
			if shows, _ := g.led.state(); shows != want {
				t.Errorf("LED shows %s, want %s", shows, want)
			}
		}
		flashes := func() (n int) {
			before, _ := b.lines.get()["led"].State()
			for range 2000 {
				time.Sleep(time.Millisecond)
				on, _ := b.lines.get()["led"].State()
				if on && !before {
					n++
				}
				before = on
			}
			return n
		}
		follows(lampRunning)
		if r := b.command("identify", `{"seconds":5}`); r.State != holdfast.Succeeded {
			t.Errorf("identify: %+v", r)
		}
		follows(lampIdentify)
		time.Sleep(5 * time.Second)
		follows(lampRunning)
		press := func(kind string) {
			if err := g.carryOut(t.Context(), pressOf(kind)); err != nil {
				t.Error(err)
			}
		}
		press("short")
		follows(lampPaused)
		if n := flashes(); n != 1 {
			t.Errorf("paused: %d flashes in 2 s, want 1", n)
		}
		press("long")
		follows(lampSafe)
		if n := flashes(); n != 3 {
			t.Errorf("safe: %d flashes in 2 s, want 3", n)
		}
		press("short")
		follows(lampRunning)
		quit()
		stop()
		if on, closed := b.lines.get()["led"].State(); on || !closed {
			t.Errorf("LED after the end: on %v, given back %v", on, closed)
		}
	})
}
