package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"holdfast"
	"holdfast/buffer"
)

// A reading is durable one window after it was measured, although it waits for others before the buffer gets it; and that
// costs hardly more than one commit a window.
func TestWindowCountsFromReading(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t)
		b.config = "sampling: {interval: 0.13}"
		stop := b.gateway(holdfast.AckReceipt)
		defer stop()
		time.Sleep(3 * time.Second)
		g := b.running.Load()
		samples := func() (n uint64) {
			for _, s := range g.world.source.Sensors() {
				n += s.Samples
			}
			return n
		}
		const step, window = 10 * time.Millisecond, time.Second
		var taken []uint64
		commits := g.buffer.Status().Commits
		for i := range 3000 {
			taken = append(taken, samples())
			status := g.buffer.Status()
			if before := i - int(window/step) - 1; before >= 0 && status.Lanes[holdfast.LaneTelemetry].Head < taken[before] {
				t.Fatalf("%v: %d readings are durable, %d were taken a window before", time.Duration(i)*step, status.Lanes[holdfast.LaneTelemetry].Head, taken[before])
			}
			time.Sleep(step)
		}
		if n := g.buffer.Status().Commits - commits; n < 25 || n > 40 {
			t.Errorf("%d commits in 30 s", n)
		}
	})
}

const alertSet = "version: 3\nrules:\n  - {name: a, threshold: {sensor: a, quantity: temperature_celsius, above: 1}}\n  - {name: b, aggregate: {sensor: b, window: 1h, functions: [sum]}}\n"

// A loop is the part of a gateway that takes readings, on a buffer that commits when the test wants it.
type loop struct {
	*gateway
	t    *testing.T
	mono int64
}

func newLoop(t *testing.T, path, set string) *loop {
	t.Helper()
	l := &loop{t: t, mono: 1e9}
	log := slog.New(slog.DiscardHandler)
	b, err := buffer.Open(buffer.Options{Path: path, Device: "pi-7", Window: time.Hour, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	cfg, err := loadConfig("", variables("DATA_DIR", t.TempDir(), "HTTP_LISTEN", "off"))
	if err != nil {
		t.Fatal(err)
	}
	if cfg.Rules, err = readRuleSet(originFile, "test", set); err != nil {
		t.Fatal(err)
	}
	l.gateway = &gateway{
		cfg: cfg, log: log, boot: "boot-1", buffer: b, alerts: newAlerts(), notices: new(notices), batch: newBatch(), metrics: newMetrics(), edge: newEdge(),
		now: func() holdfast.Instant {
			return holdfast.Instant{Time: time.UnixMicro(l.mono).UTC(), Boot: "boot-1", Mono: l.mono, Synchronized: true}
		},
	}
	l.actions()
	l.measures.Store(true)
	l.sets = openRuleSets(cfg.DataDir, cfg.Rules)
	l.restoreRules(t.Context())
	l.keep(l.restored)
	return l
}

// read takes a reading of so many seconds later.
func (l *loop) read(sensor string, seconds int64, celsius float64) {
	l.mono += seconds * 1e6
	at := l.now()
	l.take(&holdfast.Reading{Time: at.Time, Mono: at.Mono, Sensor: sensor, Values: map[string]float64{"temperature_celsius": celsius}}, nil)
}

func (l *loop) keys() []string { return l.buffer.StateKeys("") }

// A batch goes at once when an alert came of it, or when it is long; the state of the rules goes with it, a part for each
// rule.
func TestBatch(t *testing.T) {
	t.Parallel()
	l := newLoop(t, filepath.Join(t.TempDir(), "buffer.db"), alertSet)
	queued := func(want int, what string) {
		t.Helper()
		if got := l.buffer.Status().Queued; got != want {
			t.Errorf("%s: %d records with the buffer, want %d", what, got, want)
		}
	}
	l.read("b", 1, 5)
	l.read("c", 1, 5)
	queued(0, "readings")
	if got := l.keys(); len(got) != 0 {
		t.Errorf("state %q before the readings", got)
	}
	l.read("a", 1, 5)
	queued(4, "an alert came of it")
	if got := l.keys(); !slices.Equal(got, []string{"rules/at/a", "rules/at/b"}) {
		t.Errorf("state %q", got)
	}
	for range maxBatch {
		l.read("c", 0, 5)
	}
	queued(4+maxBatch, "many readings")
	l.read("c", 1, 5)
	l.keep(nil)
	queued(4+maxBatch+1, "at the end")
}

// Rules that are exchanged keep what they remember; what those that are gone had is closed, and leaves the buffer.
func TestExchangeKeepsParts(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "buffer.db")
	l := newLoop(t, path, alertSet)
	l.read("a", 1, 5)
	l.read("b", 1, 5)
	alert := l.alerts.list(l.now().Time)[0]
	set, err := readRuleSet(originFile, "test", "version: 4\nrules:\n  - {name: b, aggregate: {sensor: b, window: 1h, functions: [sum]}}\n")
	if err != nil {
		t.Fatal(err)
	}
	l.sets.changed(set)
	l.exchange()
	if after := l.alerts.list(l.now().Time)[0]; after.ID != alert.ID || after.State != holdfast.Cleared {
		t.Errorf("the alert of a rule that is gone: %+v", after)
	}
	if got := l.keys(); !slices.Equal(got, []string{"rules/at/b"}) {
		t.Errorf("state %q", got)
	}
	var p struct{ Version int }
	if err := json.Unmarshal(l.remembered()["b"], &p); err != nil || p.Version != 4 {
		t.Errorf("part %s, %v", l.remembered()["b"], err)
	}
}

// A buffer in which all rules stand under one key is taken over, and so is one in which such a gateway worked again since:
// what it wrote is newer than the parts.
func TestStateUnderOneKey(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "buffer.db")
	whole := func(id string, value float64) []byte {
		return fmt.Appendf(nil, `{"v":1,"boot":"boot-1","version":3,"rules":[{"name":"a","kind":"threshold","program":%s,"sensors":{"a":{"since":{"time":"2026-05-01T12:00:00Z","mono":1},"value":%v,"peak":%v,"id":%q}}}]}`,
			definition(t), value, value, id)
	}
	write := func(state map[string][]byte) {
		t.Helper()
		b, err := buffer.Open(buffer.Options{Path: path, Device: "pi-7", Window: time.Millisecond, Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		if err := b.Append(buffer.Change{State: state, Urgent: true}); err != nil {
			t.Fatal(err)
		}
		l := &loop{gateway: &gateway{buffer: b}, t: t}
		l.commit()
	}
	write(map[string][]byte{rulesKey: whole("first", 2), goodRulesKey: []byte("{}")})
	for _, want := range []string{"first", "second"} {
		l := newLoop(t, path, alertSet)
		l.read("a", 1, 0)
		if alerts := l.alerts.list(l.now().Time); len(alerts) != 1 || alerts[0].ID != want || alerts[0].State != holdfast.Cleared {
			t.Errorf("alerts %+v, want the end of %s", alerts, want)
		}
		l.read("b", 1, 0)
		l.keep(nil)
		if got := l.keys(); !slices.Equal(got, []string{"rules", "rules/at/a", "rules/at/b", "rules/good"}) || string(l.buffer.State(rulesKey)) != string(rulesMoved) {
			t.Errorf("state %q, %s", got, l.buffer.State(rulesKey))
		}
		l.commit()

		l = newLoop(t, path, alertSet)
		if parts := l.remembered(); len(parts) != 2 || len(l.alerts.list(l.now().Time)) != 0 {
			t.Errorf("another start finds %v", slices.Collect(maps.Keys(parts)))
		}
		l.commit()
		write(map[string][]byte{rulesKey: whole("second", 3)}) // the other gateway knows nothing of parts
	}
}

// commit makes what the buffer has durable, and closes it.
func (l *loop) commit() {
	l.t.Helper()
	ended, end := context.WithCancel(l.t.Context())
	end()
	if err := l.buffer.Run(ended); err != nil {
		l.t.Error(err)
	}
}

func definition(t *testing.T) string {
	t.Helper()
	l := newLoop(t, filepath.Join(t.TempDir(), "buffer.db"), alertSet)
	l.read("a", 1, 5)
	var p struct{ Program json.RawMessage }
	if err := json.Unmarshal(l.remembered()["a"], &p); err != nil {
		t.Fatal(err)
	}
	return string(p.Program)
}
