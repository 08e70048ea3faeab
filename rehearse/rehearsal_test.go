package rehearse

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"holdfast"
	"holdfast/rules"
	"holdfast/wire"
)

const text = `
version: 7
rules:
  - {name: warm, threshold: {quantity: temperature_celsius, above: 5, clear: 4, for: 1m}}
  - {name: silent, absence: {sensor: a, after: 2m}}
  - {name: double, expression: {derive: double, value: temperature_celsius * 2}}
  - {name: band, deadband: {quantities: [temperature_celsius], absolute: 1, heartbeat: 10m}}
  - {name: minute, aggregate: {window: 1m, functions: [mean, p90]}}
  - {name: sliding, aggregate: {sliding: 1h, every: 7s, functions: [mean, stddev, p50]}}
  - {name: often, schedule: {cron: "*/7 * * * *"}}
  - {name: way, expression: {route: 'temperature_celsius > 0 ? "plus" : "minus"', routes: [plus, minus]}}
`

func parse(t testing.TB, text string) *rules.Set {
	t.Helper()
	set, err := rules.Parse("test", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// noon is a third of a second past it: ticks are on whole seconds.
var noon = time.Date(2026, 5, 1, 12, 0, 0, 333e6, time.UTC)

// some are readings of two sensors, with several in a second and with gaps of minutes and of hours.
func some() (readings []*holdfast.Reading) {
	rng := rand.New(rand.NewPCG(1, 2))
	at := noon
	for i := range 3000 {
		gap := time.Duration(rng.IntN(4000)) * time.Millisecond
		switch {
		case i%1000 == 999:
			gap = 4 * time.Hour
		case i%100 == 99:
			gap = time.Duration(rng.IntN(1000)) * time.Second
		case i%10 == 3:
			gap = 0
		}
		at = at.Add(gap)
		readings = append(readings, &holdfast.Reading{Time: at, Sensor: []string{"a", "b"}[rng.IntN(2)], Values: map[string]float64{
			"temperature_celsius": math.Round(100*(6*math.Sin(float64(i)/60)+rng.NormFloat64())) / 100,
		}})
	}
	return readings
}

// A rehearsal gives what an engine gives that is driven as a gateway drives it, with a tick in each second.
func TestEqualsTickingEachSecond(t *testing.T) {
	t.Parallel()
	set, readings := parse(t, text), some()
	var got, want []string
	r := New(set, Options{See: func(record holdfast.Record) { got = append(got, written(t, record)) }})
	ids := 0
	e := rules.New(set, rules.Options{NewID: func() string { ids++; return fmt.Sprintf("rehearsed-%d", ids) }})
	see := func(records []holdfast.Record) {
		for _, record := range records {
			want = append(want, written(t, record))
		}
	}
	first := noon.Truncate(time.Second)
	tick := first
	withheld := uint64(0)
	at := func(now time.Time) holdfast.Instant {
		return holdfast.Instant{Time: now, Boot: "boot", Mono: now.Sub(first).Microseconds() + begin, Synchronized: true}
	}
	for _, reading := range readings {
		for ; !tick.After(reading.Time); tick = tick.Add(time.Second) {
			see(e.Tick(at(tick)))
		}
		measured := *reading
		measured.Mono = at(reading.Time).Mono
		see(e.Apply(&measured, at(reading.Time)))
		if e.Fate().Withheld != "" {
			withheld++
		}
		r.Read(reading)
	}
	for i := range max(len(got), len(want)) {
		if i >= len(got) || i >= len(want) || got[i] != want[i] {
			t.Fatalf("record %d of %d: want %d, and to be the same:\n%s\n%s", i, len(got), len(want), got[min(i, len(got)-1)], want[min(i, len(want)-1)])
		}
	}
	report := r.Report()
	if report.Traffic.Withheld != withheld || report.Traffic.Readings+withheld != uint64(len(readings)) || report.Readings != uint64(len(readings)) {
		t.Errorf("%+v, want %d of %d withheld", report.Traffic, withheld, len(readings))
	}
	for _, rule := range report.Rules[:7] {
		if rule.Fired == 0 || rule.First.IsZero() || rule.Last.Before(rule.First) {
			t.Errorf("%+v did nothing", rule)
		}
	}
	if n := report.Traffic.Routes; n["plus"]+n["minus"] != uint64(len(readings)) {
		t.Errorf("routes %v, want them to be %d", n, len(readings))
	}
}

func written(t *testing.T, record holdfast.Record) string {
	t.Helper()
	data, err := json.Marshal(record)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// Readings are counted in the bytes that wire.EncodeBatch makes of them.
func TestTrafficIsThatOfTheWire(t *testing.T) {
	t.Parallel()
	var count traffic
	var batches []*holdfast.Batch
	rng := rand.New(rand.NewPCG(3, 4))
	records := make(map[holdfast.Lane]uint64)
	odd := []float64{0, 1e-7, 1e21, -1e300, math.Copysign(0, -1), 5e-324, 123456789.125, -0.000001}
	for i := range 600 {
		now := noon.Add(time.Duration(i/40) * 2 * time.Second)
		values := map[string]float64{"b": rng.NormFloat64(), "a": float64(rng.IntN(100))}
		if i%7 == 0 {
			values["c"] = odd[i/7%len(odd)]
		}
		var record holdfast.Record = &holdfast.Reading{Time: now, Sensor: "s", Values: values}
		switch i % 40 {
		case 5:
			record = &holdfast.Reading{Time: now, Sensor: "s", Values: values, Quality: map[string]holdfast.Quality{"a": holdfast.Suspect}}
		case 6:
			record = &holdfast.Aggregate{Time: now, From: now, To: now.Add(time.Second), Rule: "r", Sensor: "s", Values: values, Count: 3}
		case 7:
			record = &holdfast.Alert{Time: now, ID: "x", Rule: "r", State: holdfast.Raised, Severity: holdfast.Info, Sensor: "s", Quantity: "q", Message: "<warm & damp>"}
		}
		lane := record.Lane()
		if i%40 == 0 || lane == holdfast.LaneAlert {
			batches = append(batches, &holdfast.Batch{V: 1, Device: device, Lane: lane, First: records[lane] + 1, What: holdfast.Data})
			batches[len(batches)-1].Stream, _ = holdfast.ParseStream(stream)
		}
		b := batches[len(batches)-1]
		for j := len(batches) - 1; b.Lane != lane; j-- {
			b = batches[j]
		}
		records[lane]++
		b.Last, b.Head = records[lane], records[lane]
		b.Records = append(b.Records, json.RawMessage(written(t, record)))
		if size, want := count.add(record, now.UnixMicro()), len(b.Records[len(b.Records)-1]); size != want {
			t.Errorf("record %d has %d bytes, want %d: %s", i, size, want, b.Records[len(b.Records)-1])
		}
	}
	var got Traffic
	count.report(&got)
	var want Traffic
	for _, b := range batches {
		plain, err := wire.EncodeBatch(b, false)
		if err != nil {
			t.Fatal(err)
		}
		packed, _ := wire.EncodeBatch(b, len(plain) > worthZstd)
		want.Batches++
		want.Bytes += uint64(packet(string(b.Lane), len(plain)))
		want.Compressed += uint64(packet(string(b.Lane), len(packed)))
	}
	if got.Batches != want.Batches || got.Bytes != want.Bytes || got.Compressed != want.Compressed || got.Compressed == got.Bytes {
		t.Errorf("%+v, want %+v", got, want)
	}
}

// What a device did is counted apart from what its sensors measured.
func TestPast(t *testing.T) {
	t.Parallel()
	p := NewPast(parse(t, text))
	measured := &holdfast.Reading{Time: noon, Sensor: "a", Values: map[string]float64{"temperature_celsius": 1}}
	event := holdfast.NewEvent(holdfast.Instant{Time: noon}, holdfast.EventSchedule, holdfast.Schedule{Rule: "often", State: holdfast.ScheduleFired})
	for i, test := range []struct {
		record   holdfast.Record
		withheld bool
		readings bool
	}{
		{measured, false, true},
		{measured, true, true},
		{&holdfast.Reading{Time: noon, Sensor: "a", Values: map[string]float64{"double": 2}}, false, false},
		{&holdfast.Aggregate{Rule: "minute"}, false, false},
		{&holdfast.Alert{Rule: "warm", State: holdfast.Raised}, false, false},
		{&holdfast.Alert{Rule: "warm", State: holdfast.Cleared}, false, false},
		{event, false, false},
		{&holdfast.Event{Time: noon, Event: holdfast.EventBoot}, false, false},
		{&holdfast.Thinned{}, false, false},
	} {
		if got := p.See(test.record, test.withheld); (got != nil) != test.readings {
			t.Errorf("%d: %v, want a reading: %v", i, got, test.readings)
		}
	}
	want := "map[double:1 minute:1 often:1 warm:1]"
	if fmt.Sprint(p.Fired) != want || p.Readings != 1 || p.Withheld != 1 || p.Derived != 1 || p.Aggregates != 1 || p.Alerts != 2 || p.Events != 1 {
		t.Errorf("%+v, want %s", p, want)
	}
}

// Figures for a day say what they are worth.
func TestTrust(t *testing.T) {
	t.Parallel()
	for took, want := range map[time.Duration]string{
		4 * time.Second: "too short", 2 * time.Minute: "extrapolated", time.Hour: "",
	} {
		r := Report{From: noon, To: noon.Add(took)}
		if got := r.trust(); !strings.Contains(got, want) || want == "" && got != "" {
			t.Errorf("%v: %q, want %q", took, got, want)
		}
	}
}
