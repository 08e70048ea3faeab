package rules

import (
	"strings"
	"time"

	"holdfast"
)

// An aggregate summarises readings over windows: one record for each window that had a reading.
//
// It has one of five windows, each on monotonic time. Window: tumbling, aligned to whole multiples of its size. Window and
// Every: hopping, the last Window each time Every is over. Sliding: the last so long behind a reading. Session: readings
// that follow one another within a gap. Each: so many readings.
//
// Values of quality bad, and values that are no finite numbers, are left out; zero and negative values count like others.
// A reading with none of the quantities is not counted.
type aggregate struct {
	Sensor     pattern       `json:"sensor"`
	Quantities []string      `json:"quantities,omitempty"` // none: all that the sensor has
	Window     time.Duration `json:"window,omitempty"`
	Functions  []string      `json:"functions"`
	Every      time.Duration `json:"every,omitempty"` // of a sliding window: the least time between two records
	Sliding    time.Duration `json:"sliding,omitempty"`
	Session    time.Duration `json:"session,omitempty"` // the gap that ends one
	Longest    time.Duration `json:"longest,omitempty"` // of a session
	Each       uint64        `json:"each,omitempty"`
	Together   bool          `json:"across,omitempty"` // one window over all sensors, not one for each
}

const (
	maxHops    = 300     // windows of a hopping aggregate that are open at a time
	slidePanes = 60      // parts of a sliding window: it forgets one of them at a time
	maxEach    = 1 << 20 // readings of a count window
)

func parseAggregate(f *fields) program {
	a := &aggregate{
		Sensor:     f.sensor(),
		Quantities: f.words("quantities", holdfast.CheckQuantity),
		Together:   f.flag("across"),
	}
	f.window(a)
	a.Functions = f.words("functions", checkFunction)
	if !f.has("functions") {
		f.badKey("functions", "is missing: want some of %s", functionNames())
	}
	if n := len(a.Quantities) * len(a.Functions); n > maxValues {
		f.bad("%d quantities by functions: at most %d", n, maxValues)
	}
	for _, quantity := range a.Quantities {
		for _, function := range a.Functions {
			if holdfast.CheckQuantity(quantity+"_"+function) != nil {
				f.badKey("quantities", "%s_%s is longer than 64 characters", quantity, function)
			}
		}
	}
	return a
}

// windows are the keys that say which window an aggregate has. It has one of them.
var windows = []string{"window", "sliding", "session", "count"}

// window reads the window.
func (f *fields) window(a *aggregate) {
	var given []string
	for _, name := range windows {
		if f.get(name) != nil {
			given = append(given, name)
		}
	}
	if len(given) > 1 {
		f.bad("%s: want one of them", strings.Join(given, " and "))
	}
	if given == nil {
		f.badKey("window", "is missing: want 1s to 24h, or sliding, session or count in its place")
	}
	a.Window = f.duration("window", time.Second, 24*time.Hour)
	a.Sliding = f.duration("sliding", time.Second, 24*time.Hour)
	a.Session = f.duration("session", time.Second, 24*time.Hour)
	if f.has("count") {
		n, _ := f.integer("count", 1, maxEach)
		a.Each = uint64(n)
	}
	a.Every = f.duration("every", time.Second, 24*time.Hour)
	a.Longest = f.duration("longest", time.Second, 7*24*time.Hour)
	f.windowFits(a)
}

// windowFits checks every and longest against the window they belong to.
func (f *fields) windowFits(a *aggregate) {
	if a.Every > 0 && a.Window > 0 && (a.Window%a.Every != 0 || a.Window/a.Every > maxHops) {
		f.badKey("every", "%v: want the window of %v divided by a whole number up to %d", a.Every, a.Window, maxHops)
	}
	if a.Every > 0 && a.Sliding > 0 && a.Every > a.Sliding {
		f.badKey("every", "%v: want at most the %v of sliding", a.Every, a.Sliding)
	}
	if f.has("every") && (f.has("session") || f.has("count")) {
		f.badKey("every", "belongs to window or sliding")
	}
	if f.has("longest") && !f.has("session") {
		f.badKey("longest", "belongs to session")
	}
	if a.Longest > 0 && a.Longest < a.Session {
		f.badKey("longest", "%v: want at least the gap of %v", a.Longest, a.Session)
	}
	if a.Session > 0 && a.Longest == 0 {
		a.Longest = 24 * time.Hour
	}
}

func (a *aggregate) watches() pattern { return a.Sensor }
func (a *aggregate) across() bool     { return a.Together }
func (a *aggregate) panes() bool      { return a.Sliding > 0 || a.Every > 0 }

func (a *aggregate) begin() memory {
	n := needsOf(a.Functions)
	switch {
	case a.Sliding > 0:
		return &slide{aggregate: a, needs: n}
	case a.Session > 0 || a.Each > 0:
		return &stretch{aggregate: a, needs: n}
	case a.Every > 0:
		return &hops{aggregate: a, needs: n}
	}
	return &series{aggregate: a, needs: n}
}

// bytes is about how much memory a window of the rule takes at most, for one sensor.
func (a *aggregate) bytes() int {
	quantities := len(a.Quantities)
	if quantities == 0 {
		quantities = max(1, maxValues/max(1, len(a.Functions)))
	}
	panes := 1
	if a.Sliding > 0 {
		panes = slidePanes + 1
	}
	if a.Every > 0 && a.Window > 0 {
		panes = int(a.Window/a.Every) + 1
	}
	cell := 320 // with its place in the map
	if needsOf(a.Functions).digest {
		cell += 16 * digestScale
	}
	return panes * (128 + quantities*cell)
}
