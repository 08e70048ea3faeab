package main

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"holdfast"
	"holdfast/buffer"
	"holdfast/sensors"
	"holdfast/sensors/simulated"
)

// A watched is a gateway under its watchdog.
type watched struct {
	*gateway
	pi    *simulated.Pi
	stop  func()
	ended chan error
}

// watch starts one in a bubble, without a broker; variables are its configuration, change is made to its world.
func watch(t *testing.T, folder string, config []string, change func(*world)) *watched {
	t.Helper()
	cfg, err := loadConfig("", variables(append([]string{"DATA_DIR", folder, "HTTP_LISTEN", "off", "DEVICE_ID", "dog"}, config...)...))
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	w := world{
		log: slog.New(slog.DiscardHandler),
		now: func() holdfast.Instant {
			return holdfast.Instant{Time: holdfast.Micro(time.Now()), Boot: "bubble", Mono: time.Now().UnixMicro(), Synchronized: true}
		},
		sensorChanges: make(chan holdfast.SensorChange, changes),
		presses:       make(chan holdfast.Origin),
	}
	pi := simulated.New(simulated.Options{Start: start})
	w.source = samplerOf(&w, cfg, pi.Buses())
	assembled := make(chan *gateway, 1)
	w.assembled = func(g *gateway) { assembled <- g }
	if change != nil {
		change(&w)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	d := &watched{pi: pi, stop: cancel, ended: make(chan error, 1)}
	go func() { d.ended <- guarded(ctx, cfg, w) }()
	d.gateway = <-assembled
	return d
}

// end ends a gateway that is well.
func (d *watched) end(t *testing.T) {
	t.Helper()
	d.stop()
	if err := <-d.ended; err != nil {
		t.Errorf("the end: %v", err)
	}
}

// well expects that the gateway goes on for an hour, without having anything to complain of.
func (d *watched) well(t *testing.T, when string) {
	t.Helper()
	for range 60 {
		time.Sleep(time.Minute)
		if err := d.health(); err != nil {
			t.Errorf("%s: %v", when, err)
		}
		select {
		case err := <-d.ended:
			t.Fatalf("%s: ended: %v", when, err)
		default:
		}
	}
}

// What no restart mends is not ill: no broker, a bus that never returns, nothing to measure, a long interval.
func TestWatchdogLeavesAlone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := watch(t, t.TempDir(), nil, nil)
		d.well(t, "without a broker")
		d.pi.Bus().Stick()
		d.well(t, "with a bus that never returns")
		if s := d.world.source.Sensors()[0].State; s != holdfast.SensorLost {
			t.Errorf("sensor is %s, want lost", s)
		}
		d.pi.Bus().Release()
		set := func(key, value string) {
			if _, err := d.control.Set(t.Context(), key, json.RawMessage(value), holdfast.OriginPage, "test"); err != nil {
				t.Error(err)
			}
		}
		set(holdfast.SettingInterval, "1200")
		d.well(t, "with an interval of 20 minutes")
		set(holdfast.SettingMeasuring, "false")
		d.well(t, "stopped")
		d.end(t)
	})
}

// stiff is a source one of whose methods stops answering, or whose sampler stops turning.
type stiff struct {
	source
	release chan struct{}
	frozen  func() []sensors.State // nil while it turns
	blocked bool
}

func (s *stiff) Sensors() []sensors.State {
	if s.frozen != nil {
		return s.frozen()
	}
	return s.source.Sensors()
}

func (s *stiff) SetInterval(sensor string, d time.Duration) {
	if s.blocked {
		<-s.release
	}
	s.source.SetInterval(sensor, d)
}

// Each part that hangs is noticed, named, and ends the daemon in less than five minutes; nothing that was measured is lost
// over it where the buffer still works.
func TestWatchdogEnds(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, want string
		limit      time.Duration
		hang       func(t *testing.T, d *watched, s *stiff)
	}{
		{"sampler", "the sampler has stood still", 2 * time.Minute, func(_ *testing.T, d *watched, s *stiff) {
			same := s.source.Sensors()
			s.frozen = func() []sensors.State { return same }
		}},
		{"sampler's lock", "the sampler has stood still", 2 * time.Minute, func(_ *testing.T, _ *watched, s *stiff) {
			s.frozen = func() []sensors.State { <-s.release; return nil }
		}},
		{"control", "control has stood still", 4 * time.Minute, func(t *testing.T, d *watched, s *stiff) {
			s.blocked = true
			go d.control.Set(t.Context(), holdfast.SettingInterval, json.RawMessage("5"), holdfast.OriginPage, "test")
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				folder, s := t.TempDir(), &stiff{release: make(chan struct{})}
				d := watch(t, folder, nil, func(w *world) { s.source, w.source = w.source, s })
				time.Sleep(time.Minute)
				synctest.Wait()
				start := time.Now()
				tt.hang(t, d, s)
				err := <-d.ended
				if took := time.Since(start); !errors.Is(err, errStuck) || !strings.Contains(err.Error(), tt.want) || took > tt.limit || took < patience {
					t.Errorf("after %v: %v, want %q", took, err, tt.want)
				}
				close(s.release) // for the bubble, which waits for everybody
				time.Sleep(time.Minute)
				if buffer.NeedsCheck(filepath.Join(folder, bufferFile)) {
					t.Error("the buffer was not closed, though it could be")
				}
			})
		})
	}
}

// A counter that stands still is a part that hangs: so the writer and the uplink are watched, whose Turns their own tests try.
func TestPulse(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newProgress(time.Second)
		g := &gateway{progress: p}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		turns, hung := uint64(0), false
		go g.watchPulse(ctx, &p.writer, moves(func() uint64 {
			if !hung {
				turns++
			}
			return turns
		}))
		for range 10 {
			time.Sleep(time.Minute)
			p.beat(&p.loop)
			p.beat(&p.sampler)
			p.beat(&p.uplink)
			p.beat(&p.controls)
			if err := p.health(); err != nil {
				t.Error(err)
			}
		}
		hung = true
		time.Sleep(time.Minute + 10*time.Second)
		if err := p.health(); err == nil || !strings.Contains(err.Error(), "the buffer's writer has stood still for 1m1") {
			t.Errorf("got %v", err)
		}
	})
}

// The daemon is not ended for ever: three times an hour, whoever starts it; then it stays and says so.
func TestWatchdogIsBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		folder := t.TempDir()
		hang := func() (*watched, *stiff) {
			s := &stiff{release: make(chan struct{})}
			d := watch(t, folder, nil, func(w *world) { s.source, w.source = w.source, s })
			time.Sleep(10 * time.Second)
			same := s.source.Sensors()
			synctest.Wait()
			s.frozen = func() []sensors.State { return same }
			return d, s
		}
		for range exitsPerHour {
			d, _ := hang()
			if err := <-d.ended; !errors.Is(err, errStuck) {
				t.Fatal(err)
			}
		}
		start := time.Now()
		d, s := hang()
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		if notices := strings.Join(d.notices.all(), "\n"); !strings.Contains(notices, "stays as it is") {
			t.Errorf("notices %q", notices)
		}
		if err := <-d.ended; !errors.Is(err, errStuck) || time.Since(start) < 50*time.Minute {
			t.Errorf("ended after %v: %v, want the rest of an hour", time.Since(start), err)
		}

		// Without a file to count in, nothing is ended.
		if err := errors.Join(os.Remove(filepath.Join(folder, ladderFile)), os.Mkdir(filepath.Join(folder, ladderFile), 0o700)); err != nil {
			t.Fatal(err)
		}
		d, s = hang()
		time.Sleep(2 * time.Hour)
		select {
		case err := <-d.ended:
			t.Errorf("ended and could not count it: %v", err)
		default:
		}
		s.frozen = nil
		d.end(t)
	})
}

func TestLadder(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	minute := time.Minute.Microseconds()
	ctx := t.Context()
	for _, want := range []remedy{endItself, endItself, endItself, letReset} {
		if got := newLadder(folder, "first").next(ctx, minute, true); got != want {
			t.Fatalf("got %d, want %d", got, want)
		}
	}
	if got := newLadder(folder, "first").next(ctx, 30*minute, false); got != stay {
		t.Errorf("without hardware %d, want %d", got, stay)
	}
	if got := newLadder(folder, "first").next(ctx, 62*minute, false); got != endItself {
		t.Errorf("an hour later %d, want %d", got, endItself)
	}
	// Resets are counted across boots.
	resets := 0
	for _, boot := range []string{"second", "third", "fourth", "fifth"} {
		for range 5 {
			if newLadder(folder, boot).next(ctx, minute, true) == letReset {
				resets++
				break // the hardware bites
			}
		}
	}
	if resets != resetsInRow-1 {
		t.Errorf("%d more resets, want %d", resets, resetsInRow-1)
	}
	l := newLadder(folder, "sixth")
	l.begin(ctx)
	if l = newLadder(folder, "sixth"); l.record.Resets != 0 {
		t.Errorf("after an hour of health %+v", l.record)
	}
	// One that stays asks again later, and a damaged file counts as none.
	if err := os.WriteFile(filepath.Join(folder, ladderFile), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := newLadder(folder, "sixth").next(ctx, minute, true); got != endItself {
		t.Errorf("with a damaged file %d, want %d", got, endItself)
	}
}

// The hardware's watchdog is fed while all is well and called off at a clean end; it goes hungry when exits are used up.
func TestHardwareWatchdog(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		folder, device := t.TempDir(), filepath.Join(t.TempDir(), "watchdog")
		if err := os.WriteFile(device, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		fed := func() string {
			text, err := os.ReadFile(device)
			if err != nil {
				t.Fatal(err)
			}
			return string(text)
		}
		d := watch(t, folder, []string{"WATCHDOG_DEVICE", device}, nil)
		time.Sleep(time.Minute)
		synctest.Wait()
		if got := fed(); len(got) < 15 || strings.Contains(got, "V") {
			t.Errorf("fed %q in a minute", got)
		}
		d.end(t)
		if got := fed(); !strings.HasSuffix(got, "\x00V") || strings.Count(got, "V") != 1 {
			t.Errorf("at the end %q, want a V", got)
		}

		now := time.Now().UnixMicro()
		spent, _ := json.Marshal(ladderRecord{Boot: "bubble", Exits: []int64{now, now, now}})
		if err := os.WriteFile(filepath.Join(folder, ladderFile), spent, 0o600); err != nil {
			t.Fatal(err)
		}
		s := &stiff{release: make(chan struct{})}
		d = watch(t, folder, []string{"WATCHDOG_DEVICE", device}, func(w *world) { s.source, w.source = w.source, s })
		time.Sleep(10 * time.Second)
		same := s.source.Sensors()
		synctest.Wait()
		s.frozen = func() []sensors.State { return same }
		time.Sleep(2 * time.Minute)
		before := fed()
		time.Sleep(time.Minute)
		if after := fed(); after != before {
			t.Errorf("still fed: %q", after[len(before):])
		}
		s.frozen = nil
		d.end(t)
	})
}
