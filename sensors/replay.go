package sensors

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"holdfast"
)

// ReplayOptions say what is replayed, and how. File and Now are required.
type ReplayOptions struct {
	File  string  // CSV, see [OpenReplay]
	Truth string  // file that is told of each row before it is handed out; empty for none
	Speed float64 // how much faster than the file says; 1 by default

	Revision int64 // the catalog's revisions begin behind it; give one that grows from start to start
	Now      func() holdfast.Instant

	// Changed is called when a sensor's first row is handed out, as for a sensor that is found. May be nil.
	Changed func(holdfast.SensorChange)
	Log     *slog.Logger // nil for none
}

// A Replay hands out the rows of a file as if sensors had measured them: so that known numbers can be sent through
// everything behind it. It keeps time as a [Sampler] does but waits for its consumer, since its rows are known to be
// taken. All methods may be called from any goroutine, before and while it runs.
//
// With a truth file it is a witness for tests: before a row is handed out, a line with its number (from 1) and the
// monotonic time it is stamped with, in µs, is durable in that file. A replay that is started again on the same truth file
// goes on behind the row that stands there last, at the pace of the file.
type Replay struct {
	o     ReplayOptions
	rows  []row
	truth *truth // nil for none

	mu        sync.Mutex
	measuring bool
	changed   chan struct{} // closed, and another put in its place, when measuring changes
	next      int           // index of the row that is handed out next
	names     []string      // of the sensors, in order
	quantity  map[string][]holdfast.Quantity
	states    map[string]*State
	revision  int64
}

// OpenReplay reads the file, and the truth file for where to go on.
//
// The file is CSV. Its header is time,sensor and then the quantities. A row has the offset from the start in seconds, which
// never goes back, the sensor's name, and a number for each quantity that was measured, an empty cell for each that was
// not. Lines that begin with # are comments. The error joins all mistakes, the first twenty in full, each with line and
// column.
func OpenReplay(o ReplayOptions) (*Replay, error) {
	if o.Speed == 0 {
		o.Speed = 1
	}
	if !(o.Speed > 0) || o.Speed > 1e6 {
		return nil, fmt.Errorf("replay speed %g: want more than 0, at most 1000000", o.Speed)
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Changed == nil {
		o.Changed = func(holdfast.SensorChange) {}
	}
	rows, err := readReplay(o.File)
	if err != nil {
		return nil, err
	}
	r := &Replay{o: o, rows: rows, measuring: true, changed: make(chan struct{})}
	r.describe()
	if o.Truth == "" {
		return r, nil
	}
	if r.truth, r.next, err = openTruth(o.Truth); err != nil {
		return nil, err
	}
	if r.next > len(rows) {
		r.truth.close()
		return nil, fmt.Errorf("%s ends with row %d, %s with row %d: they do not belong together", o.Truth, r.next, o.File, len(rows))
	}
	return r, nil
}

// describe fills in what is known of the sensors before the first row.
func (r *Replay) describe() {
	r.quantity, r.states = map[string][]holdfast.Quantity{}, map[string]*State{}
	for _, row := range r.rows {
		if r.states[row.sensor] == nil {
			r.names = append(r.names, row.sensor)
			r.states[row.sensor] = &State{Name: row.sensor, Chip: "replay", State: holdfast.SensorIdentifying}
		}
		for name := range row.values {
			at, found := slices.BinarySearchFunc(r.quantity[row.sensor], name, func(q holdfast.Quantity, name string) int {
				return strings.Compare(q.Name, name)
			})
			if !found {
				r.quantity[row.sensor] = slices.Insert(r.quantity[row.sensor], at, guessQuantity(name))
			}
		}
	}
	slices.Sort(r.names)
	r.revision = r.o.Revision + 1
}

// SetMeasuring starts or stops the replay at once. While it is stopped its time stands still.
func (r *Replay) SetMeasuring(on bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.measuring != on {
		r.measuring = on
		close(r.changed)
		r.changed = make(chan struct{})
	}
}

// SetInterval does nothing: the rows have their own times.
func (r *Replay) SetInterval(string, time.Duration) {}

// SetBurst does nothing, for the same reason.
func (r *Replay) SetBurst(string, time.Duration) {}

// Calibrate does nothing: rows are what they are.
func (r *Replay) Calibrate(string, string, holdfast.Calibration, int64) {}

// Catalog describes the sensors of the file. Ranges are not known and stand as 0.
func (r *Replay) Catalog() holdfast.Catalog {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := holdfast.Catalog{V: holdfast.Version, Revision: r.revision, Sensors: []holdfast.CatalogSensor{}}
	for _, name := range r.names {
		c.Sensors = append(c.Sensors, holdfast.CatalogSensor{
			Name: name, Chip: "replay", State: r.states[name].State, Quantities: slices.Clone(r.quantity[name]),
		})
	}
	return c
}

// Sensors returns the states of the file's sensors in the order of their names.
func (r *Replay) Sensors() []State {
	r.mu.Lock()
	defer r.mu.Unlock()
	states := make([]State, 0, len(r.names))
	for _, name := range r.names {
		states = append(states, r.states[name].clone())
	}
	return states
}

// Remaining returns how many rows have not been handed out.
func (r *Replay) Remaining() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.rows) - r.next
}

// maxReplayBatch bounds how many rows are made durable in the truth file with one fsync, and so how many a crash can take
// between there and the consumer.
const maxReplayBatch = 100

// Run hands out the rows, each when it is due, until ctx ends; then it closes the truth file and returns nil. After the
// last row it waits for that. It returns an error where the truth file cannot be written. Run is called once.
func (r *Replay) Run(ctx context.Context, out chan<- *holdfast.Reading) error {
	err := r.run(ctx, out)
	if r.truth != nil {
		err = errors.Join(err, r.truth.close())
	}
	return err
}

func (r *Replay) run(ctx context.Context, out chan<- *holdfast.Reading) error {
	next := r.next
	var start time.Time // when offset 0 was; zero while the time of the replay stands still
	var at time.Duration
	if next > 0 {
		at = r.rows[next-1].offset
	}
	for ctx.Err() == nil {
		measuring, changed := r.orders()
		now := time.Now()
		switch {
		case !measuring && !start.IsZero():
			at, start = r.offset(now.Sub(start)), time.Time{}
			continue
		case !measuring || next == len(r.rows):
			sleep(ctx, changed, nil)
			continue
		case start.IsZero():
			start = now.Add(-r.elapsed(at))
		}
		if due := start.Add(r.elapsed(r.rows[next].offset)); due.After(now) {
			timer := time.NewTimer(due.Sub(now))
			sleep(ctx, changed, timer.C)
			timer.Stop()
			continue
		}
		end := next + 1
		for end < len(r.rows) && end-next < maxReplayBatch && !start.Add(r.elapsed(r.rows[end].offset)).After(now) {
			end++
		}
		if err := r.hand(ctx, out, next, end); err != nil {
			return err
		}
		next = end
	}
	return nil
}

// elapsed returns how long it takes to replay up to the offset, and offset the reverse.
func (r *Replay) elapsed(offset time.Duration) time.Duration {
	return time.Duration(float64(offset) / r.o.Speed)
}

func (r *Replay) offset(elapsed time.Duration) time.Duration {
	return time.Duration(float64(elapsed) * r.o.Speed)
}

func (r *Replay) orders() (measuring bool, changed <-chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.measuring, r.changed
}

// hand stamps the rows from index first to before end, makes their numbers durable, and hands them out.
func (r *Replay) hand(ctx context.Context, out chan<- *holdfast.Reading, first, end int) error {
	readings := make([]*holdfast.Reading, 0, end-first)
	for _, row := range r.rows[first:end] {
		at := r.o.Now()
		readings = append(readings, &holdfast.Reading{Time: at.Time, Mono: at.Mono, Clock: at.Clock(), Sensor: row.sensor, Values: row.values})
	}
	if r.truth != nil {
		if err := r.truth.note(first+1, readings); err != nil {
			return err
		}
	}
	for i, reading := range readings {
		r.note(first+i, reading)
		if !give(ctx, out, reading) {
			return nil
		}
	}
	return nil
}

// parting is how long a row that is in the truth file already waits for a consumer that is ending too.
const parting = time.Second

// give hands a reading out. When ctx ends the consumer may still be taking what is under way, since it ends after its
// sources; false means that it takes no more.
func give(ctx context.Context, out chan<- *holdfast.Reading, reading *holdfast.Reading) bool {
	select {
	case out <- reading:
		return true
	case <-ctx.Done():
	}
	select {
	case out <- reading:
		return true
	case <-time.After(parting):
		return false
	}
}

// note takes a row that is handed out into the state of its sensor.
func (r *Replay) note(index int, reading *holdfast.Reading) {
	r.mu.Lock()
	s := r.states[reading.Sensor]
	fresh := s.State != holdfast.SensorOK
	s.State, s.Values, s.Time = holdfast.SensorOK, maps.Clone(reading.Values), reading.Time
	s.Samples++
	r.next = index + 1
	if fresh {
		r.revision++
	}
	r.mu.Unlock()
	if fresh {
		r.o.Log.Info("sensor is replayed", "sensor", reading.Sensor)
		r.o.Changed(holdfast.SensorChange{Sensor: reading.Sensor, State: holdfast.SensorOK})
	}
}
