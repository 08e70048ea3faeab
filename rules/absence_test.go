package rules

import (
	"math"
	"testing"

	"holdfast"
)

func TestAbsence(t *testing.T) {
	t.Parallel()
	e := engine(t, 1, "  - {name: gone, absence: {sensor: s, after: 5m}}\n")
	expect(t, "start", lines(e.Tick(instant(0))))
	e.Apply(reading(instant(10), "other", 1), instant(10))
	expect(t, "not yet", lines(e.Tick(instant(299))))
	expect(t, "never heard of", lines(e.Tick(instant(300))), "12:05:30 a1 gone v1 raised s value 300 peak 300 since 12:00:30")
	expect(t, "once", lines(e.Tick(instant(400))))
	expect(t, "heard, zero", lines(e.Apply(reading(instant(500), "s", 0), instant(500))), "12:08:50 a1 gone v1 cleared s value 0 peak 500 since 12:00:30")
	e.Apply(reading(instant(600), "s", -5), instant(600))
	expect(t, "heard on", lines(e.Tick(instant(899))))
	records := e.Tick(instant(900))
	expect(t, "silent", lines(records), "12:15:30 a2 gone v1 raised s value 300 peak 300 since 12:10:30")
	if a := records[0].(*holdfast.Alert); a.Quantity != "silence_seconds" || a.Threshold != 300 {
		t.Errorf("got %+v", a)
	}
	expect(t, "the peak is the whole silence", lines(e.Apply(reading(instant(1600), "s", 1), instant(1600))), "12:27:10 a2 gone v1 cleared s value 0 peak 1000 since 12:10:30")
}

// With a quantity only good values of it count as heard; of a glob the sensors that were heard of are missed, each alone.
func TestAbsenceEffects(t *testing.T) {
	t.Parallel()
	e := engine(t, 1, "  - {name: gone, absence: {sensor: \"s*\", quantity: temperature_celsius, after: 10s}}\n")
	expect(t, "nobody is known", lines(e.Tick(instant(-100))))
	e.Apply(reading(instant(0), "s1", -1), instant(0))
	e.Apply(reading(instant(4), "s2", 0), instant(4))
	bad := reading(instant(8), "s1", 99)
	bad.Quality = map[string]holdfast.Quality{"temperature_celsius": holdfast.Bad}
	e.Apply(bad, instant(8))
	e.Apply(reading(instant(8), "s1", math.NaN()), instant(8))
	e.Apply(&holdfast.Reading{Time: noon, Mono: instant(8).Mono, Sensor: "s1", Values: map[string]float64{"humidity_percent": 9}}, instant(8))
	expect(t, "s1", lines(e.Tick(instant(10))), "12:00:40 a1 gone v1 raised s1 value 10 peak 10 since 12:00:30")
	expect(t, "s2", lines(e.Tick(instant(14))), "12:00:44 a2 gone v1 raised s2 value 10 peak 10 since 12:00:34")
}

// A restart goes on with the wait, a reboot begins it anew; a raised alert survives both, and only a reading clears it.
func TestAbsenceRestart(t *testing.T) {
	t.Parallel()
	const rule = "  - {name: gone, absence: {sensor: s, after: 10s}}\n"
	e, same, boot := engine(t, 1, rule), engine(t, 1, rule), engine(t, 1, rule)
	e.Apply(reading(instant(0), "s", 1), instant(0))
	restarted(t, e, same, instant(9))
	expect(t, "restart", lines(same.Tick(instant(10))), "12:00:40 a1 gone v1 raised s value 10 peak 10 since 12:00:30")

	at := instant(60)
	at.Boot, at.Mono = "boot-2", 3e6
	restarted(t, e, boot, at)
	expect(t, "reboot", lines(boot.Tick(at)))
	at.Mono, at.Time = at.Mono+10e6, instant(70).Time
	expect(t, "anew", lines(boot.Tick(at)), "12:01:40 a1 gone v1 raised s value 10 peak 10 since 12:01:30")

	raised := engine(t, 1, rule)
	at = instant(80)
	at.Boot, at.Mono = "boot-3", 3e6
	restarted(t, boot, raised, at)
	expect(t, "raised before the reboot", lines(raised.Tick(at)))
	expect(t, "heard", lines(raised.Apply(&holdfast.Reading{Time: at.Time, Mono: 4e6, Sensor: "s", Values: map[string]float64{"q": 0}}, at)),
		"12:01:50 a1 gone v1 cleared s value 0 peak 10 since 12:01:30")
}

// A latched absence that was heard and fell silent again is not over.
func TestAbsenceLatch(t *testing.T) {
	t.Parallel()
	e := engine(t, 1, "  - {name: gone, absence: {sensor: s, after: 10s, latch: true}}\n")
	e.Apply(reading(instant(0), "s", 1), instant(0))
	got := short(e.Tick(instant(10))) + short(e.Apply(reading(instant(11), "s", 1), instant(11))) + short(e.Tick(instant(30)))
	records, err := e.Acknowledge("a1", "ann", instant(31))
	if err != nil {
		t.Fatal(err)
	}
	got += short(records) + short(e.Apply(reading(instant(32), "s", 1), instant(32)))
	if want := "r--ac"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// While measuring is stopped nobody is missed; a raised alert stays until the sensor is heard, and its peak is the silence since
// measuring went on.
func TestAbsenceRests(t *testing.T) {
	t.Parallel()
	e := engine(t, 1, "  - {name: gone, absence: {sensor: s, after: 10s}}\n")
	e.Apply(reading(instant(0), "s", 1), instant(0))
	e.Rest(true)
	for second := 5; second < 100; second++ {
		expect(t, "resting", lines(e.Tick(instant(second))))
	}
	e.Rest(false)
	expect(t, "begun anew", lines(e.Tick(instant(108))))
	expect(t, "missed", lines(e.Tick(instant(109))), "12:02:19 a1 gone v1 raised s value 10 peak 10 since 12:02:09")
	e.Rest(true)
	expect(t, "stays", lines(e.Tick(instant(200))))
	e.Rest(false)
	expect(t, "heard", lines(e.Apply(reading(instant(203), "s", 0), instant(203))), "12:03:53 a1 gone v1 cleared s value 0 peak 10 since 12:02:09")
}
