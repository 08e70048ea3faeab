package sensors_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"holdfast"
	"holdfast/sensors"
)

const csv = `time,sensor,value_volts,temperature_celsius
0,a,1,
0,b,2,20.5
1,a,3,
1.5,a,4,
10,b,5,
`

type player struct {
	*sensors.Replay
	start   time.Time
	mu      sync.Mutex
	got     []string // "value at time" of each row
	changes []string
	stop    func()
}

func file(t *testing.T, name, text string) string {
	t.Helper()
	name = filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return name
}

// play opens a replay and takes what it hands out.
func play(t *testing.T, o sensors.ReplayOptions) *player {
	t.Helper()
	p := &player{start: time.Now()}
	o.Now = func() holdfast.Instant {
		return holdfast.Instant{Time: time.Now().UTC(), Boot: "b", Mono: time.Since(p.start).Microseconds(), Synchronized: true}
	}
	o.Changed = func(c holdfast.SensorChange) { p.changes = append(p.changes, fmt.Sprint(c.Sensor, " ", c.State)) }
	replay, err := sensors.OpenReplay(o)
	if err != nil {
		t.Fatal(err)
	}
	p.Replay = replay
	out := make(chan *holdfast.Reading)
	ctx, cancel := context.WithCancel(t.Context())
	var work sync.WaitGroup
	work.Go(func() {
		if err := p.Run(ctx, out); err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	work.Go(func() {
		for {
			select {
			case r := <-out:
				p.mu.Lock()
				p.got = append(p.got, fmt.Sprint(r.Values["value_volts"], " at ", r.Time.Sub(p.start)))
				if r.Validate() != nil || r.Mono != r.Time.Sub(p.start).Microseconds() {
					t.Errorf("reading %+v", r)
				}
				p.mu.Unlock()
			case <-ctx.Done():
				return
			}
		}
	})
	p.stop = func() { cancel(); work.Wait() }
	return p
}

func (p *player) until(d time.Duration) {
	time.Sleep(time.Until(p.start.Add(d)))
	synctest.Wait()
}

func TestReplay(t *testing.T) {
	t.Parallel()
	name := file(t, "r.csv", csv)
	synctest.Test(t, func(t *testing.T) {
		p := play(t, sensors.ReplayOptions{File: name})
		c := p.Catalog()
		if len(c.Sensors) != 2 || c.Validate() != nil || c.Sensors[0].Name != "a" || c.Sensors[1].Quantities[0].Unit != "°C" || c.Sensors[1].Quantities[1].Unit != "V" {
			t.Errorf("catalog %+v", c)
		}
		p.until(time.Minute)
		p.SetInterval("", time.Hour)
		p.stop()
		expect(t, "rows", p.got, []string{"1 at 0s", "2 at 0s", "3 at 1s", "4 at 1.5s", "5 at 10s"})
		expect(t, "changes", p.changes, []string{"a ok", "b ok"})
		s := p.Sensors()
		if len(s) != 2 || s[0].Name != "a" || s[0].Samples != 3 || s[0].Values["value_volts"] != 4 || s[1].State != holdfast.SensorOK {
			t.Errorf("sensors %+v", s)
		}
		if after := p.Catalog(); after.Revision <= c.Revision || p.Remaining() != 0 {
			t.Errorf("catalog revision %d after %d, %d rows left", after.Revision, c.Revision, p.Remaining())
		}
	})
}

func TestReplaySpeedAndPause(t *testing.T) {
	t.Parallel()
	name := file(t, "r.csv", csv)
	synctest.Test(t, func(t *testing.T) {
		p := play(t, sensors.ReplayOptions{File: name, Speed: 10})
		p.until(120 * time.Millisecond)
		p.SetMeasuring(false)
		p.until(time.Hour)
		p.SetMeasuring(true)
		p.until(2 * time.Hour)
		p.stop()
		expect(t, "rows", p.got, []string{"1 at 0s", "2 at 0s", "3 at 100ms", "4 at 1h0m0.03s", "5 at 1h0m0.88s"})
	})
}

// The truth file says of each row that it was taken before anybody can have it, and a second run goes on behind it.
func TestReplayTruth(t *testing.T) {
	t.Parallel()
	name, truth := file(t, "r.csv", csv), filepath.Join(t.TempDir(), "truth")
	said := func() string {
		text, err := os.ReadFile(truth)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	synctest.Test(t, func(t *testing.T) {
		p := play(t, sensors.ReplayOptions{File: name, Truth: truth})
		p.until(1200 * time.Millisecond)
		p.stop()
		expect(t, "rows", p.got, []string{"1 at 0s", "2 at 0s", "3 at 1s"})
	})
	if got, want := said(), "1 0\n2 0\n3 1000000\n"; got != want {
		t.Errorf("truth %q, want %q", got, want)
	}
	if err := os.WriteFile(truth, []byte(said()+"4 15"+strings.Repeat("0", 40)), 0o644); err != nil { // a line that a crash tore
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		p := play(t, sensors.ReplayOptions{File: name, Truth: truth})
		if got := p.Remaining(); got != 2 {
			t.Errorf("%d rows left, want 2", got)
		}
		p.until(time.Minute)
		p.stop()
		expect(t, "rows", p.got, []string{"4 at 500ms", "5 at 9s"})
	})
	if got, want := said(), "1 0\n2 0\n3 1000000\n4 500000\n5 9000000\n"; got != want {
		t.Errorf("truth %q, want %q", got, want)
	}
	synctest.Test(t, func(t *testing.T) {
		p := play(t, sensors.ReplayOptions{File: name, Truth: truth})
		p.until(time.Minute)
		p.stop()
		expect(t, "rows of a replay that is over", p.got, nil)
	})
	short := file(t, "short.csv", "time,sensor,value_volts\n0,a,1\n")
	if _, err := sensors.OpenReplay(sensors.ReplayOptions{File: short, Truth: truth}); err == nil {
		t.Error("a truth file that goes beyond the replay is taken for its own")
	}
	if err := os.WriteFile(truth, []byte("once upon a time\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := sensors.OpenReplay(sensors.ReplayOptions{File: name, Truth: truth}); err == nil || !strings.Contains(err.Error(), "once upon") {
		t.Errorf("a truth file that is none: %v", err)
	}
}

// No row is lost or doubled, however slow the consumer is, and what he gets has been said before.
func TestReplayWaitsForItsConsumer(t *testing.T) {
	t.Parallel()
	var text strings.Builder
	text.WriteString("time,sensor,value_volts\n")
	const rows = 5000
	for i := range rows {
		fmt.Fprintf(&text, "%g,a,%d\n", float64(i)/500, i)
	}
	name, truth := file(t, "r.csv", text.String()), filepath.Join(t.TempDir(), "truth")
	taken := 0
	for taken < rows {
		replay, err := sensors.OpenReplay(sensors.ReplayOptions{File: name, Truth: truth, Speed: 1000, Now: func() holdfast.Instant {
			return holdfast.Instant{Time: time.Now(), Mono: 1, Synchronized: true}
		}})
		if err != nil {
			t.Fatal(err)
		}
		before := rows - replay.Remaining()
		if before < taken {
			t.Fatalf("%d rows were taken, the truth file says %d", taken, before)
		}
		ctx, cancel := context.WithCancel(t.Context())
		out, done := make(chan *holdfast.Reading), make(chan error, 1)
		go func() { done <- replay.Run(ctx, out) }()
		for i := before; i < min(before+1234, rows); i++ {
			r := <-out
			if got := int(r.Values["value_volts"]); got != i {
				t.Fatalf("row %d after %d", got, i-1)
			}
			taken = i + 1
		}
		cancel()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		said, err := os.ReadFile(truth)
		if lines := strings.Count(string(said), "\n"); err != nil || lines < taken || lines > taken+100 {
			t.Fatalf("%d rows were taken, the truth file has %d lines, %v", taken, lines, err)
		}
	}
}

func TestOpenReplayErrors(t *testing.T) {
	t.Parallel()
	name := file(t, "r.csv", csv)
	for _, o := range []sensors.ReplayOptions{
		{File: filepath.Join(t.TempDir(), "none.csv")},
		{File: file(t, "bad.csv", "time,sensor\n")},
		{File: name, Speed: -1},
		{File: name, Truth: t.TempDir()},
	} {
		if r, err := sensors.OpenReplay(o); err == nil || r != nil {
			t.Errorf("%+v: %v, %v", o, r, err)
		}
	}
}
