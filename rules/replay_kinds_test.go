package rules

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"holdfast"
)

// The same readings and ticks give the same records whether the engine ran through or was restarted from its checkpoint
// anywhere: gaps, several readings of one instant, values far out, steps of the wall clock and times without it included.
func TestReplayOfKinds(t *testing.T) {
	t.Parallel()
	set, err := Parse("kinds.yaml", []byte(`
version: 1
rules:
  - {name: hampel, anomaly: {quantity: temperature_celsius, window: 7, warmup: 4, clear: 2, for: 2s, cooldown: 5s}}
  - {name: ewma, anomaly: {quantity: temperature_celsius, method: ewma, window: 9, warmup: 4, deviations: 2, floor: 0.5}}
  - {name: near, trend: {quantity: temperature_celsius, window: 20s, above: 5, within: 1m, clear: 2m, least: 3, for: 1s}}
  - {name: fast, trend: {sensor: a, quantity: temperature_celsius, window: 1m, fall: 2, per: 10s, clear: 1, least: 3}}
  - {name: double, expression: {derive: double, value: temperature_celsius * 2}}
  - {name: derived, anomaly: {quantity: double, window: 5}}
  - {name: small, expression: {filter: double > 3}}
  - {name: often, schedule: {cron: "*/2 * * * *", zone: Europe/Berlin}}
  - {name: seldom, schedule: {cron: "*/5 * * * *", missed: skip}}
`))
	if err != nil {
		t.Fatal(err)
	}
	begin := func() *Engine {
		n := 0
		return New(set, Options{NewID: func() string { n++; return fmt.Sprint("a", n) }})
	}
	kinds := make(map[string]int)
	rapid.Check(t, func(t *rapid.T) {
		through, stopped := begin(), begin()
		at := holdfast.Instant{Time: noon, Boot: "b", Mono: 5e9, Synchronized: true}
		step := func(what string, take func(*Engine) []holdfast.Record) {
			want, got := take(through), take(stopped)
			a, _ := json.Marshal(want)
			b, _ := json.Marshal(got)
			if string(a) != string(b) {
				t.Fatalf("%s at %v:\nrestarted %s\nthrough   %s", what, at.Time, b, a)
			}
			for _, r := range want {
				kinds[fmt.Sprintf("%T", r)]++
			}
		}
		for range rapid.IntRange(1, 80).Draw(t, "n") {
			passed := rapid.SampledFrom([]time.Duration{0, time.Second, time.Second, time.Second, 700 * time.Millisecond, 9 * time.Second, 4 * time.Minute}).Draw(t, "passed")
			at.Time, at.Mono = at.Time.Add(passed), at.Mono+passed.Microseconds()
			switch rapid.IntRange(0, 9).Draw(t, "what") {
			case 0:
				at.Time = at.Time.Add(rapid.SampledFrom([]time.Duration{-time.Hour, -3 * time.Minute, time.Minute, 2 * time.Hour}).Draw(t, "by"))
				at.Synchronized = !at.Synchronized
			case 1:
				data, err := whole(stopped)
				if err != nil {
					t.Fatal(err)
				}
				id := stopped.o.NewID
				stopped = New(set, Options{NewID: id})
				if records, err := restore(stopped, data, at); err != nil || len(records) > 0 {
					t.Fatal(records, err)
				}
			case 2, 3:
				step("tick", func(e *Engine) []holdfast.Record { return e.Tick(at) })
			default:
				v := float64(rapid.IntRange(-20, 20).Draw(t, "v")) / 10 * rapid.SampledFrom([]float64{1, 1, 1, 10}).Draw(t, "scale")
				sensor := rapid.SampledFrom([]string{"a", "b"}).Draw(t, "sensor")
				step("reading", func(e *Engine) []holdfast.Record { return e.Apply(reading(at, sensor, v), at) })
				if through.Fate() != stopped.Fate() {
					t.Fatalf("%+v, want %+v", stopped.Fate(), through.Fate())
				}
			}
		}
	})
	t.Log(kinds)
	if kinds["*holdfast.Alert"] == 0 || kinds["*holdfast.Event"] == 0 || kinds["*holdfast.Reading"] == 0 {
		t.Errorf("%v: want some of each", kinds)
	}
}
