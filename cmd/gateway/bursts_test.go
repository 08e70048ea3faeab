package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"holdfast"
	"holdfast/rules"
)

// intervals shows how often the sensors of the simulated Pi are sampled.
func (a *acting) intervals() string {
	var all []string
	for _, s := range a.sampler.Sensors() {
		all = append(all, fmt.Sprintf("%s %v", s.Name, s.Interval))
	}
	return strings.Join(all, ", ")
}

// A burst lasts as long as its alert, and for a while behind it, over a restart; what is set meanwhile holds behind it.
func TestBurst(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newActing(t, "", `
  - {name: one, threshold: {sensor: hand, quantity: x, above: 1}, actions: [{interval: {every: 200ms, for: 10s, sensor: "bme280-*"}}]}
  - {name: two, threshold: {sensor: hand, quantity: x, above: 2}, actions: [{interval: {every: 100ms, sensor: "bme280-*"}}]}
`)
		want := func(when, want string) {
			t.Helper()
			if got := a.intervals(); got != want {
				t.Errorf("%s: %s, want %s", when, got, want)
			}
			if got, want := a.g.bursts.on("bme280-1-76"), strings.Contains(want, "ms"); got != want {
				t.Errorf("%s: in a burst: %v, want %v", when, got, want)
			}
			if a.g.bursts.on("tmp102-1-48") {
				t.Errorf("%s: the other sensor is in a burst", when)
			}
		}
		const calm = "bme280-1-76 1s, tmp102-1-48 1s"
		a.start()
		after(5 * time.Second)
		want("before", calm)
		before := samples(a, "bme280-1-76")
		a.feel(1.5)
		after(10 * time.Second)
		want("raised", "bme280-1-76 200ms, tmp102-1-48 1s")
		if n := samples(a, "bme280-1-76") - before; n < 45 || n > 55 {
			t.Errorf("%d readings in 10 s, want 50", n)
		}
		a.feel(2.5)
		after(time.Second)
		want("both raised", "bme280-1-76 100ms, tmp102-1-48 1s")
		a.feel(1.5)
		after(time.Second)
		want("one raised", "bme280-1-76 200ms, tmp102-1-48 1s")
		a.stop()
		a.start()
		after(time.Second)
		want("after a restart", "bme280-1-76 200ms, tmp102-1-48 1s")
		if _, err := a.g.control.Set(t.Context(), holdfast.IntervalKey("bme280-1-76"), []byte("3"), holdfast.OriginPage, ""); err != nil {
			t.Error(err)
		}
		a.feel(0)
		after(4 * time.Second)
		want("behind it", "bme280-1-76 200ms, tmp102-1-48 1s")
		a.stop()
		a.start()
		after(3 * time.Second)
		want("behind it, after a restart", "bme280-1-76 200ms, tmp102-1-48 1s")
		after(4 * time.Second)
		want("in the end", "bme280-1-76 3s, tmp102-1-48 1s")
		a.feel(1.5)
		after(time.Second)
		a.rules = "  - {name: none, absence: {sensor: x, after: 1h}}\n"
		a.stop()
		a.start()
		after(2 * time.Second)
		want("without the rule", "bme280-1-76 3s, tmp102-1-48 1s")
		a.stop()
		a.start()
		after(time.Second)
		one, two := `{"rule":"one","action":"interval","state":"%s","sensor":"bme280-*","every_s":0.2}`, `{"rule":"two","action":"interval","state":"%s","sensor":"bme280-*","every_s":0.1}`
		expectEvents(t, a.events(holdfast.EventAction), fmt.Sprintf(one, "begun"), fmt.Sprintf(two, "begun"), fmt.Sprintf(two, "ended"), fmt.Sprintf(one, "ended"), fmt.Sprintf(one, "begun"), fmt.Sprintf(one, "ended"))
		a.stop()
	})
}

func expectEvents(t *testing.T, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("events\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func samples(a *acting, sensor string) uint64 {
	for _, s := range a.sampler.Sensors() {
		if s.Name == sensor {
			return s.Samples
		}
	}
	return 0
}

// A schedule's burst is of all sensors unless it names some, and ends by itself.
func TestScheduleBurst(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newActing(t, "", `  - {name: airing, schedule: {cron: "1 0 * * *"}, actions: [{interval: {every: 200ms, for: 30s}}]}`+"\n")
		a.start()
		defer a.stop()
		after(65 * time.Second)
		if got := a.intervals(); got != "bme280-1-76 200ms, tmp102-1-48 200ms" {
			t.Errorf("fired: %s", got)
		}
		after(30 * time.Second)
		if got := a.intervals(); got != "bme280-1-76 1s, tmp102-1-48 1s" {
			t.Errorf("in the end: %s", got)
		}
		expectEvents(t, a.events(holdfast.EventAction), `{"rule":"airing","action":"interval","state":"begun","sensor":"*","every_s":0.2}`, `{"rule":"airing","action":"interval","state":"ended","sensor":"*","every_s":0.2}`)
	})
}

// A plant is a source of many sensors that notes their bursts.
type plant struct {
	source
	names  []string
	bursts map[string]time.Duration
}

func (p *plant) Catalog() (c holdfast.Catalog) {
	for _, name := range p.names {
		c.Sensors = append(c.Sensors, holdfast.CatalogSensor{Name: name})
	}
	return c
}

func (p *plant) SetBurst(sensor string, d time.Duration) {
	if p.bursts[sensor] = d; d == 0 {
		delete(p.bursts, sensor)
	}
}

// All bursts together bring about no more than so many readings a second, and take in sensors that come meanwhile.
func TestBurstsAreBounded(t *testing.T) {
	t.Parallel()
	p := &plant{bursts: make(map[string]time.Duration)}
	for i := range 40 {
		p.names = append(p.names, fmt.Sprintf("s%02d", i))
	}
	var events []holdfast.ActionChange
	b := newBursts(p, func(c holdfast.ActionChange) { events = append(events, c) })
	set, err := rules.Parse("f", []byte(`{version: 1, rules: [{name: a, schedule: {cron: "* * * * *"}, actions: [{interval: {every: 100ms, for: 1m, sensor: "s0*"}}]},
  {name: b, threshold: {sensor: s10, quantity: x, above: 1}, actions: [{interval: {every: 100ms, sensor: "*"}}]}]}`))
	if err != nil {
		t.Fatal(err)
	}
	e := rules.New(set, rules.Options{})
	at := holdfast.Instant{Time: time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC), Boot: "b", Mono: 1e6, Synchronized: true}
	e.Tick(at)
	at.Time, at.Mono = at.Time.Add(time.Minute), at.Mono+60e6
	e.Tick(at)
	for _, o := range e.Orders() {
		b.order(o, 0, false)
	}
	if len(p.bursts) != 10 || p.bursts["s00"] != 100*time.Millisecond {
		t.Errorf("of ten sensors: %v", p.bursts)
	}
	e.Apply(&holdfast.Reading{Time: at.Time, Mono: at.Mono, Sensor: "s10", Values: map[string]float64{"x": 2}}, at)
	for _, o := range e.Orders() {
		b.order(o, 0, false)
	}
	if len(p.bursts) != 40 || p.bursts["s00"] != 400*time.Millisecond {
		t.Errorf("of forty sensors: %v", p.bursts)
	}
	p.names = append(p.names, "s99")
	b.mu.Lock()
	b.settle()
	b.mu.Unlock()
	if len(p.bursts) != 41 || p.bursts["s99"] != 410*time.Millisecond {
		t.Errorf("of one that came: %v", p.bursts)
	}
	b.now = func() time.Time { return time.Now().Add(time.Hour) }
	e.Apply(&holdfast.Reading{Time: at.Time, Mono: at.Mono, Sensor: "s10", Values: map[string]float64{"x": 0}}, at)
	for _, o := range append(e.Orders(), e.Orders()...) {
		b.order(o, 0, false)
	}
	if len(p.bursts) != 0 || len(b.all) != 0 || len(events) != 4 || len(b.sampled) != 0 {
		t.Errorf("in the end: %v, events %v", p.bursts, events)
	}
}

// The reading that is the reason for a burst goes up with what the burst reads.
func TestReasonOfBurstIsSent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newActing(t, "", `
  - {name: calm, deadband: {sensor: "*", absolute: 100000}}
  - {name: one, threshold: {sensor: hand, quantity: x, above: 1}, actions: [{interval: {every: 200ms}}]}
`)
		a.start()
		defer a.stop()
		head := func() uint64 { return a.g.buffer.Status().Lanes[holdfast.LaneTelemetry].Head }
		a.feel(0.1) // the first that a deadband sees goes up
		after(5 * time.Second)
		before := head()
		for i, sent := range []uint64{0, 1} {
			a.feel([]float64{0.5, 2}[i])
			after(5 * time.Second)
			if got := head() - before; got != sent {
				t.Errorf("%d readings were sent, want %d", got, sent)
			}
		}
	})
}

// What a burst reads goes up, whatever else withholds it; before and behind it rules withhold as they did.
func TestBurstIsSent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newActing(t, "", `
  - {name: calm, deadband: {sensor: "*", absolute: 100000}}
  - {name: one, threshold: {sensor: hand, quantity: x, above: 1}, actions: [{interval: {every: 200ms, sensor: "bme280-*"}}]}
`)
		a.start()
		defer a.stop()
		sent := func(d time.Duration) uint64 {
			before := a.g.buffer.Status().Lanes[holdfast.LaneTelemetry].Head
			after(d)
			return a.g.buffer.Status().Lanes[holdfast.LaneTelemetry].Head - before
		}
		after(5 * time.Second)
		if n := sent(10 * time.Second); n != 0 {
			t.Errorf("%d readings were sent before", n)
		}
		a.feel(2)
		if n := sent(10 * time.Second); n < 45 || n > 55 {
			t.Errorf("%d readings were sent in a burst of 10 s, want 50", n)
		}
		a.feel(0)
		after(time.Second)
		if n := sent(10 * time.Second); n != 0 {
			t.Errorf("%d readings were sent behind", n)
		}
	})
}
