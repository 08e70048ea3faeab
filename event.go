package holdfast

import (
	"encoding/json"
	"fmt"
	"regexp"
	"time"
)

// An Event says that something happened on the device: a boot, a press, a setting that changed, a sensor lost.
// Data is the JSON of the type that belongs to the name: [Boot], [Anchor], [Setting], [SensorChange] and so on.
type Event struct {
	Time  time.Time       `json:"time"`
	Event string          `json:"event"`
	Data  json.RawMessage `json:"data,omitempty"`
	Clock *Clock          `json:"clock,omitempty"`
}

// The names of events that the wire knows.
const (
	EventBoot    = "boot"    // Boot: the daemon started
	EventAnchor  = "anchor"  // Anchor: monotonic time got a wall time
	EventSetting = "setting" // Setting: a setting changed
	EventSensor  = "sensor"  // SensorChange: a sensor was found, lost, recovered
	EventButton  = "button"  // Press: somebody pressed the button
	EventOutput  = "output"  // OutputChange: an output was switched
	EventCommand = "command" // CommandChange: a command was taken, carried out, refused
	EventRules   = "rules"   // RulesChange: a set was loaded or taken back, or a rule is broken
	EventBuffer  = "buffer"  // BufferChange: the durable buffer was damaged, full, repaired
	EventConfig  = "config"  // ConfigMistakes: the configuration has mistakes, and other values hold in their place
	EventLink    = "link"    // LinkChange: a changed broker is on trial, has proven itself, is given up

	EventSchedule = "schedule" // Schedule: a rule of this kind fired, or could not
	EventAction   = "action"   // ActionChange: what became of an action of a rule, beside outputs, which have an event of their own
	EventEdge     = "edge"     // EdgeChange: other things go up from now on
)

var eventName = regexp.MustCompile(`^[a-z][a-z0-9_.-]{0,63}$`)

// NewEvent returns an event of the given name at the given instant. data must be a type of this package that can be
// written as JSON; it panics on one that cannot, which no type of this package is.
func NewEvent(at Instant, name string, data any) *Event {
	raw, err := json.Marshal(data)
	if err != nil {
		panic(fmt.Sprintf("holdfast: event %s with data that has no JSON: %v", name, err))
	}
	return &Event{Time: at.Time, Event: name, Data: raw, Clock: at.Clock()}
}

func (e *Event) Lane() Lane      { return LaneEvent }
func (e *Event) When() time.Time { return e.Time }

// Validate returns an error unless the event has a time and a name.
func (e *Event) Validate() error {
	if err := checkTime("time", e.Time); err != nil {
		return err
	}
	if !eventName.MatchString(e.Event) {
		return invalid("event", "%q: want a letter a-z, then at most 63 of a-z 0-9 _ . -", cut(e.Event, 70))
	}
	return e.Clock.Validate()
}

// MarshalJSON writes the record with its kind.
func (e Event) MarshalJSON() ([]byte, error) {
	type plain Event
	return json.Marshal(struct {
		Kind string `json:"kind"`
		plain
	}{"event", plain(e)})
}

// ConfigMistakes is the data of [EventConfig].
type ConfigMistakes struct {
	Mistakes []string `json:"mistakes"` // a line each: where, what is wrong, what would be right, what holds
}

// Boot is the data of [EventBoot].
type Boot struct {
	Boot     string    `json:"boot"` // the kernel's boot id
	Version  string    `json:"version"`
	Release  string    `json:"release,omitempty"`
	Previous *Previous `json:"previous,omitempty"` // nil on the first start of this card
}

// Previous tells how the stream before this one ended. After a clean stop its numbers are final. After a crash every
// number above them, up to the highest head that anybody saw, is lost by [CauseCrash], and beyond that at most one window.
type Previous struct {
	Stream Stream          `json:"stream"`
	Clean  bool            `json:"clean"`
	Lanes  map[Lane]uint64 `json:"lanes"` // the newest durable number of each lane
}

// Anchor is the data of [EventAnchor]: at the event's time the boot's monotonic clock read Mono.
type Anchor struct {
	Boot          string `json:"boot"`
	Mono          int64  `json:"mono"` // µs
	UncertaintyUS int64  `json:"uncertainty_us"`
}

// SensorChange is the data of [EventSensor].
type SensorChange struct {
	Sensor string      `json:"sensor"`
	State  SensorState `json:"state"`
	Error  string      `json:"error,omitempty"`
}

// SensorState is what a device knows of a sensor.
type SensorState string

const (
	SensorAbsent      SensorState = "absent"
	SensorIdentifying SensorState = "identifying"
	SensorOK          SensorState = "ok"
	SensorDegraded    SensorState = "degraded" // the last read failed
	SensorLost        SensorState = "lost"     // several reads in a row failed
)

// Press is the data of [EventButton].
type Press struct {
	Origin string `json:"origin"` // button, or page for the virtual one
	Press  string `json:"press"`  // short, long, double
}

// Kinds of a press. What becomes long or double is noted as short first, when the contact closes.
const (
	PressShort  = "short"
	PressLong   = "long"
	PressDouble = "double"
)

// OutputChange is the data of [EventOutput]: what the line does from then on, which a setting alone does not prove.
type OutputChange struct {
	Output string `json:"output"`
	On     bool   `json:"on"`
	Origin Origin `json:"origin"`
	Reason string `json:"reason,omitempty"`
	Error  string `json:"error,omitempty"` // why the line could not be switched
}

// CommandChange is the data of [EventCommand].
type CommandChange struct {
	ID    string       `json:"id"`
	Name  string       `json:"name"`
	State CommandState `json:"state"`
	From  string       `json:"from,omitempty"`
	Error *Fault       `json:"error,omitempty"`
}

// RulesChange is the data of [EventRules]: of one rule that is broken, or of a set as a whole.
type RulesChange struct {
	Rule    string       `json:"rule,omitempty"`    // the rule that is broken, or for which its set was rejected
	State   string       `json:"state"`             // of a set: loaded, proven, rejected, refused; of a rule: broken
	Version int          `json:"version,omitempty"` // of the set
	Origin  string       `json:"origin,omitempty"`  // file, variable, example, or who wrote the setting
	Hash    string       `json:"hash,omitempty"`    // of its text, 16 hex digits
	Rules   int          `json:"rules,omitempty"`   // how many
	Before  *RulesBefore `json:"before,omitempty"`  // what was in force before a set was loaded; nil: no rules, or a start
	Error   string       `json:"error,omitempty"`
}

// RulesBefore is a set of rules that another took the place of.
type RulesBefore struct {
	Version int    `json:"version"`
	Origin  string `json:"origin"`
	Hash    string `json:"hash"`
}

// Schedule is the data of [EventSchedule].
type Schedule struct {
	Rule        string    `json:"rule"`
	RuleVersion int       `json:"rule_version"`
	State       string    `json:"state"`            // fired, late, skipped, waiting
	Due         time.Time `json:"due,omitzero"`     // the instant that fired
	Missed      uint64    `json:"missed,omitempty"` // instants passed over, which did not fire
	Since       time.Time `json:"since,omitzero"`   // the first of them
}

// States of a schedule.
const (
	ScheduleFired   = "fired"   // at its time
	ScheduleLate    = "late"    // the last of the instants that were passed over fired now
	ScheduleSkipped = "skipped" // instants were passed over, nothing fired
	ScheduleWaiting = "waiting" // wall time is not known in this boot
)

// ActionChange is the data of [EventAction].
type ActionChange struct {
	Rule   string  `json:"rule"`
	Action string  `json:"action"` // output, interval, webhook
	State  string  `json:"state"`
	Sensor string  `json:"sensor,omitempty"`  // whose interval
	EveryS float64 `json:"every_s,omitempty"` // the interval
	Output string  `json:"output,omitempty"`
	Error  string  `json:"error,omitempty"`
}

// States of an action.
const (
	ActionBegun     = "begun"     // a sensor is sampled at the rule's interval
	ActionEnded     = "ended"     // and no more
	ActionMissing   = "missing"   // the device has no such output
	ActionFailed    = "failed"    // a webhook was not taken, or had to make room
	ActionRecovered = "recovered" // and is taken again
)

// BufferChange is the data of [EventBuffer].
type BufferChange struct {
	State   string `json:"state"`             // damaged, full, failing, recovered
	Records uint64 `json:"records,omitempty"` // records salvaged, or dropped
	Error   string `json:"error,omitempty"`
}

// LinkChange is the data of [EventLink].
type LinkChange struct {
	State  string `json:"state"`           // trial, accepted, rejected
	Broker string `json:"broker"`          // the changed one, without secrets
	Error  string `json:"error,omitempty"` // why it was rejected
}
