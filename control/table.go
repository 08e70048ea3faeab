package control

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	"holdfast"
)

// commands is the table of what can be commanded. Duplicates, expiry and retained messages are settled before.
// docs/commands.md says what each does, and docs/schema/commands holds the schema of its arguments.
var commands = []command{
	{"ping", ping},
	{"status", status},
	{"start", start},
	{"stop", stop},
	{"sample_now", sampleNow},
	{"scan", scan},
	{"set_interval", setInterval},
	{"set_config", setConfig},
	{"get_config", getConfig},
	{"set_rules", setRules},
	{"send_measurements", sendMeasurements},
	{"flush", flush},
	{"diag", diagnose},
	{"restart", restart},
	{"shutdown", shutdown},
	{"reboot", reboot},
	{"ack_alert", acknowledge},
	{"identify", identify},
	{"set_output", setOutput},
}

// A command has a name and a function that checks the arguments and says what is to be done.
type command struct {
	name string
	plan func(c *Control, args json.RawMessage) (plan, *holdfast.Fault)
}

// A plan is what a command comes down to. All fields zero: nothing but its receipt. At most one of the first three is set.
type plan struct {
	changes []wish                             // of settings, all or none, in one commit with the receipt; the result is the revision
	work    func(context.Context) (any, error) // has the result when it returns
	ending  func(context.Context) error        // starts what ends this daemon; Resume tells the outcome
	result  any                                // written as JSON into a result that succeeded
	then    func()                             // follows at once when the command is durable; not where there is work or ending
}

// A wish is a setting as somebody wants it; null takes it back to its default.
type wish struct {
	key   string
	value json.RawMessage
}

// decode reads arguments and says what would be right where there are others.
func decode(args json.RawMessage, into any, want string) *holdfast.Fault {
	if len(args) == 0 {
		return nil
	}
	decoder := json.NewDecoder(bytes.NewReader(args))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return invalid("args: %s; want %s", holdfast.ExplainJSON(args, into, err), want)
	}
	return nil
}

func noArguments(args json.RawMessage) *holdfast.Fault { return decode(args, &struct{}{}, "none") }

func invalid(format string, args ...any) *holdfast.Fault {
	return &holdfast.Fault{Code: holdfast.CodeInvalidArgument, Message: cut(fmt.Sprintf(format, args...), 512)}
}

// cannot is the fault of a device that lacks what the command needs.
func cannot(why string) *holdfast.Fault {
	return &holdfast.Fault{Code: holdfast.CodeUnsupported, Message: why}
}
