package rules

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"holdfast"
)

// everything is a set with all kinds, and all windows.
const everything = `
version: 1
rules:
  - {name: high, threshold: {quantity: temperature_celsius, above: 5, clear: 4, for: 7s, cooldown: 20s}}
  - {name: latched, threshold: {quantity: temperature_celsius, below: -1, for: 25s, latch: true}}
  - {name: fast, rate: {quantity: temperature_celsius, above: 2, over: 10s, for: 3s, cooldown: 1m}}
  - {name: silent, absence: {sensor: a, after: 8s, cooldown: 30s}}
  - {name: silent_too, absence: {quantity: temperature_celsius, after: 2m, latch: true}}
  - {name: odd, anomaly: {quantity: temperature_celsius, window: 7, warmup: 4, clear: 2, for: 2s, cooldown: 5s}}
  - {name: near, trend: {quantity: temperature_celsius, window: 20s, above: 3, within: 5m, clear: 10m, least: 3, for: 2s}}
  - {name: double, expression: {derive: double, value: temperature_celsius * 2}}
  - {name: band, deadband: {absolute: 1, heartbeat: 20s}}
  - {name: tumbling, aggregate: {window: 30s, functions: [mean, p50]}}
  - {name: hopping, aggregate: {window: 1m, every: 5s, functions: [mean, count]}}
  - {name: sliding, aggregate: {sliding: 20s, every: 3s, functions: [mean, stddev, p95]}}
  - {name: sliding_fast, aggregate: {sliding: 1m, functions: [sum, rate]}}
  - {name: session, aggregate: {session: 12s, longest: 40s, functions: [first, last]}}
  - {name: counted, aggregate: {count: 3, across: true, functions: [max]}}
  - {name: often, schedule: {cron: "*/2 * * * *", zone: Europe/Berlin}}
  - {name: seldom, schedule: {cron: "3 * * * *", missed: skip}}
`

// Ticks before the time that Wake names change nothing: an engine that is spared them makes the same records. Each rule is
// tried alone, since others would have it ticked in time.
func TestWake(t *testing.T) {
	t.Parallel()
	for _, k := range kinds {
		if !strings.Contains(everything, k.name+":") {
			t.Errorf("no rule of kind %s: does its tick do something before what wake says?", k.name)
		}
	}
	head, lines, _ := strings.Cut(everything, "rules:\n")
	for line := range strings.Lines(lines) {
		set, err := Parse("one", []byte(head+"rules:\n"+line))
		if err != nil {
			t.Fatal(err)
		}
		made, spared := 0, 0
		rapid.Check(t, func(t *rapid.T) { sparing(t, set, &made, &spared) })
		t.Logf("%s: %d records, %d ticks spared", set.Names()[0], made, spared)
		quiet := set.rules[0].kind == "expression" || set.rules[0].kind == "deadband"
		if made == 0 && !quiet || spared == 0 {
			t.Errorf("%s: %d records, %d ticks spared: want some", set.Names()[0], made, spared)
		}
	}
}

// sparing runs two engines over the same readings and seconds, one of which is ticked only when Wake says so.
func sparing(t *rapid.T, set *Set, made, spared *int) {
	begin := func() *Engine {
		n := 0
		return New(set, Options{NewID: func() string { n++; return fmt.Sprint("a", n) }})
	}
	each, few := begin(), begin()
	at := holdfast.Instant{Time: noon, Boot: "b", Mono: 5e9, Synchronized: true}
	compare := func(want, got []holdfast.Record) {
		a, _ := json.Marshal(want)
		b, _ := json.Marshal(got)
		if string(a) != string(b) {
			t.Fatalf("%s at %v:\nspared     %s\neach tick  %s", set.Names()[0], at.Time, b, a)
		}
		*made += len(want)
	}
	for range rapid.IntRange(1, 40).Draw(t, "n") {
		for range rapid.SampledFrom([]int{0, 1, 1, 2, 3, 9, 40, 150}).Draw(t, "seconds") {
			at.Time, at.Mono = at.Time.Add(time.Second), at.Mono+1e6
			want := each.Tick(at)
			if few.Wake(at) > at.Mono {
				*spared++
				compare(want, nil)
				continue
			}
			compare(want, few.Tick(at))
		}
		if rapid.IntRange(0, 9).Draw(t, "acknowledge") == 0 {
			id := fmt.Sprint("a", rapid.IntRange(1, 9).Draw(t, "id"))
			want, _ := each.Acknowledge(id, "ops", at)
			got, _ := few.Acknowledge(id, "ops", at)
			compare(want, got)
		}
		r := reading(at, rapid.SampledFrom([]string{"a", "b"}).Draw(t, "sensor"), float64(rapid.IntRange(-80, 80).Draw(t, "v"))/10)
		compare(each.Apply(r, at), few.Apply(r, at))
	}
}
