package sensors

import (
	"context"
	"errors"
	"maps"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"holdfast"
)

// script is a sensor that measures what is written down for it.
type script []map[string]float64

func (s *script) Read(context.Context) (map[string]float64, error) {
	if len(*s) == 0 || (*s)[0] == nil {
		*s = (*s)[min(1, len(*s)):]
		return nil, errors.New("nothing is written down")
	}
	values := maps.Clone((*s)[0])
	*s = (*s)[1:]
	return values, nil
}

func celsiusOf(values ...float64) *script {
	s := new(script)
	for _, v := range values {
		*s = append(*s, map[string]float64{"temperature_celsius": v})
	}
	return s
}

// scripted is a track that measures by a script.
func scripted(s *script, f Filter, quantities ...holdfast.Quantity) *track {
	return &track{sensor: s, filter: f, grader: grader{quantities: quantities}}
}

func TestWhatIsOutsideItsRangeIsNoMeasurement(t *testing.T) {
	t.Parallel()
	s := &script{
		{"temperature_celsius": 20, "humidity_percent": 50},
		{"temperature_celsius": 20, "humidity_percent": 140},
		{"temperature_celsius": math.NaN(), "humidity_percent": math.Inf(1)},
		{"temperature_celsius": 20, "humidity_percent": 50},
	}
	tr := scripted(s, Filter{}, celsius(2, -40, 85), humidity)
	m, err := tr.measure(t.Context())
	if err != nil || len(m.values) != 2 || m.quality != nil || m.bad != nil {
		t.Errorf("a good measurement: %+v, %v", m, err)
	}
	m, err = tr.measure(t.Context())
	if err != nil || len(m.values) != 1 || m.quality["temperature_celsius"] != holdfast.Suspect || len(m.bad) != 1 {
		t.Errorf("beside a bad humidity: %+v, %v, want a suspect temperature alone", m, err)
	}
	if m, err = tr.measure(t.Context()); err == nil || len(m.bad) != 2 {
		t.Errorf("no numbers: %+v, %v, want an error", m, err)
	}
	if m, err = tr.measure(t.Context()); err != nil || m.quality != nil {
		t.Errorf("afterwards: %+v, %v", m, err)
	}
}

func TestJumpsAreSuspect(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		tr := scripted(celsiusOf(20, 24, 40, 41, 20, 20.5), Filter{}, celsius(2, -40, 85))
		for i, suspect := range []bool{false, false, true, false, true, false} {
			m, err := tr.measure(t.Context())
			if err != nil || (m.quality != nil) != suspect {
				t.Errorf("sample %d: %+v, %v, want suspect %v", i+1, m, err, suspect)
			}
			time.Sleep(time.Second)
		}
		tr = scripted(celsiusOf(20, 60, 20), Filter{}, celsius(2, -40, 85))
		for range 2 { // 40 K in 10 s are possible
			if m, err := tr.measure(t.Context()); err != nil || m.quality != nil {
				t.Errorf("%+v, %v", m, err)
			}
			time.Sleep(10 * time.Second)
		}
		tr.grader.forget()
		if m, err := tr.measure(t.Context()); err != nil || m.quality != nil {
			t.Errorf("after a pause: %+v, %v", m, err)
		}
	})
}

func TestWhatDoesNotMoveIsSuspect(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		values := make([]float64, 100)
		tr := scripted(celsiusOf(append(values, 0.01)...), Filter{}, restless(celsius(2, -40, 85), time.Minute))
		for i := range values {
			m, err := tr.measure(t.Context())
			if err != nil || (m.quality != nil) != (i > 60) {
				t.Errorf("after %d s: %+v, %v", i, m, err)
			}
			time.Sleep(time.Second)
		}
		if m, err := tr.measure(t.Context()); err != nil || m.quality != nil {
			t.Errorf("it moves: %+v, %v", m, err)
		}
		tr = scripted(celsiusOf(1, 1, 1), Filter{}, restless(celsius(2, -40, 85), time.Minute))
		for range 3 { // once an hour is too seldom to say
			if m, err := tr.measure(t.Context()); err != nil || m.quality != nil {
				t.Errorf("%+v, %v", m, err)
			}
			time.Sleep(time.Hour)
		}
	})
}

func TestFilters(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name    string
		filter  Filter
		values  []float64
		want    float64
		suspect bool
	}{
		{"none", Filter{}, []float64{20, 21}, 21, false},
		{"median of three", Filter{Samples: 3}, []float64{20, 20, 20, 19, 80, 21}, 21, false},
		{"median of four", Filter{Samples: 4}, []float64{20, 20, 20, 20, 1, 20, 22, 80}, 21, false},
		{"mean", Filter{Samples: 4, Combine: "mean"}, []float64{20, 20, 20, 20, 19, 20, 21, 24}, 21, false},
		{"a spike", Filter{Spikes: true}, []float64{20, 80, 21}, 21, false},
		{"a step", Filter{Spikes: true}, []float64{20, 40, 41}, 41, false},
		{"neither", Filter{Spikes: true}, []float64{20, 80, 60}, 60, true},
	} {
		tr := scripted(celsiusOf(test.values...), test.filter, celsius(2, -40, 85))
		if _, err := tr.measure(t.Context()); err != nil {
			t.Fatal(err)
		}
		m, err := tr.measure(t.Context())
		if err != nil || m.values["temperature_celsius"] != test.want || (m.quality != nil) != test.suspect {
			t.Errorf("%s: %+v, %v, want %v, suspect %v", test.name, m, err, test.want, test.suspect)
		}
	}
	for _, f := range []Filter{{Samples: 17}, {Samples: -1}, {Combine: "mode"}} {
		if f.Check() == nil {
			t.Errorf("%+v is taken", f)
		}
	}
}

func TestCalibratedValues(t *testing.T) {
	t.Parallel()
	tr := scripted(celsiusOf(20, 20), Filter{}, celsius(2, -40, 85))
	tr.grader.calibrations = map[string]holdfast.Calibrated{"temperature_celsius": {Scale: 1.1, Offset: -2}, "humidity_percent": {Scale: 2}}
	m, err := tr.measure(t.Context())
	if err != nil || len(m.values) != 1 || m.values["temperature_celsius"] != 20 {
		t.Errorf("%+v, %v, want 20 · 1.1 − 2", m, err)
	}
}
