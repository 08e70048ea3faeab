package dashboard

import (
	"time"

	"holdfast"
)

// A View is one look at everything that the page shows. Times are UTC; a zero time means never.
type View struct {
	Time     time.Time       `json:"time"` // of this look, by the gateway's clock
	Device   string          `json:"device"`
	Version  string          `json:"version"`
	Since    time.Time       `json:"since"` // start of the daemon
	Stream   holdfast.Stream `json:"stream"`
	Clock    string          `json:"clock"` // holdfast.ClockSynchronized, holdfast.ClockUnsynchronized
	MayWrite bool            `json:"may_write"`
	TokenSet bool            `json:"token_set"` // a token is configured, so that one may write from afar

	Measuring        bool              `json:"measuring"`
	MeasuringBy      *holdfast.Setting `json:"measuring_by,omitempty"` // who set it, when and why; nil: nobody yet
	SettingsRevision int64             `json:"settings_revision"`
	MayUnplug        bool              `json:"may_unplug,omitempty"` // a safe stop is complete: the power may be pulled
	Presses          map[string]string `json:"presses,omitempty"`    // what a short, long and double press do: toggle, stop, mark
	LED              *LED              `json:"led,omitempty"`        // nil: there is none
	Outputs          []Output          `json:"outputs,omitempty"`
	Simulated        bool              `json:"simulated,omitempty"` // the Pi is; its chips are at /api/v1/simulated

	Edge *holdfast.EdgeStatus `json:"edge,omitempty"` // what of the readings goes up; nil: all of them, and nobody decides

	Link    Link             `json:"link"`
	Buffer  Buffer           `json:"buffer"`
	Records Records          `json:"records"`
	Sensors []Sensor         `json:"sensors"`
	Alerts  []holdfast.Alert `json:"alerts"`            // the newest step of each alert, raised ones and those cleared of late
	Notices []string         `json:"notices,omitempty"` // what else a person should know: faults of the configuration, broken rules
}

// LED is the status LED: what it shows, and whether it shines at this moment.
type LED struct {
	Shows string `json:"shows"` // starting, running, paused, offline, fault, safe, identify
	On    bool   `json:"on"`
}

// An Output is a line that the gateway drives.
type Output struct {
	Name   string    `json:"name"`
	On     bool      `json:"on"`
	Error  string    `json:"error,omitempty"`    // why it cannot be switched
	Until  time.Time `json:"until,omitzero"`     // when it goes off by itself
	MaxOnS float64   `json:"max_on_s,omitempty"` // seconds; 0: no maximum
}

// States of a [Link].
const (
	LinkConnected  = "connected"
	LinkConnecting = "connecting"
	LinkOff        = "off" // no broker is configured, or sending is switched off
)

// Link tells of the way to the broker and of the receiver behind it.
type Link struct {
	State          string           `json:"state"`
	Broker         string           `json:"broker,omitempty"` // host:port, never credentials
	Since          time.Time        `json:"since,omitzero"`   // of the state
	Error          string           `json:"error,omitempty"`  // why there is no link
	Mode           holdfast.AckMode `json:"mode"`
	Store          holdfast.Stream  `json:"store,omitzero"`       // the database that the gateway is bound to
	OtherStore     holdfast.Stream  `json:"other_store,omitzero"` // another database that answered and is not obeyed
	ReceiverOnline bool             `json:"receiver_online"`
	Hold           string           `json:"hold,omitempty"`  // why the receiver asks the device to keep its data
	Aside          int              `json:"aside,omitempty"` // streams that the receiver says belong to another device
}

// Buffer tells what the durable buffer holds.
type Buffer struct {
	Lanes    map[holdfast.Lane]holdfast.LaneStatus `json:"lanes"`           // of the current stream
	Older    []holdfast.StreamStatus               `json:"older,omitempty"` // earlier streams of which something waits
	Bytes    int64                                 `json:"bytes"`
	Limit    int64                                 `json:"limit"`
	Failing  string                                `json:"failing,omitempty"` // why nothing can be made durable
	Volatile bool                                  `json:"volatile"`          // records are held in memory only
}

// Records counts, since the start of the daemon, what became of all records of all lanes. What is delivered or waits may have
// been produced before that start.
type Records struct {
	Produced  uint64 `json:"produced"`
	Delivered uint64 `json:"delivered"` // receipted by the database; in puback mode, taken by the broker
	Waiting   uint64 `json:"waiting"`
	Dropped   uint64 `json:"dropped"` // given up; each stands in a statement with its cause

	Withheld map[string]uint64 `json:"withheld,omitempty"` // readings that do not go up, by the rule that withheld them; history only
}

// A Sensor is a sensor's state and its newest values.
type Sensor struct {
	Name      string               `json:"name"`
	Chip      string               `json:"chip"`
	State     holdfast.SensorState `json:"state"`
	Error     string               `json:"error,omitempty"`
	Time      time.Time            `json:"time,omitzero"` // of the values
	IntervalS float64              `json:"interval_s"`    // seconds between two samples
	Values    []Value              `json:"values"`
	Samples   uint64               `json:"samples"`
	Skipped   uint64               `json:"skipped"` // samples that were due and not taken
	Errors    uint64               `json:"errors"`
	Suspect   uint64               `json:"suspect"` // values that travel flagged
	Bad       uint64               `json:"bad"`     // values that were no measurement and were left out
}

// A Value is one quantity of a sensor. Value is nil until there was a reading.
type Value struct {
	Quantity  string           `json:"quantity"` // temperature_celsius
	Unit      string           `json:"unit"`     // °C
	Precision int              `json:"precision"`
	Value     *float64         `json:"value"`             // in the quantity's base unit
	Quality   holdfast.Quality `json:"quality,omitempty"` // empty: good
}
