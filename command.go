package holdfast

import (
	"encoding/json"
	"strings"
	"time"
)

// A Command asks a gateway for something. Its ID makes it happen once, however often it arrives.
type Command struct {
	V       int             `json:"v"`
	ID      string          `json:"id"`
	Name    string          `json:"name"`
	Args    json.RawMessage `json:"args,omitempty"`
	Expires time.Time       `json:"expires,omitzero"`
	From    string          `json:"from,omitempty"`
	To      string          `json:"to,omitempty"`  // of a signed command: whom it is for
	Sig     string          `json:"sig,omitempty"` // Ed25519 of [SigningText], base64
}

// SigningText is what the signature of a command is made of: a line of each field, expires and args exactly as they stand
// in the message. It is unambiguous where no field but args holds a line break, and such a command is malformed.
func SigningText(to, id, name, expires, from string, args json.RawMessage) []byte {
	return append([]byte(strings.Join([]string{"holdfast-command-1", to, id, name, expires, from, ""}, "\n")), args...)
}

// MaxCommandBytes bounds the JSON of a command.
const MaxCommandBytes = 64 << 10

// MaxResultBytes bounds the JSON of a result, and MaxPageRecords the records in one: pages of send_measurements.
const (
	MaxResultBytes = 96 << 10
	MaxPageRecords = 1000
)

// Validate returns an error unless the command has an id and a name.
func (c *Command) Validate() error {
	if err := checkVersion(c.V); err != nil {
		return err
	}
	if c.ID == "" || len(c.ID) > 64 {
		return invalid("id", "%q: want 1 to 64 characters", cut(c.ID, 70))
	}
	if !quantityName(c.Name) {
		return invalid("name", "%q: want a letter a-z, then at most 63 of a-z 0-9 _", cut(c.Name, 70))
	}
	if strings.Contains(c.ID+c.From+c.To, "\n") {
		return invalid("id, from, to", "hold a line break")
	}
	return checkText("from", c.From, 256)
}

// CommandState is a step of a command's life.
type CommandState string

const (
	Accepted  CommandState = "accepted"
	Running   CommandState = "running"
	Succeeded CommandState = "succeeded"
	Failed    CommandState = "failed"
	TimedOut  CommandState = "timed_out"
	Refused   CommandState = "refused"
)

// A Result is a gateway's answer to a command.
type Result struct {
	V      int             `json:"v"`
	ID     string          `json:"id"`
	Name   string          `json:"name"`
	State  CommandState    `json:"state"`
	Result json.RawMessage `json:"result,omitempty"`
	Error  *Fault          `json:"error,omitempty"`
}

// Codes of a [Fault].
const (
	CodeInvalidArgument = "invalid_argument"
	CodeUnknownCommand  = "unknown_command"
	CodeMalformed       = "malformed"
	CodeExpired         = "expired"
	CodeRetained        = "retained"
	CodeUnavailable     = "unavailable" // what the command needs is not there
	CodeInterrupted     = "interrupted" // the daemon ended between intent and result
	CodeUnsupported     = "unsupported" // this device cannot do it
	CodeRateLimited     = "rate_limited"
	CodeUnsigned        = "unsigned" // this device has keys, and none of them signed it
	CodeInternal        = "internal"
)

// A Fault says why a command did not do what it was asked to.
type Fault struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

func (f *Fault) Error() string { return f.Code + ": " + f.Message }

// Validate returns an error unless the result names its command and a state.
func (r *Result) Validate() error {
	if err := checkVersion(r.V); err != nil {
		return err
	}
	return oneOf("state", r.State, Accepted, Running, Succeeded, Failed, TimedOut, Refused)
}
