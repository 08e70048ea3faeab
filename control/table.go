package control

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"holdfast"
)

// commands is the table of what can be commanded. Duplicates, expiry and retained messages are settled before.
var commands = []command{
	{"ping", ping},
	{"start", start},
	{"stop", stop},
	{"set_interval", setInterval},
	{"reboot", reboot},
}

// A command has a name and a function that checks the arguments and says what is to be done.
type command struct {
	name string
	plan func(c *Control, args json.RawMessage) (plan, *holdfast.Fault)
}

// A plan is what a command comes down to. All fields zero: nothing but its receipt.
type plan struct {
	key    string // a setting to change, in one commit with the receipt; the result is its revision
	value  json.RawMessage
	effect func(context.Context) error // starts what ends this boot, after the intent is durable; Resume tells the outcome
	result any                         // written as JSON into a result that succeeded
}

func ping(c *Control, args json.RawMessage) (plan, *holdfast.Fault) {
	now := c.o.Now()
	return plan{result: struct {
		Time time.Time `json:"time"`
		Boot string    `json:"boot"`
	}{now.Time, now.Boot}}, noArguments(args)
}

func start(_ *Control, args json.RawMessage) (plan, *holdfast.Fault) {
	return plan{key: holdfast.SettingMeasuring, value: boolean(true)}, noArguments(args)
}

func stop(_ *Control, args json.RawMessage) (plan, *holdfast.Fault) {
	return plan{key: holdfast.SettingMeasuring, value: boolean(false)}, noArguments(args)
}

func setInterval(_ *Control, args json.RawMessage) (plan, *holdfast.Fault) {
	var a struct {
		Sensor  string   `json:"sensor"`
		Seconds *float64 `json:"seconds"`
	}
	if fault := decode(args, &a, "seconds, and sensor or none for all"); fault != nil {
		return plan{}, fault
	}
	switch {
	case a.Sensor != "" && holdfast.CheckSensor(a.Sensor) != nil:
		return plan{}, invalid("sensor: %q: want 1 to 64 of a-z 0-9 _ . -", cut(a.Sensor, 70))
	case a.Seconds == nil:
		return plan{}, invalid("seconds: is missing: want %v to %v", holdfast.MinInterval, holdfast.MaxInterval)
	case *a.Seconds < holdfast.MinInterval:
		return plan{}, invalid("seconds: %v is below %v", *a.Seconds, holdfast.MinInterval)
	case *a.Seconds > holdfast.MaxInterval:
		return plan{}, invalid("seconds: %v is above %v", *a.Seconds, holdfast.MaxInterval)
	}
	value, err := json.Marshal(*a.Seconds)
	if err != nil {
		return plan{}, invalid("seconds: %v", err)
	}
	return plan{key: holdfast.IntervalKey(a.Sensor), value: value}, nil
}

func reboot(c *Control, args json.RawMessage) (plan, *holdfast.Fault) {
	if fault := noArguments(args); fault != nil {
		return plan{}, fault
	}
	if c.o.Reboot == nil {
		return plan{}, &holdfast.Fault{Code: holdfast.CodeUnavailable, Message: "this device has nothing that could reboot it"}
	}
	return plan{effect: c.o.Reboot}, nil
}

func noArguments(args json.RawMessage) *holdfast.Fault { return decode(args, &struct{}{}, "none") }

// decode reads arguments and says what would be right where there are others.
func decode(args json.RawMessage, into any, want string) *holdfast.Fault {
	if len(args) == 0 {
		return nil
	}
	decoder := json.NewDecoder(bytes.NewReader(args))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return invalid("args: %s: want %s", strings.TrimPrefix(err.Error(), "json: "), want)
	}
	return nil
}

func invalid(format string, args ...any) *holdfast.Fault {
	return &holdfast.Fault{Code: holdfast.CodeInvalidArgument, Message: cut(fmt.Sprintf(format, args...), 512)}
}
