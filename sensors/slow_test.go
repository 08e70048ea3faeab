package sensors

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"holdfast"
)

// slow is a sensor that has something new every other time it is asked.
type slow struct {
	sensor Sensor
	asked  int
}

func (s *slow) Read(ctx context.Context) (map[string]float64, error) {
	if s.asked++; s.asked%2 == 0 {
		return nil, ErrNotReady
	}
	return s.sensor.Read(ctx)
}

// What a chip that measures slowly has measured is not lost to a filter that wants more, and a jump from one of its
// measurements to the next is seen.
func TestFiltersOfASlowChip(t *testing.T) {
	t.Parallel()
	for _, f := range []Filter{{}, {Samples: 3}, {Spikes: true}} {
		synctest.Test(t, func(t *testing.T) {
			tr := &track{sensor: &slow{sensor: celsiusOf(20, 20, 80)}, filter: f, grader: grader{quantities: []holdfast.Quantity{celsius(2, -40, 85)}}}
			var got []float64
			for range 6 {
				m, err := tr.measure(t.Context())
				if err != nil && !errors.Is(err, ErrNotReady) {
					t.Errorf("%+v: %v", f, err)
				}
				if err == nil {
					v := m.values["temperature_celsius"]
					if suspect := m.quality != nil; suspect != (v == 80) {
						t.Errorf("%+v: %v, suspect %v", f, v, suspect)
					}
					got = append(got, v)
				}
				if len(got) == 3 {
					break
				}
				time.Sleep(time.Second)
			}
			if len(got) != 3 || got[2] != 80 {
				t.Errorf("%+v: %v, want 20 20 80", f, got)
			}
		})
	}
}

// Of the lost sensors of one address one is tried at a time.
func TestLostSensorsOfOneAddressTakeTurns(t *testing.T) {
	s := New(Options{})
	first, second := &track{name: "hdc1080-1-40", bus: "1", addr: 0x40}, &track{name: "htu21-1-40", bus: "1", addr: 0x40}
	elsewhere := &track{name: "htu21-1-mux70.0-40", bus: "1-mux70.0", addr: 0x40}
	for _, tr := range []*track{first, second, elsewhere} {
		s.add(tr)
	}
	if !s.free(first) || s.free(second) || !s.free(elsewhere) {
		t.Error("while the first is tried, want the second to wait and the one elsewhere not to")
	}
	s.reads(first, false)
	if !s.free(second) || s.free(first) {
		t.Error("when the first has been tried, want the second to be, and the first to wait")
	}
}
