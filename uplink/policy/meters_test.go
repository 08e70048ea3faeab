package policy

import (
	"encoding/json"
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"
)

const step = 10 * time.Second

// observe lets a time pass in which a link looks alike.
func observe(s *Stability, x Sample, d time.Duration) {
	for range d / step {
		if x.Answered > 0 {
			x.Answered++
		}
		s.Observe(x, step)
	}
}

func TestStability(t *testing.T) {
	t.Parallel()
	up, down := Sample{Up: true}, Sample{}
	for _, c := range []struct {
		name     string
		life     func(*Stability)
		low, top float64
	}{
		{"nobody has looked", func(s *Stability) {}, 1, 1},
		{"always there", func(s *Stability) { observe(s, up, time.Hour) }, 1, 1},
		{"never there", func(s *Stability) { observe(s, down, time.Hour) }, 0, 0.001},
		{"away for a minute", func(s *Stability) { observe(s, up, time.Hour); observe(s, down, time.Minute) }, 0.81, 0.83},
		{"away for two minutes", func(s *Stability) { observe(s, down, 2*time.Minute) }, 0.66, 0.68},
		{"away for an hour, back for eight minutes", func(s *Stability) { observe(s, down, time.Hour); observe(s, up, 8*time.Minute) }, 0.79, 0.81},
		{"there for half of the time", func(s *Stability) {
			for range 200 {
				observe(s, up, step)
				observe(s, down, step)
			}
		}, 0.48, 0.52},
		{"lost and back between two looks, each minute", func(s *Stability) {
			x := Sample{Up: true}
			for range 60 {
				x.Losses++
				observe(s, x, time.Minute)
			}
		}, 0.62, 0.71},
		{"connected, and nothing is answered for", func(s *Stability) {
			observe(s, Sample{Up: true, Waiting: true}, time.Hour)
		}, 0, 0.001},
		{"an answer takes twenty seconds", func(s *Stability) {
			x := Sample{Up: true, Waiting: true}
			for range 60 {
				x.Answered++
				s.Observe(x, step)
				s.Observe(x, step)
			}
		}, 1, 1},
		{"all is answered for", func(s *Stability) { observe(s, Sample{Up: true, Waiting: true, Answered: 1}, time.Hour) }, 1, 1},
		{"nothing waits", func(s *Stability) { observe(s, Sample{Up: true, Answered: 5}, time.Hour) }, 1, 1},
		{"counters begin anew", func(s *Stability) {
			s.last = Sample{Up: true, Losses: 100, Answered: 100}
			s.Observe(Sample{Up: true}, step)
		}, 1, 1},
	} {
		s := NewStability(1)
		c.life(s)
		if s.Value < c.low-1e-9 || s.Value > c.top+1e-9 {
			t.Errorf("%s: %.4f, want %v to %v", c.name, s.Value, c.low, c.top)
		}
	}
	for _, kept := range []float64{math.NaN(), -1, 2, math.Inf(1)} {
		if s := NewStability(kept); s.Value != 1 {
			t.Errorf("goes on from %v with %v", kept, s.Value)
		}
	}
}

// Stability is 0 to 1 whatever is seen, and a link that is seen to be there is never thought worse of for it.
func TestStabilityBounds(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := NewStability(rapid.Float64Range(0, 1).Draw(t, "start"))
		for range 50 {
			before := *s
			x := Sample{
				Up: rapid.Bool().Draw(t, "up"), Waiting: rapid.Bool().Draw(t, "waiting"),
				Answered: rapid.Uint64Range(0, 3).Draw(t, "answered"), Losses: rapid.Uint64Range(0, 1000).Draw(t, "losses"),
			}
			s.Observe(x, time.Duration(rapid.IntRange(0, 3600).Draw(t, "seconds"))*time.Second)
			if !(s.Value >= 0 && s.Value <= 1) {
				t.Fatalf("%v after %+v", s.Value, x)
			}
			if x.Up && !x.Waiting && x.Losses <= before.last.Losses && s.Value < before.Value-1e-12 {
				t.Fatalf("%v, then %v after %+v", before.Value, s.Value, x)
			}
		}
	})
}

func TestVolume(t *testing.T) {
	t.Parallel()
	near := func(got, want float64) bool { return math.Abs(got-want) <= 0.02*want }
	var v Volume
	made := func(perSecond uint64, d time.Duration) {
		for range d / step {
			v.Made(perSecond*10, step)
		}
	}
	made(100, 3*time.Minute)
	if v.PerDay() != 0 {
		t.Errorf("%v MB a day known after three minutes", v.PerDay())
	}
	made(100, 2*time.Minute)
	if !near(v.PerDay(), 8.64) {
		t.Errorf("100 B/s are %v MB a day, want 8.64", v.PerDay())
	}
	v.Packed(9_000, 1_000)
	if !near(v.PerDay(), 8.64) {
		t.Errorf("%v MB a day after little was sent, want 8.64", v.PerDay())
	}
	v.Packed(90_000, 18_000)
	v.Packed(500_000, 100_000)
	if !near(v.PerDay(), 8.64/5) {
		t.Errorf("packed to a fifth: %v MB a day, want %v", v.PerDay(), 8.64/5)
	}
	v.Packed(0, 0)
	kept, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var other Volume
	if err := json.Unmarshal(kept, &other); err != nil || other != v {
		t.Errorf("%+v came back as %+v, %v", v, other, err)
	}
	made(1000, time.Hour)
	if !near(v.PerDay(), (100+900*(1-math.Exp(-1))/(1-math.Exp(-65.0/60)))*86400/5/1e6) {
		t.Errorf("%v MB a day after an hour of ten times as much", v.PerDay())
	}
	made(0, 24*time.Hour)
	if v.PerDay() > 0.001 {
		t.Errorf("%v MB a day after a day of nothing", v.PerDay())
	}
}
