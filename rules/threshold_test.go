package rules

import (
	"math"
	"strings"
	"testing"
	"time"

	"holdfast"
)

const warm = `
  - {name: warm, threshold: {sensor: "*", quantity: temperature_celsius, above: 26, clear: 25, for: 5s}}`

func TestThreshold(t *testing.T) {
	t.Parallel()
	type step struct {
		at   int
		v    float64
		want string
	}
	tests := []struct {
		name, rule string
		steps      []step
	}{
		{"hysteresis", "above: 26, clear: 25", []step{
			{0, 26, ""},
			{1, 26.1, "12:00:31 a1 r v1 raised s value 26.1 peak 26.1 since 12:00:31"},
			{2, 28, ""},
			{3, 25.5, ""},
			{4, 25, "12:00:34 a1 r v1 cleared s value 25 peak 28 since 12:00:31"},
			{5, 25.9, ""},
			{6, 27, "12:00:36 a2 r v1 raised s value 27 peak 27 since 12:00:36"},
		}},
		{"clears at the limit", "above: 26", []step{
			{0, 27, "12:00:30 a1 r v1 raised s value 27 peak 27 since 12:00:30"},
			{1, 26, "12:00:31 a1 r v1 cleared s value 26 peak 27 since 12:00:30"},
		}},
		{"below, zero and negative", "below: 0, clear: 1", []step{
			{0, 0, ""},
			{1, -0.5, "12:00:31 a1 r v1 raised s value -0.5 peak -0.5 since 12:00:31"},
			{2, -9, ""},
			{3, 0, ""},
			{4, 1, "12:00:34 a1 r v1 cleared s value 1 peak -9 since 12:00:31"},
		}},
		{"above a negative limit", "above: -10", []step{
			{0, -10, ""},
			{1, 0, "12:00:31 a1 r v1 raised s value 0 peak 0 since 12:00:31"},
			{2, -11, "12:00:32 a1 r v1 cleared s value -11 peak 0 since 12:00:31"},
		}},
		{"for", "above: 26, clear: 25, for: 5s", []step{
			{0, 27, ""},
			{4, 29, ""},
			{5, 27, "12:00:35 a1 r v1 raised s value 27 peak 29 since 12:00:30"},
		}},
		{"for begins anew", "above: 26, clear: 25, for: 5s", []step{
			{0, 30, ""},
			{4, 26, ""},
			{5, 27, ""},
			{9, 27, ""},
			{10, 28, "12:00:40 a1 r v1 raised s value 28 peak 28 since 12:00:35"},
		}},
		{"cooldown", "above: 26, cooldown: 10s", []step{
			{0, 27, "12:00:30 a1 r v1 raised s value 27 peak 27 since 12:00:30"},
			{1, 26, "12:00:31 a1 r v1 cleared s value 26 peak 27 since 12:00:30"},
			{2, 28, ""},
			{3, 26, ""},
			{5, 29, ""},
			{10, 27, ""},
			{11, 27, "12:00:41 a2 r v1 raised s value 27 peak 29 since 12:00:35"},
		}},
		{"outside a band", "outside: [-1, 1], clear: [-0.5, 0.5]", []step{
			{0, 1, ""},
			{1, -1.5, "12:00:31 a1 r v1 raised s value -1.5 peak -1.5 since 12:00:31"},
			{2, 2, ""},
			{3, 0.6, ""},
			{4, 0, "12:00:34 a1 r v1 cleared s value 0 peak 2 since 12:00:31"},
		}},
		{"between, and back on either side", "between: [0, 10], clear: [-1, 11]", []step{
			{0, 10, "12:00:30 a1 r v1 raised s value 10 peak 10 since 12:00:30"},
			{1, 4, ""},
			{2, 10.5, ""},
			{3, 11, "12:00:33 a1 r v1 cleared s value 11 peak 4 since 12:00:30"},
			{4, -0.5, ""},
			{5, 0, "12:00:35 a2 r v1 raised s value 0 peak 0 since 12:00:35"},
			{6, -1, "12:00:36 a2 r v1 cleared s value -1 peak 0 since 12:00:35"},
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			e := engine(t, 1, "  - {name: r, threshold: {sensor: s, quantity: temperature_celsius, "+tt.rule+"}}\n")
			for _, s := range tt.steps {
				var want []string
				if s.want != "" {
					want = []string{s.want}
				}
				expect(t, clock(instant(s.at).Time), lines(e.Apply(reading(instant(s.at), "s", s.v), instant(s.at))), want...)
			}
		})
	}
}

// Time alone raises an alert; each sensor has its own.
func TestThresholdTick(t *testing.T) {
	t.Parallel()
	e := engine(t, 1, warm)
	e.Apply(reading(instant(0), "b", 27), instant(0))
	e.Apply(reading(instant(1), "a", 28), instant(1))
	expect(t, "4 s", lines(e.Tick(instant(4))))
	expect(t, "5 s", lines(e.Tick(instant(5))), "12:00:35 a1 warm v1 raised b value 27 peak 27 since 12:00:30")
	expect(t, "6 s", lines(e.Tick(instant(6))), "12:00:36 a2 warm v1 raised a value 28 peak 28 since 12:00:31")
	expect(t, "7 s", lines(e.Tick(instant(7))))
	expect(t, "a back", lines(e.Apply(reading(instant(8), "a", 20), instant(8))), "12:00:38 a2 warm v1 cleared a value 20 peak 28 since 12:00:31")
}

func TestThresholdIgnores(t *testing.T) {
	t.Parallel()
	e := engine(t, 1, `
  - {name: r, threshold: {sensor: "bme280-*", quantity: temperature_celsius, above: 26}}`)
	bad := reading(instant(0), "bme280-1-76", 99)
	bad.Quality = map[string]holdfast.Quality{"temperature_celsius": holdfast.Bad}
	expect(t, "bad", lines(e.Apply(bad, instant(0))))
	expect(t, "another sensor", lines(e.Apply(reading(instant(0), "bmp180-1-77", 99), instant(0))))
	other := &holdfast.Reading{Time: noon, Sensor: "bme280-1-76", Values: map[string]float64{"humidity_percent": 99}}
	expect(t, "another quantity", lines(e.Apply(other, instant(0))))

	for _, v := range []float64{math.NaN(), math.Inf(1)} {
		expect(t, "no number", lines(e.Apply(reading(instant(0), "bme280-1-76", v), instant(0))))
	}

	suspect := reading(instant(1), "bme280-1-76", 27)
	suspect.Quality = map[string]holdfast.Quality{"temperature_celsius": holdfast.Suspect}
	expect(t, "suspect", lines(e.Apply(suspect, instant(1))), "12:00:31 a1 r v1 raised bme280-1-76 value 27 peak 27 since 12:00:31")
	bad = reading(instant(2), "bme280-1-76", 0)
	bad.Quality = map[string]holdfast.Quality{"temperature_celsius": holdfast.Bad}
	expect(t, "no number does not clear", lines(e.Apply(reading(instant(2), "bme280-1-76", math.Inf(-1)), instant(2))))
	expect(t, "bad does not clear", lines(e.Apply(bad, instant(2))))
}

// `for` runs on monotonic time whatever the wall clock does, and a guessed beginning is corrected.
func TestThresholdClockStep(t *testing.T) {
	t.Parallel()
	e := engine(t, 1, warm)
	at := instant(0)
	at.Time, at.Synchronized = noon.Add(-24*time.Hour), false
	e.Apply(reading(at, "s", 27), at)
	expect(t, "a step of a day fires nothing", lines(e.Tick(instant(4))))
	expect(t, "5 s", lines(e.Tick(instant(5))), "12:00:35 a1 warm v1 raised s value 27 peak 27 since 12:00:30")

	e = engine(t, 1, warm)
	at.Time = noon
	e.Apply(reading(at, "s", 27), at)
	at.Mono += 6e6
	expect(t, "unsynchronised", lines(e.Tick(at)), "12:00:30 a1 warm v1 raised s value 27 peak 27 since 12:00:30 guess boot-1+16m46s")

	// The monotonic time of another boot corrects nothing.
	at = holdfast.Instant{Time: noon.Add(time.Hour), Boot: "boot-2", Mono: 1e6, Synchronized: true}
	boot := engine(t, 1, warm)
	restarted(t, e, boot, at)
	expect(t, "reboot", lines(boot.Apply(reading(at, "s", 20), at)), "13:00:30 a1 warm v1 cleared s value 20 peak 27 since 12:00:30")
}

func TestThresholdRestart(t *testing.T) {
	t.Parallel()
	before := engine(t, 1, warm)
	before.Apply(reading(instant(0), "pending", 27), instant(0))
	before.Apply(reading(instant(0), "raised", 28), instant(0))
	before.Apply(reading(instant(0), "cold", 20), instant(0))
	before.Apply(reading(instant(1), "pending", 27), instant(1))
	before.Tick(instant(4))
	data, err := whole(before)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(data), "cold") {
		t.Errorf("checkpoint %s holds a sensor of which there is nothing to remember", data)
	}

	// Within the boot everything goes on, under the same ID.
	same := engine(t, 2, warm)
	expect(t, "restart", restarted(t, before, same, instant(5)))
	expect(t, "5 s", lines(same.Tick(instant(5))),
		"12:00:35 a1 warm v2 raised pending value 27 peak 27 since 12:00:30", "12:00:35 a2 warm v2 raised raised value 28 peak 28 since 12:00:30")
	again := engine(t, 2, warm)
	expect(t, "second restart", restarted(t, same, again, instant(6)))
	expect(t, "cleared", lines(again.Apply(reading(instant(7), "raised", 0), instant(7))), "12:00:37 a2 warm v2 cleared raised value 0 peak 28 since 12:00:30")

	// After a reboot a raised alert stays; a condition that had not held for long enough begins anew.
	boot := engine(t, 2, warm)
	before.Apply(reading(instant(4), "pending", 20), instant(4))
	before.Apply(reading(instant(4), "pending", 27), instant(4))
	before.Tick(instant(5)) // raises the other one
	at := holdfast.Instant{Time: noon.Add(time.Hour), Boot: "boot-2", Mono: 10e6, Synchronized: true}
	expect(t, "reboot", restarted(t, before, boot, at))
	at.Mono += 60e6
	expect(t, "a minute later", lines(boot.Tick(at)))
	expect(t, "cleared after the reboot", lines(boot.Apply(reading(at, "raised", 20), at)), "13:00:30 a1 warm v2 cleared raised value 20 peak 28 since 12:00:30")
}

// The alerts of a rule that is gone, or reads differently, are cleared under the version that raised them.
func TestThresholdRetired(t *testing.T) {
	t.Parallel()
	before := engine(t, 1, warm)
	before.Apply(reading(instant(0), "s", 27), instant(0))
	before.Apply(reading(instant(5), "s", 27), instant(5))
	want := "12:00:40 a1 warm v1 cleared s value 27 peak 27 since 12:00:30"

	expect(t, "gone", restarted(t, before, engine(t, 2, " []"), instant(10)), want)
	changed := engine(t, 2, strings.Replace(warm, "26", "26.5", 1))
	expect(t, "changed", restarted(t, before, changed, instant(10)), want)
	expect(t, "and judged anew", lines(changed.Apply(reading(instant(10), "s", 27), instant(10))))
	expect(t, "other kind", restarted(t, before, engine(t, 2, "  - {name: warm, aggregate: {window: 1m, functions: [sum]}}\n"), instant(10)), want)
}
