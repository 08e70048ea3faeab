package rules

import (
	"fmt"
	"math"
	"time"

	"holdfast"
)

// A trend raises an alert while the straight line through the values of a sliding window says that a limit is reached
// soon (above or below, within), or while it climbs or falls too fast (rise or fall, per). It judges with each reading,
// once the window holds enough of them and they span half of it.
//
// Values of quality bad are ignored, and so are NaN, infinite and missing ones. Zero and negative values are values. The
// window runs on monotonic time: a step of the wall clock changes no slope. After a reboot it begins empty, because nobody
// knows how long the device was off; a raised alert stays until the new line clears it.
type trend struct {
	Sensor pattern `json:"sensor"`
	Of     string  `json:"of"` // the quantity
	alerting
	Window time.Duration `json:"window"`
	Least  int           `json:"least"` // readings
	Down   bool          `json:"down,omitempty"`
	Limit  float64       `json:"limit"`
	Within time.Duration `json:"within,omitempty"` // the limit is a value to be reached so soon
	Later  time.Duration `json:"later,omitempty"`  // clears where it is reached later than this, or never
	Per    time.Duration `json:"per,omitempty"`    // the limit is a change in this time
	Clear  float64       `json:"clear,omitempty"`  // clears at this change
}

func parseTrend(f *fields) program {
	t := &trend{
		Sensor:   f.sensor(),
		alerting: f.alerting(),
		Window:   f.duration("window", 10*time.Second, 24*time.Hour),
		Least:    f.integerOr("least", 5, 3, 10000),
	}
	t.Of = t.Quantity
	if !f.has("window") {
		f.badKey("window", "is missing: want 10s to 24h")
	}
	var chosen []string
	for _, key := range []string{"above", "below", "rise", "fall"} {
		if limit, ok := f.number(key); ok {
			t.Limit, t.Down = limit, key == "below" || key == "fall"
		}
		if f.has(key) {
			chosen = append(chosen, key)
		}
	}
	if len(chosen) != 1 {
		f.bad("%d limits: want one of above, below (with within), rise, fall (with per)", len(chosen))
		f.get("within")
		f.get("per")
		f.get("clear")
		return t
	}
	if chosen[0] == "above" || chosen[0] == "below" {
		t.parseReach(f)
	} else {
		t.parseRate(f)
	}
	return t
}

func (t *trend) parseReach(f *fields) {
	t.Within = f.duration("within", time.Second, 30*24*time.Hour)
	if !f.has("within") {
		f.badKey("within", "is missing: want 1s to 720h")
	}
	t.Later = t.Within
	if f.has("clear") {
		t.Later = f.duration("clear", time.Second, 60*24*time.Hour)
	}
	if t.Later != 0 && t.Later < t.Within {
		f.badKey("clear", "%v is less than the %v within which an alert is raised: want at least these", t.Later, t.Within)
	}
}

func (t *trend) parseRate(f *fields) {
	t.Per = f.duration("per", time.Second, 30*24*time.Hour)
	if !f.has("per") {
		f.badKey("per", "is missing: want 1s to 720h")
	}
	if t.Limit <= 0 {
		f.bad("a rise or fall of %v: want more than 0", t.Limit)
	}
	t.Quantity = f.changeIn(t.Of, t.Per)
	t.Clear = f.numberOr("clear", t.Limit, 0, max(0, t.Limit))
}

func (t *trend) watches() pattern { return t.Sensor }
func (t *trend) begin() memory    { return &course{raiser: raiser{alerting: &t.alerting}, trend: t} }
func (t *trend) bytes() int       { return 400 + 64*segments } // what one sensor takes at most, about

// A course is what a trend remembers of one sensor.
type course struct {
	raiser
	trend *trend
	Line  line `json:"line,omitempty"`
	full  joined
}

func (c *course) apply(o origin, r *holdfast.Reading, at holdfast.Instant) []holdfast.Record {
	v, ok := good(r, c.trend.Of)
	if !ok {
		return nil
	}
	fit, ok := c.Line.add(c.trend.Window, at.Mono, v, &c.full)
	if !ok || fit.n < float64(c.trend.Least) || fit.span < c.trend.Window/2 {
		return nil
	}
	f := c.trend.rate(fit)
	if c.trend.Per == 0 {
		f = c.trend.reach(fit, v)
	}
	if f.beyond || c.on() {
		f.why = c.trend.explain(fit)
	}
	return c.see(c.alerting, o, r, at, f)
}

// reach judges how soon the line comes to the limit. Where it has passed it, that is now.
func (t *trend) reach(fit fit, v float64) finding {
	left := t.left(fit)
	return finding{value: v, limit: t.Limit, excess: -left, beyond: left <= t.Within.Seconds(), back: left > t.Later.Seconds()}
}

// left returns the seconds until the line comes to the limit, at most the largest number: never.
func (t *trend) left(fit fit) float64 {
	way, slope := t.Limit-fit.now, fit.slope
	if t.Down {
		way, slope = -way, -slope
	}
	switch {
	case way <= 0:
		return 0
	case slope <= 0:
		return math.MaxFloat64
	}
	return bounded(way / slope)
}

// rate judges the change over the time that the definition gives. That change is the value of the alert.
func (t *trend) rate(fit fit) finding {
	change := bounded(fit.slope * t.Per.Seconds())
	toward := change
	if t.Down {
		toward = -change
	}
	f := finding{value: change, limit: t.Limit, excess: toward, beyond: toward > t.Limit, back: toward <= t.Clear}
	if t.Down {
		f.limit = -t.Limit
	}
	return f
}

// explain says what the line says.
func (t *trend) explain(fit fit) string {
	text := fmt.Sprintf("trend/1: %.4g an hour over %v", fit.slope*3600, t.Window)
	if t.Per > 0 {
		return text
	}
	switch left := t.left(fit); {
	case left > (1000 * time.Hour).Seconds():
		return fmt.Sprintf("%s, does not reach %.6g", text, t.Limit)
	case left == 0:
		return fmt.Sprintf("%s, is at %.6g", text, t.Limit)
	default:
		return fmt.Sprintf("%s, reaches %.6g in %v", text, t.Limit, time.Duration(left*1e9).Round(time.Second))
	}
}

func (c *course) reboot(o origin, at holdfast.Instant) []holdfast.Record {
	c.Line = nil
	return c.raiser.reboot(o, at)
}
