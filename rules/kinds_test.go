package rules

import (
	"fmt"
	"math"
	"testing"
	"time"
	"unsafe"
)

// calm are rules that look at every reading and find nothing in it.
func calm(t *testing.T) map[string]*Engine {
	t.Helper()
	engines := make(map[string]*Engine)
	for name, rule := range map[string]string{
		"hampel":     "anomaly: {quantity: temperature_celsius, window: 301, warmup: 5, deviations: 1000}",
		"ewma":       "anomaly: {quantity: temperature_celsius, window: 301, warmup: 5, deviations: 1000, method: ewma}",
		"trend":      "trend: {quantity: temperature_celsius, window: 1m, above: 1000, within: 1s}",
		"expression": `expression: {filter: 'abs(temperature_celsius - 20) < 50 and sensor startsWith "s"'}`,
	} {
		engines[name] = engine(t, 1, "  - {name: r, "+rule+"}\n")
	}
	return engines
}

// A reading that raises nothing costs anomaly and trend no memory once their windows are full.
func TestKindsAllocate(t *testing.T) {
	engines := calm(t)
	delete(engines, "expression") // its numbers go through interfaces
	for name, e := range engines {
		everySecond(e, 0, make([]float64, 400)...)
		m, o, second := e.rules[0].memories[0], e.origin(e.rules[0], "s"), 400
		r := reading(instant(second), "s", 20)
		if n := testing.AllocsPerRun(200, func() {
			second++
			r.Values["temperature_celsius"] = 20 + math.Sin(float64(second))
			m.apply(o, r, instant(second))
		}); n != 0 {
			t.Errorf("%s: %v allocations a reading, want 0", name, n)
		}
	}
}

// What one sensor takes at most is what the definition says.
func TestKindsAreBounded(t *testing.T) {
	for name, e := range calm(t) {
		for i := range 2000 {
			at := instant(i)
			e.Apply(reading(at, "s", math.Sin(float64(i))), at)
		}
		began := time.Now()
		for i := range 2000 {
			at := instant(2000 + i)
			e.Apply(reading(at, "s", math.Sin(float64(i))), at)
		}
		data, err := whole(e)
		if err != nil {
			t.Error(err)
		}
		t.Logf("%s: %v a reading, checkpoint of %d bytes", name, time.Since(began)/2000, len(data))
		if len(data) > 12000 {
			t.Errorf("%s: a checkpoint of %d bytes", name, len(data))
		}
		switch m := e.rules[0].memories[0].(type) {
		case *course:
			if size := int(unsafe.Sizeof(segment{})) * len(m.Line); len(m.Line) > segments || size+int(unsafe.Sizeof(*m)) > m.trend.bytes() {
				t.Errorf("%d segments of %d bytes, want at most %d", len(m.Line), size, m.trend.bytes())
			}
		case *expectation:
			size := int(unsafe.Sizeof(*m))
			if m.Hampel != nil {
				size += 8*len(m.Hampel.Values) + 8*len(m.Hampel.sorted)
			}
			if size > m.anomaly.bytes() {
				t.Errorf("%s: %d bytes, want at most %d", name, size, m.anomaly.bytes())
			}
		}
	}
}

// Whatever the expression, it is refused or gives valid records from any value, and breaks no rule by a panic.
func FuzzExpression(f *testing.F) {
	for _, text := range []string{"temperature_celsius > 1", "-a ** 2 / 0", `sensor contains "s" ? ln(a) : min(a, 1)`, "a ? 1 : 2", "((((", "1..9", "map(a, #)", "'\\xff' + sensor", "a?.b", "not true", "if a > 1 { 2 } else { 3 }", "a | abs()", "nil ?? 1", "0x1f + 1e308 * 10"} {
		f.Add(text, 1.5)
	}
	f.Fuzz(func(t *testing.T, text string, v float64) {
		for i, use := range []string{"{derive: d, value: %q}", "{filter: %q}", "{route: %q, routes: [s]}"} {
			set, err := Parse("f", fmt.Appendf(nil, "version: 1\nrules:\n  - name: r\n    expression: "+use+"\n", text))
			if err != nil {
				continue
			}
			e := New(set, Options{})
			at := instant(i)
			r := reading(at, "s", v)
			r.Values["a"] = v
			for _, record := range e.Apply(r, at) {
				if err := record.Validate(); err != nil {
					t.Errorf("%s of %v: %v", text, v, err)
				}
			}
			if e.rules[0].off {
				t.Errorf("%s of %v panicked", text, v)
			}
		}
	})
}

// Whatever is handed over as the state of these kinds, and whatever the values and steps of the clock, the engine goes on.
func FuzzKinds(f *testing.F) {
	set, err := Parse("kinds.yaml", []byte(`
version: 1
rules:
  - {name: hampel, anomaly: {quantity: temperature_celsius, window: 5, warmup: 3}}
  - {name: ewma, anomaly: {quantity: temperature_celsius, method: ewma, window: 5, warmup: 3, latch: true}}
  - {name: trend, trend: {quantity: temperature_celsius, window: 10s, above: 5, within: 1m, least: 3}}
  - {name: derive, expression: {derive: d, value: temperature_celsius * 2}}
  - {name: ten, schedule: {cron: "*/10 * * * *", zone: Europe/Berlin}}
`))
	if err != nil {
		f.Fatal(err)
	}
	e := New(set, Options{})
	for i := range 6 {
		e.Tick(instant(i))
		e.Apply(reading(instant(i), "s", float64(i%3)), instant(i))
	}
	data, err := whole(e)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data, 1e300, int64(-5e6))
	f.Add(data, 0.0, int64(9e11))
	const wallStep = 30 * 24 * 3600e6 // µs; longer ones take longer
	f.Fuzz(func(t *testing.T, data []byte, v float64, step int64) {
		e := New(set, Options{})
		if _, err := restore(e, data, instant(20)); err != nil && err.Error() == "" {
			t.Error("an error without words")
		}
		at := instant(21)
		for i := range 20 {
			r := reading(at, "s", v*float64(i%5))
			r.Mono = max(0, r.Mono)
			for _, record := range append(e.Apply(r, at), e.Tick(at)...) {
				if err := record.Validate(); err != nil {
					t.Errorf("record %+v: %v", record, err)
				}
			}
			at.Mono += step / int64(i+1)
			at.Time = at.Time.Add(time.Duration(step%wallStep>>(i%4)) * time.Microsecond)
		}
		again, err := whole(e)
		if err != nil {
			t.Fatalf("what the values leave cannot be written: %v", err)
		}
		if _, err := restore(New(set, Options{}), again, at); err != nil {
			t.Errorf("what the engine wrote is not restored: %v\n%s", err, again)
		}
	})
}
