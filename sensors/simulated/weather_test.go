package simulated

import (
	"testing"
	"time"
)

// Whatever the time of day and the seed, the room rises above 26 °C once in the first minute, for 10 to 15 s, and is below
// 25 °C again before the minute is over; so again two minutes later.
func TestExcursion(t *testing.T) {
	t.Parallel()
	for seed := range uint64(20) {
		start := time.Date(2026, 5, 1, int(seed)*24/20, 7, 0, 0, time.UTC)
		w := Weather{Seed: seed, Start: start}
		for _, from := range []time.Duration{0, 2 * time.Minute, 20 * time.Minute} {
			above, cleared := 0, time.Duration(0)
			var first time.Duration
			for d := time.Duration(0); d < 2*time.Minute; d += 100 * time.Millisecond {
				c := w.Room(start.Add(from + d)).Celsius
				switch {
				case c < 20.5 || c > 29.5:
					t.Fatalf("seed %d: %v °C at %v", seed, c, from+d)
				case c > 26:
					if above == 0 {
						first = d
					}
					if cleared != 0 {
						t.Errorf("seed %d: above 26 °C again at %v", seed, from+d)
					}
					above++
				case c < 25 && above > 0 && cleared == 0:
					cleared = d
				}
			}
			if first < 15*time.Second || first > 20*time.Second {
				t.Errorf("seed %d: above 26 °C from %v, want 15 to 20 s", seed, first)
			}
			if above < 100 || above > 150 {
				t.Errorf("seed %d: above 26 °C for %d tenths of a second, want 100 to 150", seed, above)
			}
			if cleared == 0 || cleared > time.Minute {
				t.Errorf("seed %d: below 25 °C again at %v, want within the minute", seed, cleared)
			}
		}
	}
}

func TestWeatherIsPureAndMoves(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	w := Weather{Seed: 7, Start: at}
	if a, b := w.Room(at), (Weather{Seed: 7, Start: at}).Room(at); a != b {
		t.Errorf("the same instant has two airs: %+v, %+v", a, b)
	}
	if a, b := w.Room(at), (Weather{Seed: 8, Start: at}).Room(at); a == b {
		t.Errorf("two seeds have the same air: %+v", a)
	}
	if a, b := w.Room(at), w.Room(at.Add(time.Second)); a == b {
		t.Errorf("the air stands still: %+v", a)
	}
	night, day := w.Room(at.Add(15*time.Hour)), w.Room(at.Add(27*time.Hour))
	if day.Celsius-night.Celsius < 0.6 {
		t.Errorf("at night %v °C, in the afternoon %v °C: want it warmer", night.Celsius, day.Celsius)
	}
	for d := range 24 * 60 {
		if c := w.ColdRoom(at.Add(time.Duration(d) * time.Minute)).Celsius; c < 3 || c > 5 {
			t.Errorf("cold room at %v °C", c)
		}
	}
}
