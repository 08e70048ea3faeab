package holdfast

import (
	"encoding/json"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"
)

// checkScan makes sure that what scanReading accepts is what encoding/json reads there.
func checkScan(t *testing.T, data []byte) (accepted bool) {
	t.Helper()
	got := scanReading(data)
	if got == nil {
		return false
	}
	var want struct {
		Kind string `json:"kind"`
		Reading
	}
	if err := json.Unmarshal(data, &want); err != nil || want.Kind != "" {
		t.Fatalf("%q: accepted as %+v, encoding/json says kind %q, %v", data, *got, want.Kind, err)
	}
	if !reflect.DeepEqual(*got, want.Reading) {
		t.Fatalf("%q: got %+v, want %+v", data, *got, want.Reading)
	}
	return true
}

var scanned = []struct {
	text     string
	accepted bool
}{
	{`{"time":"2026-05-01T12:00:00.1Z","sensor":"bme280-1-76","values":{"temperature_celsius":20.25,"humidity_percent":0,"pressure_pascals":-0.5}}`, true},
	{`{"time":"2026-05-01T12:00:00Z","sensor":"a","values":{"x":1,"x":2}}`, true},
	{`{"time":"2026-05-01T14:00:00+02:00","sensor":"a","values":{"x":1},"clock":{"boot":"4be1","mono":81234567}}`, true},
	{`{"time":"2026-05-01T12:00:00Z","sensor":"a","values":{"x":1},"id":"1621122796939-0"}`, true},
	{`{"time":"2026-05-01T12:00:00Z","sensor":"a","values":{"x":1},"clock":{"boot":"4be1","mono":1},"id":"1-2"}`, true},
	{`{"time":"2026-05-01T12:00:00Z","sensor":"a","values":{"x":1},"id":"1-2","clock":{"boot":"4be1","mono":1}}`, false},
	{`{"time":"2026-05-01T12:00:00Z","sensor":"","values":{"":1}}`, true}, // JSON; Validate says more
	{`{"time":"2026-05-01T12:00:00Z","sensor":"a","values":{}}`, false},
	{`{"time":"2026-05-01T12:00:00Z","sensor":"a","values":{"x":1e3}}`, false},
	{`{"time":"2026-05-01T12:00:00Z","sensor":"a","values":{"x":01}}`, false},
	{`{"time":"2026-05-01T12:00:00Z","sensor":"a","values":{"x":1.}}`, false},
	{`{"time":"2026-05-01T12:00:00Z","sensor":"a","values":{"x":.5}}`, false},
	{`{"time":"2026-05-01T12:00:00Z","sensor":"a","values":{"x":-}}`, false},
	{`{"time":"2026-05-01T12:00:00Z","sensor":"a","values":{"x":+1}}`, false},
	{`{"time":"2026-05-01T12:00:00Z","sensor":"a","values":{"x":null}}`, false},
	{`{"time":"2026-05-01T12:00:00Z","sensor":"a","values":{"x":1,}}`, false},
	{`{"time":"2026-05-01T12:00:00Z","sensor":"a","values":{"x":1}}}`, false},
	{`{"time":"2026-05-01T12:00:00Z","sensor":"a","values":{"x":1}} `, false},
	{`{"time":"2026-05-01T12:00:00Z","sensor":"a","values":{"x":1}`, false},
	{`{"time":"2026-05-01T12:00:00Z","sensor":"a\u0062","values":{"x":1}}`, false},
	{"{\"time\":\"2026-05-01T12:00:00Z\",\"sensor\":\"a\tb\",\"values\":{\"x\":1}}", false},
	{"{\"time\":\"2026-05-01T12:00:00Z\",\"sensor\":\"a\xff\",\"values\":{\"x\":1}}", false},
	{`{"time":"2026-05-01 12:00:00Z","sensor":"a","values":{"x":1}}`, false},
	{`{"sensor":"a","time":"2026-05-01T12:00:00Z","values":{"x":1}}`, false},
	{`{"time":"2026-05-01T12:00:00Z","sensor":"a","values":{"x":1},"quality":{"x":"bad"}}`, false},
	{`{"time":"2026-05-01T12:00:00Z","sensor":"a","values":{"x":1},"clock":{"boot":"b","mono":1.5}}`, false},
	{`{"time":"2026-05-01T12:00:00Z","sensor":"a","values":{"x":1},"clock":{"boot":"b","mono":1},"kind":"aggregate"}`, false},
	{`{"time":"2026-05-01T12:00:00Z","sensor":"a","values":{"x":1` + strings.Repeat("0", 400) + `}}`, false},
	{`{`, false},
	{``, false},
}

func TestScanReading(t *testing.T) {
	t.Parallel()
	for _, c := range scanned {
		if got := checkScan(t, []byte(c.text)); got != c.accepted {
			t.Errorf("%s: accepted %v, want %v", c.text, got, c.accepted)
		}
	}
}

// What a gateway writes of good values is read without encoding/json.
func TestScanWrittenReading(t *testing.T) {
	t.Parallel()
	for i := range 200 {
		r := Reading{Time: Micro(time.Now()), Sensor: "bme280-1-76", Values: map[string]float64{
			"temperature_celsius": rand.NormFloat64() * 20, "humidity_percent": float64(rand.IntN(101)), "pressure_pascals": 9e4 + 2e4*rand.Float64(),
		}}
		if i%2 == 0 {
			r.Clock = &Clock{Boot: "5ef54bf8-0eb2-4a29-9b50-228cd0fa5a26", Mono: rand.Int64N(MaxInteger)}
		}
		data, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		if !checkScan(t, data) {
			t.Errorf("not accepted: %s", data)
		}
	}
}

// What the quick way accepts, it reads as encoding/json does.
func FuzzScanReading(f *testing.F) {
	for _, c := range scanned {
		f.Add([]byte(c.text))
	}
	f.Fuzz(func(t *testing.T, data []byte) { checkScan(t, data) })
}

func BenchmarkDecodeRecord(b *testing.B) {
	data := []byte(scanned[0].text)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := DecodeRecord(LaneTelemetry, data); err != nil {
			b.Fatal(err)
		}
	}
}
