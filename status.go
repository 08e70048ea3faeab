package holdfast

import (
	"fmt"
	"time"
)

// Status is a gateway's retained state message: its birth, its heartbeat each 60 s, and, with nothing but V, Online and
// Stream, its last will.
type Status struct {
	V                int                 `json:"v"`
	Online           bool                `json:"online"`
	Stream           Stream              `json:"stream"`
	Boot             string              `json:"boot,omitempty"`
	Since            time.Time           `json:"since,omitzero"` // start of the daemon
	Version          string              `json:"version,omitempty"`
	Release          string              `json:"release,omitempty"` // of the fleet's software, on balena
	Measuring        *bool               `json:"measuring,omitempty"`
	Ack              AckMode             `json:"ack,omitempty"`
	Store            Stream              `json:"store,omitzero"`     // the database that the gateway is bound to
	Clock            string              `json:"clock,omitempty"`    // synchronized, unsynchronized
	Volatile         bool                `json:"volatile,omitempty"` // the stream is not durable on this card
	SettingsRevision int64               `json:"settings_revision,omitempty"`
	Lanes            map[Lane]LaneStatus `json:"lanes,omitempty"`
	OlderStreams     []StreamStatus      `json:"older_streams,omitempty"`
	Buffer           *BufferStatus       `json:"buffer,omitempty"`
	Edge             *EdgeStatus         `json:"edge,omitempty"`    // what of the readings goes up; left out where that is all of them
	Notices          []string            `json:"notices,omitempty"` // what a person should know, in plain words, such as mistakes of the configuration
}

// MaxNotices and MaxNotice bound the notices of a [Status]: how many, and how many bytes each.
const (
	MaxNotices = 10
	MaxNotice  = 300
)

// AckMode says what frees a record on the device: the database's receipt, or the broker's PUBACK.
type AckMode string

const (
	AckReceipt AckMode = "receipt"
	AckPuback  AckMode = "puback"
)

// Clock states of a [Status].
const (
	ClockSynchronized   = "synchronized"
	ClockUnsynchronized = "unsynchronized"
)

// LaneStatus tells how far a lane is and what of it still waits.
type LaneStatus struct {
	Head    uint64    `json:"head"`            // newest durable number
	Pending uint64    `json:"pending"`         // numbers neither receipted nor handed over
	Oldest  time.Time `json:"oldest,omitzero"` // time of the oldest pending record
}

// StreamStatus is what still waits of an earlier stream.
type StreamStatus struct {
	Stream Stream              `json:"stream"`
	Lanes  map[Lane]LaneStatus `json:"lanes"`
}

// BufferStatus tells how full the durable buffer is.
type BufferStatus struct {
	Bytes int64 `json:"bytes"`
	Limit int64 `json:"limit"`
}

// Validate returns an error unless the state names its stream.
func (s *Status) Validate() error {
	if err := checkVersion(s.V); err != nil {
		return err
	}
	if s.Stream.IsZero() {
		return invalid("stream", "is missing: want 32 hex digits")
	}
	for lane, l := range s.Lanes {
		if err := lane.Validate(); err != nil {
			return inside("lanes", err)
		}
		if l.Head > MaxInteger || l.Pending > l.Head {
			return invalid("lanes."+string(lane), "head %d, pending %d: want pending ≤ head < 2^53", l.Head, l.Pending)
		}
	}
	if len(s.OlderStreams) > 1000 {
		return invalid("older_streams", "%d of them: at most 1000", len(s.OlderStreams))
	}
	if len(s.Notices) > MaxNotices {
		return invalid("notices", "%d of them: at most %d", len(s.Notices), MaxNotices)
	}
	for i, notice := range s.Notices {
		if err := checkText(fmt.Sprintf("notices[%d]", i), notice, MaxNotice); err != nil {
			return err
		}
	}
	return nil
}

// Presence is a receiver's retained state message, and its last will with Online false.
type Presence struct {
	V       int      `json:"v"`
	Store   Stream   `json:"store"`
	Start   string   `json:"start"` // minted at each start of the receiver: a new one makes gateways send again
	Online  bool     `json:"online"`
	Accepts []string `json:"accepts,omitempty"` // json, zstd
	Version string   `json:"version,omitempty"`
}

// Encodings that a receiver may accept.
const (
	AcceptsJSON = "json"
	AcceptsZstd = "zstd"
)

// Validate returns an error unless the presence names a database and a start.
func (p *Presence) Validate() error {
	if err := checkVersion(p.V); err != nil {
		return err
	}
	if p.Store.IsZero() {
		return invalid("store", "is missing: want 32 hex digits")
	}
	if p.Start == "" || len(p.Start) > 64 {
		return invalid("start", "%q: want 1 to 64 characters", cut(p.Start, 70))
	}
	return nil
}
