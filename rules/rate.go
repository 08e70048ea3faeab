package rules

import (
	"math"
	"slices"
	"time"

	"holdfast"
)

// A rate raises an alert by how fast a value changes: the change for each Per, against the value that was read Over ago
// (the last one at least so old; with no Over, the reading before). It is negative where the value falls. Nothing is judged
// until there is a value so old. Limits, `for`, clearing and the rest are those of a threshold; the alert's value, limit
// and peak are changes for each Per.
//
// A reading without the quantity, a value of quality bad, and one that is no finite number change nothing. Of several
// values at one instant each is judged, and the first is what later ones are judged against. A reboot forgets the values
// from before it.
type rate struct {
	Sensor pattern       `json:"sensor"`
	Per    time.Duration `json:"per"`
	Over   time.Duration `json:"over,omitempty"`
	Of     string        `json:"of"` // the quantity that changes
	alerting
	limits
}

func parseRate(f *fields) program {
	r := &rate{
		Sensor: f.sensor(),
		Per:    f.duration("per", time.Second, 24*time.Hour),
		Over:   f.duration("over", 0, 24*time.Hour),
	}
	if r.Per == 0 {
		r.Per = time.Minute
	}
	r.alerting = f.alerting()
	r.limits = f.limits()
	r.Of, r.Quantity = r.Quantity, f.changeIn(r.Quantity, r.Per)
	return r
}

func (r *rate) watches() pattern { return r.Sensor }
func (r *rate) begin() memory    { return &pace{raiser: raiser{alerting: &r.alerting}, rate: r} }

// bytes is how much a pace keeps in values.
func (r *rate) bytes() int { return 64 * 16 }

// A pace is what a rate remembers of one sensor. It keeps values a sixtieth of Over apart, so at most 62 of them.
type pace struct {
	raiser
	rate   *rate
	Points []point `json:"points,omitempty"` // oldest first
}

func (p *pace) apply(o origin, r *holdfast.Reading, at holdfast.Instant) []holdfast.Record {
	v, ok := good(r, p.rate.Of)
	if !ok {
		return nil
	}
	change, known := p.change(v, at.Mono)
	step := max(1, p.rate.Over.Microseconds()/60)
	if n := len(p.Points); n == 0 || at.Mono-p.Points[n-1].Mono >= step {
		p.Points = append(p.Points, point{at.Mono, v})
	}
	if !known {
		return nil
	}
	return p.see(p.alerting, o, r, at, p.rate.judge(change))
}

// change is how much the value changes for each Per, and whether there is one old enough to tell. It drops those older.
func (p *pace) change(v float64, mono int64) (float64, bool) {
	old := mono - max(1, p.rate.Over.Microseconds())
	drop := 0
	for drop+1 < len(p.Points) && p.Points[drop+1].Mono <= old {
		drop++
	}
	p.Points = slices.Delete(p.Points, 0, drop)
	if len(p.Points) == 0 || p.Points[0].Mono > old {
		return 0, false
	}
	from := p.Points[0]
	change := (v - from.V) * (float64(p.rate.Per.Microseconds()) / float64(mono-from.Mono))
	return max(-math.MaxFloat64, min(math.MaxFloat64, change)), true
}

func (p *pace) reboot(o origin, at holdfast.Instant) []holdfast.Record {
	p.Points = nil
	return p.raiser.reboot(o, at)
}
