package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"holdfast"
	"holdfast/sensors"
	"holdfast/sensors/simulated"
)

// An acting is a gateway without a broker whose rules act: on the sensor hand, whose values the test gives, beside those of
// a simulated Pi. Time goes on over its restarts.
type acting struct {
	t      *testing.T
	dir    string
	config string
	rules  string // YAML
	boot   string
	log    *slog.Logger
	begin  time.Time
	watch  *stopwatch // nil where nobody times the lines

	g       *gateway
	sampler *sensors.Sampler
	lines   *lines
	hand    chan *holdfast.Reading
	stop    func()
}

func newActing(t *testing.T, config, text string) *acting {
	return &acting{t: t, dir: t.TempDir(), config: config, rules: text, boot: "boot-1", log: slog.New(slog.DiscardHandler), begin: time.Now()}
}

func (a *acting) now() holdfast.Instant {
	return holdfast.Instant{Time: holdfast.Micro(time.Now()), Boot: a.boot, Mono: time.Since(a.begin).Microseconds() + 1e6, Synchronized: true}
}

// handed is a source beside whose readings there are those of the test.
type handed struct {
	source
	hand <-chan *holdfast.Reading
}

func (h handed) Run(ctx context.Context, out chan<- *holdfast.Reading) error {
	done := make(chan error)
	go func() { done <- h.source.Run(ctx, out) }()
	for {
		select {
		case r := <-h.hand:
			out <- r
		case err := <-done:
			return err
		}
	}
}

func (a *acting) start() {
	a.t.Helper()
	cfg, err := loadConfig("", variables("DATA_DIR", filepath.Join(a.dir, "gateway"), "HTTP_LISTEN", "off", "GATEWAY_CONFIG", a.config, "DEVICE_ID", "acting"))
	if err != nil {
		a.t.Fatal(err)
	}
	if cfg.Rules, err = readRuleSet(originFile, "rules.yaml", "version: 1\nrules:\n"+a.rules); err != nil {
		a.t.Fatal(err)
	}
	assembled := make(chan *gateway, 1)
	a.lines, a.hand = new(lines), make(chan *holdfast.Reading)
	opened := a.lines
	w := world{
		log: a.log, now: a.now, sensorChanges: make(chan holdfast.SensorChange, changes), presses: make(chan holdfast.Press),
		assembled: func(g *gateway) { assembled <- g },
		openLine: func(o sensors.OutputOptions, on bool) (line, error) {
			if l := opened.add(o.Consumer, on); a.watch != nil {
				return timed{l, a.watch}, nil
			} else {
				return l, nil
			}
		},
	}
	a.sampler = samplerOf(&w, cfg, simulated.New(simulated.Options{Start: a.begin}).Buses())
	w.source = handed{a.sampler, a.hand}
	ctx, cancel := context.WithCancel(a.t.Context())
	ended := make(chan error, 1)
	go func() { ended <- run(ctx, cfg, w) }()
	a.g = <-assembled
	a.stop = func() {
		cancel()
		if err := <-ended; err != nil {
			a.t.Errorf("gateway: %v", err)
		}
	}
}

// feel hands over a value of the sensor hand.
func (a *acting) feel(v float64) {
	at := a.now()
	a.hand <- &holdfast.Reading{Time: at.Time, Mono: at.Mono, Sensor: "hand", Values: map[string]float64{"x": v}}
}

// on reports whether the line of an output is on.
func (a *acting) on(output string) bool {
	on, _ := a.lines.get()["output "+output].State()
	return on
}

// setting returns an output's setting and who wrote it.
func (a *acting) setting(output string) string {
	s, _ := a.g.control.Get(holdfast.OutputKey(output))
	return fmt.Sprintf("%s %s %s", s.Value, s.Origin, s.Reason)
}

// events returns the data of the events of that name, oldest first.
func (a *acting) events(name string) (all []string) {
	a.t.Helper()
	err := a.g.buffer.History(time.Time{}, time.Now().Add(time.Hour), func(lane holdfast.Lane, record []byte) bool {
		var e holdfast.Event
		if lane == holdfast.LaneEvent && json.Unmarshal(record, &e) == nil && e.Event == name {
			all = append(all, string(e.Data))
		}
		return true
	})
	if err != nil {
		a.t.Error(err)
	}
	return all
}

// after lets time pass in a bubble.
func after(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}
