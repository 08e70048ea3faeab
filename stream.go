package holdfast

import (
	"crypto/rand"
	"encoding/hex"
)

// A Stream names one numbering: 128 random bits that a gateway mints at every start, so that no crash, purge, re-flash
// or cloned card ever uses a number twice. In JSON it is 32 lower-case hex digits.
type Stream [16]byte

// NewStream mints a stream. It cannot fail: crypto/rand ends the process rather than return weak bits.
func NewStream() Stream {
	var s Stream
	rand.Read(s[:]) // never returns an error since Go 1.24
	return s
}

// ParseStream reads 32 hex digits.
func ParseStream(text string) (Stream, error) {
	var s Stream
	if len(text) != 32 {
		return s, invalid("stream", "%q: want 32 hex digits", cut(text, 40))
	}
	if _, err := hex.Decode(s[:], []byte(text)); err != nil {
		return s, invalid("stream", "%q: want 32 hex digits", text)
	}
	return s, nil
}

func (s Stream) String() string { return hex.EncodeToString(s[:]) }

// IsZero reports whether s is the zero value, which names no stream.
func (s Stream) IsZero() bool { return s == Stream{} }

func (s Stream) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

func (s *Stream) UnmarshalText(text []byte) error {
	parsed, err := ParseStream(string(text))
	if err == nil {
		*s = parsed
	}
	return err
}

// A Lane is one of the three numberings of a stream. They travel apart, in falling priority: alert, event, telemetry.
type Lane string

const (
	LaneAlert     Lane = "alert"
	LaneEvent     Lane = "event"
	LaneTelemetry Lane = "telemetry"
)

// Lanes holds every lane in falling priority.
var Lanes = [...]Lane{LaneAlert, LaneEvent, LaneTelemetry}

// LaneLocal is what a gateway calls the readings that it keeps and does not send. It is no lane of the wire: Validate refuses
// it, and no batch is of it.
const LaneLocal Lane = "local"

// Validate returns an error unless l is one of [Lanes].
func (l Lane) Validate() error { return oneOf("lane", l, Lanes[:]...) }

// A Position is a place in a lane: behind it comes the number Seq+1 of Stream. The zero Position is before everything.
type Position struct {
	Stream Stream
	Seq    uint64
}

func cut(text string, n int) string {
	if len(text) > n {
		return text[:n] + "…"
	}
	return text
}
