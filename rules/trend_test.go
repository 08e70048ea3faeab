package rules

import (
	"math"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"holdfast"
)

func TestTrendReach(t *testing.T) {
	t.Parallel()
	e := engine(t, 1, `
  - {name: r, trend: {quantity: temperature_celsius, window: 1m, above: 8, within: 10s, clear: 20s, message: defrost}}`)
	var climb []float64
	for i := range 56 {
		climb = append(climb, float64(i-30)/10) // -3, -2.9 … 2.5: 0.1 a second
	}
	expect(t, "8 is 55 s away", everySecond(e, 0, climb...))
	for i := range 45 {
		climb[i] = float64(i+26) / 10 // 2.6 … 7.0
	}
	expect(t, "11 s away", everySecond(e, 56, climb[:44]...))
	expect(t, "10 s away", everySecond(e, 100, 7.0),
		"12:02:10 a1 raised s value 7 limit 8 peak 7: defrost: trend/1: 360 an hour over 1m0s, reaches 8 in 10s")
	expect(t, "still", everySecond(e, 101, 7.05, 7.1))
	var out []string
	for i := range 60 {
		out = append(out, everySecond(e, 103+i, 7)...)
	}
	if len(out) != 1 || !strings.Contains(out[0], " a1 cleared s value 7 limit 8 ") {
		t.Errorf("level: %q, want the alert cleared", out)
	}
}

func TestTrendRate(t *testing.T) {
	t.Parallel()
	fall := `
  - {name: r, trend: {quantity: temperature_celsius, window: 1m, fall: 3, per: 1m, clear: 1, least: 3}}`
	slope := func(from int, start, perSecond float64) []float64 {
		var values []float64
		for i := range 61 {
			values = append(values, start+float64(i)*perSecond)
		}
		return values
	}
	expect(t, "falls slowly", everySecond(engine(t, 1, fall), 0, slope(0, 0, -0.04)...))
	expect(t, "rises", everySecond(engine(t, 1, fall), 0, slope(0, 0, 1)...))
	e := engine(t, 1, fall)
	expect(t, "falls", everySecond(e, 0, slope(0, 0, -0.1)...), "12:01:00 a1 raised s value -6 limit -3 peak -6: trend/1: -360 an hour over 1m0s")
	if got := everySecond(e, 61, slope(61, -6, 0)...); len(got) != 1 || !strings.Contains(got[0], " a1 cleared ") {
		t.Errorf("level: %q, want the alert cleared", got)
	}
	at := "  - {name: r, trend: {quantity: temperature_celsius, window: 1m, rise: 6, per: 1m}}\n"
	expect(t, "no more than the limit", everySecond(engine(t, 1, at), 0, slope(0, 0, 0.0999)...))
}

// No line: too few readings, too short a span, all at one instant; nothing of it counts as steep.
func TestTrendWarmup(t *testing.T) {
	t.Parallel()
	const rule = `
  - {name: r, trend: {quantity: temperature_celsius, window: 1m, rise: 1, per: 1h, least: 4}}`
	e := engine(t, 1, rule)
	expect(t, "29 s are less than half", everySecond(e, 0, make([]float64, 30)...))
	e = engine(t, 1, rule)
	for i, v := range []float64{0, 10, 20} {
		expect(t, "three", explained(e.Apply(reading(instant(20*i), "s", v), instant(20*i))))
	}
	if got := explained(e.Apply(reading(instant(58), "s", 30), instant(58))); len(got) != 1 {
		t.Errorf("fourth: %q, want an alert", got)
	}
	e = engine(t, 1, rule)
	for range 10 {
		expect(t, "one instant", explained(e.Apply(reading(instant(0), "s", 1), instant(0))))
	}
}

func TestTrendIgnores(t *testing.T) {
	t.Parallel()
	e := engine(t, 1, `
  - {name: r, trend: {sensor: s, quantity: temperature_celsius, window: 1m, below: 0, within: 1m}}`)
	everySecond(e, 0, 9, 9, 9, 9)
	before, _ := whole(e)
	everySecond(e, 4, math.NaN(), math.Inf(1), math.Inf(-1))
	at := instant(7)
	bad := reading(at, "s", -900)
	bad.Quality = map[string]holdfast.Quality{"temperature_celsius": holdfast.Bad}
	e.Apply(bad, at)
	e.Apply(reading(at, "unknown", -900), at)
	e.Apply(&holdfast.Reading{Time: at.Time, Mono: at.Mono, Sensor: "s", Values: map[string]float64{"humidity_percent": 900}}, at)
	e.Apply(reading(instant(1), "s", -900), instant(1)) // late
	if after, _ := whole(e); string(after) != string(before) {
		t.Errorf("%s became %s", before, after)
	}

	// Values whose sums no number holds cost their part of the window, not the checkpoint.
	everySecond(e, 10, math.MaxFloat64, -math.MaxFloat64, math.MaxFloat64)
	within := instant(12)
	within.Mono += 4e5
	e.Apply(reading(within, "s", -math.MaxFloat64), within)
	if _, err := whole(e); err != nil {
		t.Error(err)
	}
}

// A line that lies at the limit has reached it, level or not; zero is a limit and a value.
func TestTrendAtLimit(t *testing.T) {
	t.Parallel()
	e := engine(t, 1, `
  - {name: r, trend: {quantity: temperature_celsius, window: 10s, below: 0, within: 1m, least: 3}}`)
	expect(t, "level", everySecond(e, 0, 0, 0, 0, 0, 0, 0), "12:00:35 a1 raised s value 0 limit 0 peak 0: trend/1: 0 an hour over 10s, is at 0")
	m := e.rules[0].memories[0].(*course)
	seen := m.acknowledge(e.origin(e.rules[0], "s"), "ada", instant(6))
	if m.alertID() != "a1" || len(seen) != 1 || seen[0].Validate() != nil || seen[0].(*holdfast.Alert).By != "ada" {
		t.Errorf("acknowledged %q: %v", m.alertID(), explained(seen))
	}
}

// Within a boot a line goes on after a restart; a step of the wall clock bends nothing; a reboot begins anew.
func TestTrendRestart(t *testing.T) {
	t.Parallel()
	const rule = `
  - {name: r, trend: {quantity: temperature_celsius, window: 1m, rise: 3, per: 1m, least: 3}}`
	e := engine(t, 1, rule)
	everySecond(e, 0, 0, 1, 2)
	next := engine(t, 1, rule)
	restarted(t, e, next, instant(3))
	at := instant(40)
	at.Time = at.Time.Add(-time.Hour)
	got := explained(next.Apply(reading(at, "s", 40), at))
	if len(got) != 1 || !strings.Contains(got[0], " raised s value 60 ") {
		t.Errorf("after the restart %q, want a rise of 60", got)
	}
	boot := func(second int64) holdfast.Instant {
		return holdfast.Instant{Time: noon, Boot: "boot-2", Mono: second * 1e6, Synchronized: true}
	}
	booted := engine(t, 1, rule)
	expect(t, "reboot", restarted(t, next, booted, boot(1)))
	for _, second := range []int64{1, 20} {
		expect(t, "no line yet", explained(booted.Apply(reading(boot(second), "s", 0), boot(second))))
	}
	got = explained(booted.Apply(reading(boot(40), "s", 0), boot(40)))
	if len(got) != 1 || !strings.Contains(got[0], " a1 cleared ") {
		t.Errorf("after the reboot %q, want the alert cleared by the new line", got)
	}
	if got := restarted(t, next, engine(t, 2, " []"), at); len(got) != 1 || !strings.Contains(got[0], "a1 r v1 cleared") {
		t.Errorf("rule gone: %q, want the alert cleared", got)
	}
}

// The line against plain least squares over the values themselves: random gaps, duplicates, late values.
func TestLine(t *testing.T) {
	t.Parallel()
	type point struct {
		mono int64
		v    float64
	}
	const window = time.Minute
	width := window.Microseconds() / segments
	rapid.Check(t, func(t *rapid.T) {
		var l line
		var full joined
		var points []point
		mono := rapid.Int64Range(0, 1e13).Draw(t, "boot")
		newest := int64(0)
		offset := float64(rapid.IntRange(-1000, 1000).Draw(t, "offset"))
		for range rapid.IntRange(1, 80).Draw(t, "n") {
			mono += rapid.OneOf(rapid.Int64Range(0, 1e6), rapid.Int64Range(0, 3e7), rapid.Int64Range(-3e6, 0)).Draw(t, "step")
			mono = max(mono, 0)
			p := point{mono, offset + float64(rapid.IntRange(-100, 100).Draw(t, "v"))/10}
			got, ok := l.add(window, p.mono, p.v, &full)
			if p.mono/width < newest {
				if ok {
					t.Fatalf("a late value was taken")
				}
				continue
			}
			newest = p.mono / width
			points = append(points, p)
			var n, mt, mv, tt, tv float64
			first := p.mono
			for _, q := range points {
				if q.mono/width > newest-segments {
					n, mt, mv, first = n+1, mt+seconds(q.mono-p.mono), mv+q.v, min(first, q.mono)
				}
			}
			mt, mv = mt/n, mv/n
			for _, q := range points {
				if t := seconds(q.mono - p.mono); q.mono/width > newest-segments {
					tt, tv = tt+(t-mt)*(t-mt), tv+(t-mt)*(q.v-mv)
				}
			}
			if tt < 1e-6 {
				continue // all of one instant: both slopes are rounding
			}
			if !ok || got.n != n || got.span != micros(p.mono-first) {
				t.Fatalf("%+v %v, want %v values over %v", got, ok, n, micros(p.mono-first))
			}
			if math.Abs(got.slope-tv/tt) > 1e-6*(1+math.Abs(tv/tt)) || math.Abs(got.now-(mv-tv/tt*mt)) > 1e-6*(1+math.Abs(got.now)) {
				t.Fatalf("slope %v at %v, want %v at %v", got.slope, got.now, tv/tt, mv-tv/tt*mt)
			}
		}
		if len(l) > segments {
			t.Fatalf("%d segments", len(l))
		}
	})
}

func TestParseTrend(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"{}": "f:4: rules[0].trend.quantity: is missing\nf:4: rules[0].trend.window: is missing: want 10s to 24h\n" +
			"f:4: rules[0].trend: 0 limits: want one of above, below (with within), rise, fall (with per)",
		"{quantity: q, window: 1m, above: 1, fall: 1, per: 1h}":                 "f:4: rules[0].trend: 2 limits: want one of above, below (with within), rise, fall (with per)",
		"{quantity: q, window: 1m, above: 1}":                                   "f:4: rules[0].trend.within: is missing: want 1s to 720h",
		"{quantity: q, window: 1m, above: 1, within: 1h, clear: 1m}":            "f:4: rules[0].trend.clear: 1m0s is less than the 1h0m0s within which an alert is raised: want at least these",
		"{quantity: q, window: 1m, rise: 1}":                                    "f:4: rules[0].trend.per: is missing: want 1s to 720h",
		"{quantity: q, window: 1m, fall: -1, per: 1h}":                          "f:4: rules[0].trend: a rise or fall of -1: want more than 0",
		"{quantity: q, window: 1m, fall: 1, per: 1h, clear: 2}":                 "f:4: rules[0].trend.clear: 2: want 0 to 1",
		"{quantity: q, window: 1s, least: 2, rise: 1, per: 1h, within: 1h}":     "f:4: rules[0].trend.window: 1s: want 10s to 24h0m0s\nf:4: rules[0].trend.least: \"2\": want a whole number from 3 to 10000\nf:4: rules[0].trend.within: no such key: want one of sensor, quantity, for, cooldown, latch, message, severity, window, least, above, below, rise, fall, per, clear",
		"{quantity: q, window: 1m, below: -1, within: 1h, clear: 2h, for: 10s}": "",
	} {
		expectMistakes(t, "trend: "+text, want)
	}
}
