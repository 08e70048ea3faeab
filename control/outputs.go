package control

import (
	"encoding/json"
	"time"

	"holdfast"
)

// The commands that somebody in front of the device sees.

// maxIdentify is how long a device shows itself at most, and defaultIdentify how long it does unless told.
const (
	maxIdentify     = 300
	defaultIdentify = 10
)

func identify(c *Control, args json.RawMessage) (plan, *holdfast.Fault) {
	a := struct {
		Seconds float64 `json:"seconds"`
	}{defaultIdentify}
	if fault := decode(args, &a, "seconds, or none"); fault != nil {
		return plan{}, fault
	}
	switch {
	case a.Seconds < 1 || a.Seconds > maxIdentify:
		return plan{}, invalid("seconds: %v: want 1 to %d", a.Seconds, maxIdentify)
	case c.o.Identify == nil:
		return plan{}, cannot("this device has no light to show itself with")
	}
	return plan{then: func() { c.o.Identify(inSeconds(a.Seconds)) }}, nil
}

// setOutput switches an output: a setting, which ends after some seconds where the command says so.
func setOutput(c *Control, args json.RawMessage) (plan, *holdfast.Fault) {
	var a struct {
		Name    string   `json:"name"`
		On      *bool    `json:"on"`
		Seconds *float64 `json:"seconds"`
	}
	if c.o.Hold == nil {
		return plan{}, cannot("this device has no outputs")
	}
	if fault := decode(args, &a, "name, on, and seconds or none"); fault != nil {
		return plan{}, fault
	}
	switch {
	case holdfast.CheckOutput(a.Name) != nil:
		return plan{}, invalid("name: %q: want 1 to 64 of a-z 0-9 _ -", cut(a.Name, 70))
	case a.On == nil:
		return plan{}, invalid("on: is missing: want true or false")
	}
	p, fault := c.wishes(map[string]json.RawMessage{holdfast.OutputKey(a.Name): boolean(*a.On)})
	if fault != nil {
		return plan{}, fault
	}
	hold := time.Duration(0)
	if a.Seconds != nil {
		if !*a.On || *a.Seconds < holdfast.MinInterval || *a.Seconds > holdfast.MaxInterval {
			return plan{}, invalid("seconds: %v: want %v to %v, and on: true", *a.Seconds, holdfast.MinInterval, holdfast.MaxInterval)
		}
		hold = inSeconds(*a.Seconds)
		if err := c.o.MayHold(a.Name, hold); err != nil {
			return plan{}, invalid("seconds: %v", err)
		}
	}
	p.then = func() { c.o.Hold(a.Name, hold) }
	return p, nil
}

func inSeconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
