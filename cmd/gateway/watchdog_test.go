package main

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
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
		presses:       make(chan holdfast.Press),
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

// well expects that the gateway goes on for so many minutes, without having anything to complain of.
func (d *watched) well(t *testing.T, minutes int, when string) {
	t.Helper()
	for range minutes {
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
		d.well(t, 15, "without a broker")
		d.pi.Bus().Stick()
		d.well(t, 15, "with a bus that never returns")
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
		d.well(t, 90, "with an interval of 20 minutes")
		set(holdfast.SettingMeasuring, "false")
		d.well(t, 60, "stopped")
		d.end(t)
	})
}

// stiff is a source one of whose methods stops answering, or whose sampler stops turning.
type stiff struct {
	source
	release chan struct{}
	frozen  atomic.Pointer[func() []sensors.State] // nil while it turns
	blocked atomic.Bool
}

func (s *stiff) Sensors() []sensors.State {
	if frozen := s.frozen.Load(); frozen != nil {
		return (*frozen)()
	}
	return s.source.Sensors()
}

func (s *stiff) SetInterval(sensor string, d time.Duration) {
	if s.blocked.Load() {
		<-s.release
	}
	s.source.SetInterval(sensor, d)
}

// freeze makes the states answer that, in place of the sampler's own; nil thaws it.
func (s *stiff) freeze(states func() []sensors.State) {
	if states == nil {
		s.frozen.Store(nil)
		return
	}
	s.frozen.Store(&states)
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
			s.freeze(func() []sensors.State { return same })
		}},
		{"sampler's lock", "the sampler has stood still", 2 * time.Minute, func(_ *testing.T, _ *watched, s *stiff) {
			s.freeze(func() []sensors.State { <-s.release; return nil })
		}},
		{"control", "control has stood still", 4 * time.Minute, func(t *testing.T, d *watched, s *stiff) {
			s.blocked.Store(true)
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
		var turns uint64
		var hung atomic.Bool
		go g.watchPulse(ctx, &p.writer, moves(func() uint64 {
			if !hung.Load() {
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
		hung.Store(true)
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
			d := watch(t, folder, []string{"SAMPLING_INTERVAL", "10"}, func(w *world) { s.source, w.source = w.source, s })
			time.Sleep(10 * time.Second)
			same := s.source.Sensors()
			synctest.Wait()
			s.freeze(func() []sensors.State { return same })
			return d, s
		}
		for range exitsPerHour {
			d, _ := hang()
			if err := <-d.ended; !errors.Is(err, errStuck) {
				t.Fatal(err)
			}
		}
		start := time.Now()
		d, _ := hang()
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
		d, s := hang()
		time.Sleep(20 * time.Minute)
		select {
		case err := <-d.ended:
			t.Errorf("ended and could not count it: %v", err)
		default:
		}
		s.freeze(nil)
		d.end(t)
	})
}

// Starts are counted until one ends well or is well for an hour, boots too; what cannot be counted is not done.
func TestLadder(t *testing.T) {
	t.Parallel()
	folder, minute, ctx := t.TempDir(), time.Minute.Microseconds(), t.Context()
	for n := range int64(6) {
		l := openLadder(ctx, folder, "first", n*minute)
		if got, want := l.mayExit(n*minute), n < exitsPerHour; got != want {
			t.Errorf("start %d: may exit %v", n+1, got)
		}
		if n == 5 && (l.mayExit(61*minute) || !l.mayExit(63*minute)) {
			t.Errorf("an hour after the first of %v", l.record.Starts)
		}
	}
	for n, boot := range []string{"second", "third", "fourth", "fifth"} {
		for range 3 {
			if got, want := openLadder(ctx, folder, boot, minute).mayReset(), n+2 <= resetsInRow; got != want {
				t.Errorf("boot %s: may reset %v", boot, got)
			}
		}
	}
	openLadder(ctx, folder, "fifth", minute).well(ctx, 60*minute)
	if l := openLadder(ctx, folder, "fifth", 61*minute); !l.mayReset() || len(l.record.Starts) != 2 {
		t.Errorf("after an hour of health %+v, want two starts and one boot", l.record)
	}
	openLadder(ctx, folder, "fifth", 62*minute).end(ctx)
	if l := openLadder(ctx, folder, "sixth", minute); l.record.Boots != 1 || len(l.record.Starts) != 1 {
		t.Errorf("after a good end %+v", l.record)
	}
	if err := os.WriteFile(filepath.Join(folder, ladderFile), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if l := openLadder(ctx, folder, "sixth", minute); !l.mayExit(minute) || len(l.record.Starts) != 1 {
		t.Errorf("with a damaged file %+v", l.record)
	}
	if l := openLadder(ctx, filepath.Join(folder, "nowhere"), "sixth", minute); l.mayExit(minute) || l.mayReset() {
		t.Error("without a file it may exit or reset")
	}
}

// The hardware's watchdog is fed while all is well and called off at a clean end; it goes hungry when exits are used up, and is left alone when
// that did not help three times.
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

		s := &stiff{release: make(chan struct{})}
		d = watch(t, folder, []string{"WATCHDOG_DEVICE", device}, func(w *world) { s.source, w.source = w.source, s })
		time.Sleep(10 * time.Second) // until it has sensors: one without any is not stuck
		same := s.source.Sensors()
		synctest.Wait()
		s.freeze(func() []sensors.State { return same })
		if err := <-d.ended; !errors.Is(err, errStuck) {
			t.Errorf("ended: %v", err)
		}
		if got := fed(); strings.Contains(got, "V") { // it has written over that of the first end
			t.Errorf("at an end of its own %q, want it fed and not called off: the process may not come to its end", got)
		}

		now := time.Now().UnixMicro()
		spent, _ := json.Marshal(ladderRecord{Boot: "bubble", Starts: []int64{now, now, now}, Boots: 1})
		if err := os.WriteFile(filepath.Join(folder, ladderFile), spent, 0o600); err != nil {
			t.Fatal(err)
		}
		s = &stiff{release: make(chan struct{})}
		d = watch(t, folder, []string{"WATCHDOG_DEVICE", device}, func(w *world) { s.source, w.source = w.source, s })
		time.Sleep(10 * time.Second)
		same = s.source.Sensors()
		synctest.Wait()
		s.freeze(func() []sensors.State { return same })
		time.Sleep(2 * time.Minute)
		before := fed()
		time.Sleep(time.Minute)
		if after := fed(); after != before {
			t.Errorf("still fed: %q", after[len(before):])
		}
		s.freeze(nil)
		time.Sleep(time.Minute)
		if after := fed(); after == before {
			t.Error("not fed though it is well again")
		}
		d.end(t)

		spent, _ = json.Marshal(ladderRecord{Boot: "earlier", Boots: resetsInRow})
		if err := os.WriteFile(filepath.Join(folder, ladderFile), spent, 0o600); err != nil {
			t.Fatal(err)
		}
		before = fed()
		d = watch(t, folder, []string{"WATCHDOG_DEVICE", device}, nil)
		time.Sleep(time.Minute)
		if after := fed(); after != before {
			t.Errorf("fed after %d resets: %q", resetsInRow, after[len(before):])
		}
		d.end(t)
	})
}
