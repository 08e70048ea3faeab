package holdfast

import (
	"encoding/json"
	"maps"
	"math"
	"slices"
	"strings"
	"time"
)

// A Reading is what one sensor measured at one instant: a set of named quantities. It travels in the telemetry lane.
type Reading struct {
	Time    time.Time          `json:"time"`              // wall time of the measurement; a guess where Clock is set
	Sensor  string             `json:"sensor"`            // chip-bus-address by default: bme280-1-76
	Values  map[string]float64 `json:"values"`            // quantity to value in the base unit that its name ends in; 1 to 64
	Quality map[string]Quality `json:"quality,omitempty"` // only for values that are not good
	Clock   *Clock             `json:"clock,omitempty"`   // set where wall time was not synchronised
	ID      string             `json:"id,omitempty"`      // by which programs of the older system know it; empty where none run

	// Mono is CLOCK_BOOTTIME of the measurement in µs. It stays on the device: on the wire it stands in Clock, where it matters.
	Mono int64 `json:"-"`
}

// Quality grades one value. A value without a grade is good.
type Quality string

const (
	Good    Quality = "good"
	Suspect Quality = "suspect"
	Bad     Quality = "bad"
)

// Clock places a record in monotonic time, for as long as nobody knows the wall time.
type Clock struct {
	Boot string `json:"boot"` // the kernel's boot id
	Mono int64  `json:"mono"` // CLOCK_BOOTTIME in µs
}

// Validate returns an error unless the clock names a boot and a time since it.
func (c *Clock) Validate() error {
	if c == nil {
		return nil
	}
	if c.Boot == "" || len(c.Boot) > 64 {
		return invalid("clock.boot", "%q: want 1 to 64 characters", cut(c.Boot, 70))
	}
	if c.Mono < 0 || c.Mono > MaxInteger {
		return invalid("clock.mono", "%d: want µs from 0 to 2^53-1", c.Mono)
	}
	return nil
}

// An Instant is one look at the device's clocks.
type Instant struct {
	Time         time.Time // wall time, UTC, µs
	Boot         string    // the kernel's boot id
	Mono         int64     // CLOCK_BOOTTIME in µs
	Synchronized bool      // whether the kernel says that wall time is synchronised
}

// Clock returns the record's clock field: nil where wall time is to be believed.
func (i Instant) Clock() *Clock {
	if i.Synchronized {
		return nil
	}
	return &Clock{Boot: i.Boot, Mono: i.Mono}
}

// Lane returns [LaneTelemetry].
func (r *Reading) Lane() Lane { return LaneTelemetry }

// When returns the time of the measurement.
func (r *Reading) When() time.Time { return r.Time }

// Validate returns an error unless names, values, qualities and times are what the wire allows.
func (r *Reading) Validate() error {
	if err := checkTime("time", r.Time); err != nil {
		return err
	}
	if err := CheckSensor(r.Sensor); err != nil {
		return err
	}
	if err := checkValues(r.Values); err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(r.Quality)) {
		if _, ok := r.Values[name]; !ok {
			return invalid("quality", "%q grades no value of this reading", cut(name, 70))
		}
		if err := oneOf("quality."+name, r.Quality[name], Good, Suspect, Bad); err != nil {
			return err
		}
	}
	if r.ID != "" && !readingID(r.ID) {
		return invalid("id", "%q: want milliseconds and a serial, as in 1621122796939-0", cut(r.ID, 70))
	}
	return r.Clock.Validate()
}

// readingID reports whether id is milliseconds since 1970 and a serial.
func readingID(id string) bool {
	ms, serial, ok := strings.Cut(id, "-")
	return ok && digits(ms, 15) && digits(serial, 10)
}

func digits(text string, most int) bool {
	return text != "" && len(text) <= most && strings.Trim(text, "0123456789") == ""
}

func checkValues(values map[string]float64) error {
	if len(values) == 0 || len(values) > 64 {
		return invalid("values", "%d of them: want 1 to 64", len(values))
	}
	wrong := false
	for name, v := range values {
		wrong = wrong || !quantityName(name) || math.IsNaN(v) || math.IsInf(v, 0)
	}
	if !wrong {
		return nil
	}
	for _, name := range slices.Sorted(maps.Keys(values)) { // so that the same mistake always has the same words
		if err := CheckQuantity(name); err != nil {
			return inside("values", err)
		}
		if v := values[name]; math.IsNaN(v) || math.IsInf(v, 0) {
			return invalid("values."+name, "%v is not a number that can be stored", v)
		}
	}
	return nil
}

// An Aggregate is what a rule made of the readings of one window. It is stored under the key (rule, rule_version, group,
// from): the same key again replaces.
type Aggregate struct {
	Time        time.Time          `json:"time"`
	From        time.Time          `json:"from"` // first instant of the window
	To          time.Time          `json:"to"`   // first instant behind it
	Rule        string             `json:"rule"`
	RuleVersion int                `json:"rule_version"`
	Group       string             `json:"group"`
	Sensor      string             `json:"sensor"`
	Values      map[string]float64 `json:"values"` // quantity_function: temperature_celsius_mean
	Count       uint64             `json:"count"`  // readings in the window
	Partial     bool               `json:"partial"`
	Clock       *Clock             `json:"clock,omitempty"`
}

func (a *Aggregate) Lane() Lane      { return LaneTelemetry }
func (a *Aggregate) When() time.Time { return a.Time }

// Validate returns an error unless names, window and values are what the wire allows.
func (a *Aggregate) Validate() error {
	for _, f := range []struct {
		name string
		time time.Time
	}{{"time", a.Time}, {"from", a.From}, {"to", a.To}} {
		if err := checkTime(f.name, f.time); err != nil {
			return err
		}
	}
	if !a.From.Before(a.To) {
		return invalid("to", "%s is not behind from %s", a.To.Format(time.RFC3339Nano), a.From.Format(time.RFC3339Nano))
	}
	if err := CheckRule(a.Rule); err != nil {
		return err
	}
	if err := checkText("group", a.Group, 256); err != nil {
		return err
	}
	if a.Sensor != "" {
		if err := CheckSensor(a.Sensor); err != nil {
			return err
		}
	}
	if err := checkValues(a.Values); err != nil {
		return err
	}
	return a.Clock.Validate()
}

// MarshalJSON writes the record with its kind.
func (a Aggregate) MarshalJSON() ([]byte, error) {
	type plain Aggregate
	return json.Marshal(struct {
		Kind string `json:"kind"`
		plain
	}{"aggregate", plain(a)})
}

// Thinned summarises the readings of one sensor over a range whose single readings were given up for space.
type Thinned struct {
	Sensor string             `json:"sensor"`
	From   time.Time          `json:"from"`
	To     time.Time          `json:"to"`
	Values map[string]Summary `json:"values"`
}

// Summary is what is left of the thinned values of one quantity.
type Summary struct {
	Min   float64 `json:"min"`
	Max   float64 `json:"max"`
	Mean  float64 `json:"mean"`
	Count uint64  `json:"count"`
}

func (t *Thinned) Lane() Lane      { return LaneTelemetry }
func (t *Thinned) When() time.Time { return t.From }

// Validate returns an error unless names, times and numbers are what the wire allows.
func (t *Thinned) Validate() error {
	if err := CheckSensor(t.Sensor); err != nil {
		return err
	}
	if err := checkTime("from", t.From); err != nil {
		return err
	}
	if err := checkTime("to", t.To); err != nil {
		return err
	}
	if len(t.Values) == 0 || len(t.Values) > 64 {
		return invalid("values", "%d of them: want 1 to 64", len(t.Values))
	}
	for _, name := range slices.Sorted(maps.Keys(t.Values)) {
		if err := CheckQuantity(name); err != nil {
			return inside("values", err)
		}
		for _, v := range []float64{t.Values[name].Min, t.Values[name].Max, t.Values[name].Mean} {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return invalid("values."+name, "%v is not a number that can be stored", v)
			}
		}
	}
	return nil
}

// MarshalJSON writes the record with its kind.
func (t Thinned) MarshalJSON() ([]byte, error) {
	type plain Thinned
	return json.Marshal(struct {
		Kind string `json:"kind"`
		plain
	}{"thinned", plain(t)})
}
