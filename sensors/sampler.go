package sensors

import (
	"cmp"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"holdfast"
)

// Options of a [Sampler]. Buses and Now are required.
type Options struct {
	Buses      []*Bus
	Sensors    []Configured      // sensors that are there by the word of the configuration
	Others     []Other           // what is measured beside the chips on the buses
	Filters    map[string]Filter // by name of the sensor
	NoSearch   bool              // sample those alone and look for no others
	Interval   time.Duration     // between two samples of a sensor; 1 s by default
	Deadline   time.Duration     // longest that one read takes; 2 s by default, and never longer than the interval while all is well
	Rediscover time.Duration     // between two looks for new sensors, and two attempts at a lost one; 5 s by default
	Revision   int64             // the catalog's revisions begin behind it; give one that grows from start to start
	Now        func() holdfast.Instant

	// Changed is called once for each change of a sensor's state, from the goroutine of that sensor, which goes on when it
	// returns. It may ask the sampler for its state. May be nil.
	Changed func(holdfast.SensorChange)

	Log *slog.Logger // nil for none
}

// An Other is a sensor that is no chip on a bus: the health of a bus, or of the Pi itself.
type Other struct {
	Name       string // as readings carry it
	Chip       string // what kind of thing it is: bus, host
	Quantities []holdfast.Quantity
	Interval   time.Duration // the sampler's by default
	Sensor     Sensor
}

// A Sampler takes readings of all sensors, each at its own interval. All methods may be called from any goroutine, before
// and while it runs.
type Sampler struct {
	o Options

	mu        sync.Mutex
	measuring bool
	interval  time.Duration
	own       map[string]time.Duration // intervals of single sensors
	bursts    map[string]time.Duration // shorter ones, for a while
	changed   chan struct{}            // closed, and another put in its place, when one of the above changes
	tracks    []*track                 // in the order of their names
	revision  int64
	corrected map[string]map[string]holdfast.Calibrated // by sensor and quantity; its inner maps are replaced, never changed
}

// A track is one sensor under the sampler.
type track struct {
	name       string
	driver     Driver
	bus        string // 1, or 1-mux70.3
	channel    string // mux70.3 where it is behind a multiplexer
	addr       uint16
	configured bool
	wire       *wire         // nil where it is on none
	sensor     Sensor        // only the track's own goroutine calls it
	questions  chan question // for readings out of turn
	filter     Filter
	grader     grader

	// The rest is guarded by Sampler.mu.
	health  health
	last    State
	reading bool // now
}

// New returns a sampler that measures as soon as it runs. Configured sensors that [CheckSensors] finds fault with are
// logged and left out.
func New(o Options) *Sampler {
	o.Interval = cmp.Or(o.Interval, time.Second)
	o.Deadline = cmp.Or(o.Deadline, 2*time.Second)
	o.Rediscover = cmp.Or(o.Rediscover, 5*time.Second)
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Changed == nil {
		o.Changed = func(holdfast.SensorChange) {}
	}
	s := &Sampler{
		o:         o,
		measuring: true,
		interval:  o.Interval,
		own:       map[string]time.Duration{},
		bursts:    map[string]time.Duration{},
		corrected: map[string]map[string]holdfast.Calibrated{},
		changed:   make(chan struct{}),
		revision:  o.Revision,
	}
	s.configure()
	for _, other := range o.Others {
		s.add(&track{name: other.Name, driver: Driver{Chip: other.Chip, Quantities: other.Quantities}, configured: true, sensor: other.Sensor})
		if other.Interval > 0 {
			s.own[other.Name] = other.Interval
		}
	}
	return s
}

// SetMeasuring starts or stops sampling at once: what is being read at that moment is not handed out any more. When it
// starts again, sample 0 of every sensor is due.
func (s *Sampler) SetMeasuring(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.measuring != on {
		s.measuring = on
		s.announce()
	}
}

// SetInterval sets the interval of a sensor, or with "" of every sensor that has none of its own, at once: where it
// changes, sample 0 is due. Zero takes a sensor's own interval, or with "" a changed one, back. The sensor may be one that
// has yet to be found.
func (s *Sampler) SetInterval(sensor string, d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case sensor == "":
		s.interval = cmp.Or(max(d, 0), s.o.Interval)
	case d <= 0:
		delete(s.own, sensor)
	default:
		s.own[sensor] = d
	}
	s.announce()
}

// SetBurst has a sensor sampled more often for now, at once, whatever interval is set for it meanwhile; zero ends that. An
// interval that is set and shorter holds. A chip that needs longer for a reading is read as often as it can be, and what it
// skips is counted: only the interval that is set decides when a read has taken too long.
func (s *Sampler) SetBurst(sensor string, d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.bursts[sensor] == max(d, 0) {
		return
	}
	if s.bursts[sensor] = d; d <= 0 {
		delete(s.bursts, sensor)
	}
	s.announce()
}

// Calibrate makes right of what a sensor measures of one quantity from its next sample on, by the setting of that revision.
// The zero calibration takes it back. The sensor may be one that has yet to be found.
func (s *Sampler) Calibrate(sensor, quantity string, c holdfast.Calibration, revision int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	fresh := maps.Clone(s.corrected[sensor])
	if fresh == nil {
		fresh = make(map[string]holdfast.Calibrated)
	}
	delete(fresh, quantity)
	if scale, offset := c.Line(); scale != 1 || offset != 0 {
		fresh[quantity] = holdfast.Calibrated{Scale: scale, Offset: offset, Revision: revision}
	}
	s.corrected[sensor] = fresh
	s.revision++
}

// announce wakes the goroutines of all sensors. s.mu is held.
func (s *Sampler) announce() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// orders is what a sensor's goroutine is to do.
type orders struct {
	measuring bool
	interval  time.Duration
	patience  time.Duration   // for one read, while all is well
	changed   <-chan struct{} // closed when these no longer hold
	corrected map[string]holdfast.Calibrated
}

func (s *Sampler) orders(sensor string) orders {
	s.mu.Lock()
	defer s.mu.Unlock()
	return orders{s.measuring, s.intervalOf(sensor), s.setFor(sensor), s.changed, s.corrected[sensor]}
}

// intervalOf returns the interval at which the sensor is sampled now. s.mu is held.
func (s *Sampler) intervalOf(sensor string) time.Duration {
	interval := s.setFor(sensor)
	return min(interval, cmp.Or(s.bursts[sensor], interval))
}

// setFor returns the interval that is set for the sensor. s.mu is held.
func (s *Sampler) setFor(sensor string) time.Duration { return cmp.Or(s.own[sensor], s.interval) }

// Catalog describes the sensors. Its revision grows with every sensor that is added and every change of a state.
func (s *Sampler) Catalog() holdfast.Catalog {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := holdfast.Catalog{V: holdfast.Version, Revision: s.revision, Sensors: []holdfast.CatalogSensor{}}
	for _, t := range s.tracks {
		c.Sensors = append(c.Sensors, holdfast.CatalogSensor{
			Name:       t.name,
			Chip:       t.driver.Chip,
			State:      t.health.state(),
			Quantities: s.described(t),
		})
	}
	return c
}

// described returns what the catalog says of a sensor's quantities. s.mu is held.
func (s *Sampler) described(t *track) []holdfast.Quantity {
	out := slices.Clone(t.driver.Quantities)
	for i := range out {
		if c, ok := s.corrected[t.name][out[i].Name]; ok {
			out[i].Calibrated = &c
		}
	}
	return out
}

// Sensors returns the states of all sensors in the order of their names.
func (s *Sampler) Sensors() []State {
	s.mu.Lock()
	defer s.mu.Unlock()
	states := make([]State, 0, len(s.tracks))
	for _, t := range s.tracks {
		state := t.last.clone()
		state.Name, state.Chip, state.State, state.Interval = t.name, t.driver.Chip, t.health.state(), s.intervalOf(t.name)
		states = append(states, state)
	}
	return states
}
