package simulated

import (
	"math"
	"math/rand/v2"
	"time"
)

// Air is what a sensor is surrounded by.
type Air struct {
	Celsius float64
	Percent float64 // relative humidity
	Pascals float64
}

// Weather says what the air is like at any instant. It is a pure function: the same seed, start and instant give the same
// air, so that it goes on where it was when the Pi is switched off and on.
type Weather struct {
	Seed  uint64
	Start time.Time // the excursions count from here
}

// The excursion: somebody opens the oven. A bump of a raised cosine, above 26 °C for about 12 of its 30 seconds.
const (
	excursionEvery  = 2 * time.Minute
	excursionAfter  = 8 * time.Second
	excursionLasts  = 30 * time.Second
	excursionKelvin = 7.0
)

// Room returns the air of a lived-in room: 21.5 °C, a little warmer in the afternoon, with an excursion every two minutes.
func (w Weather) Room(at time.Time) Air {
	day := dayCurve(at)
	bump := w.excursion(at)
	return Air{
		Celsius: 21.5 + 0.4*day + excursionKelvin*bump + 0.03*w.noise(at, 1),
		Percent: 45 - 3*day - 12*bump + 0.3*w.noise(at, 2),
		Pascals: 101325 + 250*math.Sin(turns(at, 59*time.Hour)) + 3*w.noise(at, 3),
	}
}

// ColdRoom returns the air of a cold room: 4 °C, a sawtooth of its compressor, which runs every ten minutes.
func (w Weather) ColdRoom(at time.Time) Air {
	const cycle = 10 * time.Minute
	phase := float64(at.UnixNano()%int64(cycle)) / float64(cycle)
	saw := phase/0.7*2 - 1 // warming for seven minutes
	if phase > 0.7 {
		saw = 1 - (phase-0.7)/0.3*2 // cooling for three
	}
	return Air{Celsius: 4 + 0.5*saw + 0.04*w.noise(at, 4), Percent: 80, Pascals: 101325}
}

// excursion returns how far the excursion has got, 0 to 1.
func (w Weather) excursion(at time.Time) float64 {
	since := at.Sub(w.Start)
	if since < 0 {
		return 0
	}
	into := since%excursionEvery - excursionAfter
	if into < 0 || into > excursionLasts {
		return 0
	}
	return (1 - math.Cos(2*math.Pi*float64(into)/float64(excursionLasts))) / 2
}

// dayCurve returns −1 before dawn to 1 in the afternoon, UTC.
func dayCurve(at time.Time) float64 { return -math.Cos(turns(at.Add(-3*time.Hour), 24*time.Hour)) }

// turns returns the angle of at in a cycle of the given length.
func turns(at time.Time, cycle time.Duration) float64 {
	return 2 * math.Pi * float64(at.UnixNano()%int64(cycle)) / float64(cycle)
}

// noise returns about −1 to 1, changing smoothly from one half second to the next.
func (w Weather) noise(at time.Time, of uint64) float64 {
	const step = int64(500 * time.Millisecond)
	n := at.UnixNano() / step
	part := float64(at.UnixNano()%step) / float64(step)
	return w.random(n, of)*(1-part) + w.random(n+1, of)*part
}

func (w Weather) random(n int64, of uint64) float64 {
	return 2*rand.New(rand.NewPCG(w.Seed^of<<56, uint64(n))).Float64() - 1
}
