package rehearse

import (
	"maps"
	"time"
)

// MaxEpisodes bounds how many alerts of a rule are listed, the first ones; all are counted.
const MaxEpisodes = 20

// A Report is what a set did with some readings.
type Report struct {
	From     time.Time `json:"from"` // of the first reading
	To       time.Time `json:"to"`   // of the last one
	Readings uint64    `json:"readings"`
	Rules    []Rule    `json:"rules"` // in the order of the set
	Traffic  Traffic   `json:"traffic"`
}

// A Rule is what one rule did.
type Rule struct {
	Name string `json:"name"`
	Kind string `json:"kind"`

	Fired uint64    `json:"fired"` // alerts raised, windows told, readings derived or withheld, instants of a schedule
	First time.Time `json:"first,omitzero"`
	Last  time.Time `json:"last,omitzero"`

	Seconds  float64    `json:"raised_seconds,omitempty"` // how long its alerts were raised, those that were cleared
	Episodes []*Episode `json:"alerts,omitempty"`         // the first MaxEpisodes

	Actions []Action `json:"actions,omitempty"` // in their order, those that came to it

	Records  uint64 `json:"records,omitempty"`  // that went up
	Bytes    uint64 `json:"bytes,omitempty"`    // of their JSON
	Failures uint64 `json:"failures,omitempty"` // how often it failed
	Failure  string `json:"failure,omitempty"`  // the first

	done map[int]*doing // actions by their place
}

func (r *Rule) fired(at time.Time) {
	if r.Fired == 0 {
		r.First = at
	}
	r.Fired++
	r.Last = at
}

// An Episode is one alert.
type Episode struct {
	Sensor    string    `json:"sensor"`
	Raised    time.Time `json:"raised"`
	Cleared   time.Time `json:"cleared,omitzero"` // zero where it was raised to the end
	Peak      float64   `json:"peak"`
	Threshold float64   `json:"threshold"`
}

// Traffic is what went up.
type Traffic struct {
	Readings   uint64            `json:"readings"` // as the sensors measured them
	Withheld   uint64            `json:"withheld"` // that did not go up
	Derived    uint64            `json:"derived"`
	Aggregates uint64            `json:"aggregates"`
	Alerts     uint64            `json:"alerts"` // records: an alert has one for each step
	Events     uint64            `json:"events"`
	Routes     map[string]uint64 `json:"routes,omitempty"` // readings by their way
	Batches    uint64            `json:"batches"`
	Bytes      uint64            `json:"bytes"`      // of the batches as JSON, with what MQTT adds
	Compressed uint64            `json:"compressed"` // as zstd, see the package
}

func (t *Traffic) route(to string) {
	routes := maps.Clone(t.Routes)
	if routes == nil {
		routes = make(map[string]uint64)
	}
	routes[to]++
	t.Routes = routes
}

// Days is how long the readings took.
func (r *Report) Days() float64 { return r.To.Sub(r.From).Hours() / 24 }

// rateable is how long readings must have taken to say anything about a day.
const rateable = time.Minute

// PerDay is how much of n there is in a day; n itself where the readings took less than a minute.
func (r *Report) PerDay(n uint64) float64 {
	if r.To.Sub(r.From) < rateable {
		return float64(n)
	}
	return float64(n) / r.Days()
}
