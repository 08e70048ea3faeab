package control

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"holdfast"
)

// The commands that change settings.

func start(_ *Control, args json.RawMessage) (plan, *holdfast.Fault) {
	return plan{changes: []wish{{holdfast.SettingMeasuring, boolean(true)}}}, noArguments(args)
}

func stop(_ *Control, args json.RawMessage) (plan, *holdfast.Fault) {
	return plan{changes: []wish{{holdfast.SettingMeasuring, boolean(false)}}}, noArguments(args)
}

func setInterval(c *Control, args json.RawMessage) (plan, *holdfast.Fault) {
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
	if !c.knows(a.Sensor) {
		return plan{}, invalid("sensor: %q: none is known by that name: want one of %s; set_config takes %s for one that has yet to come",
			a.Sensor, cut(strings.Join(c.o.Sensors(), ", "), 300), holdfast.IntervalKey(a.Sensor))
	}
	value, err := json.Marshal(*a.Seconds)
	if err != nil {
		return plan{}, invalid("seconds: %v", err)
	}
	return plan{changes: []wish{{holdfast.IntervalKey(a.Sensor), value}}}, nil
}

// knows reports whether a sensor is there, was, or has an interval of its own already: whoever writes another name has
// mistaken himself.
func (c *Control) knows(sensor string) bool {
	if _, set := c.Get(holdfast.IntervalKey(sensor)); set || sensor == "" || c.o.Sensors == nil {
		return true
	}
	return slices.Contains(c.o.Sensors(), sensor)
}

func setConfig(c *Control, args json.RawMessage) (plan, *holdfast.Fault) {
	var a struct {
		Settings map[string]json.RawMessage `json:"settings"`
	}
	if fault := decode(args, &a, "settings: keys and values"); fault != nil {
		return plan{}, fault
	}
	if len(a.Settings) == 0 {
		return plan{}, invalid("settings: is missing: want at least one key and its value")
	}
	return c.wishes(a.Settings)
}

// wishes is the plan to set all of them, or a fault that names every mistake.
func (c *Control) wishes(settings map[string]json.RawMessage) (p plan, fault *holdfast.Fault) {
	var mistakes []string
	for _, key := range slices.Sorted(maps.Keys(settings)) {
		if err := c.check(key, settings[key]); err != nil {
			mistakes = append(mistakes, strings.TrimPrefix(err.Error(), "invalid "))
		}
		p.changes = append(p.changes, wish{key, settings[key]})
	}
	if mistakes != nil {
		return plan{}, invalid("%s", strings.Join(mistakes, "; "))
	}
	return p, nil
}

// check returns an error unless the device can hold the value and act upon it, or take the setting back for null.
func (c *Control) check(key string, value json.RawMessage) error {
	if holdfast.IsNull(value) {
		return c.checkKey(key)
	}
	if err := holdfast.CheckSetting(key, value); err != nil {
		return err
	}
	if c.o.Check == nil {
		return nil
	}
	return c.o.Check(key, value)
}

// checkKey returns an error unless there is such a setting.
func (c *Control) checkKey(key string) error {
	if _, known := c.Get(key); known {
		return nil
	}
	return holdfast.CheckSettingKey(key)
}

func setRules(c *Control, args json.RawMessage) (plan, *holdfast.Fault) {
	if fault := decode(args, new(holdfast.RuleSet), "version and yaml"); fault != nil {
		return plan{}, fault
	}
	if len(args) == 0 || holdfast.IsNull(args) { // which as a setting would take the rules back
		args = json.RawMessage("{}")
	}
	return c.wishes(map[string]json.RawMessage{holdfast.SettingRules: args})
}

// change adds all wishes to the change and returns the revision that holds then.
func (ch *change) change(wishes []wish, origin holdfast.Origin, reason string) (revision int64, err error) {
	for _, w := range wishes {
		setting, err := ch.wish(w, origin, reason)
		if err != nil {
			return 0, fmt.Errorf("set %s: %w", w.key, err)
		}
		revision = max(revision, setting.Revision)
	}
	return revision, nil
}

func (ch *change) wish(w wish, origin holdfast.Origin, reason string) (holdfast.Setting, error) {
	if holdfast.IsNull(w.value) {
		return ch.takeBack(w.key, origin, reason)
	}
	return ch.set(w.key, w.value, origin, reason)
}

// The commands that end the daemon.

func restart(c *Control, args json.RawMessage) (plan, *holdfast.Fault) {
	return c.endWith(args, c.o.Restart, "nothing here is known to start the gateway again: where something does (systemd with Restart=always, a container with restart: always), set GATEWAY_RESTART=supervised on the device")
}

func shutdown(c *Control, args json.RawMessage) (plan, *holdfast.Fault) {
	return c.endWith(args, c.o.Shutdown, "this device has nothing that could shut it down")
}

func reboot(c *Control, args json.RawMessage) (plan, *holdfast.Fault) {
	return c.endWith(args, c.o.Reboot, "this device has nothing that could reboot it")
}

func (c *Control) endWith(args json.RawMessage, effect func(context.Context) error, why string) (plan, *holdfast.Fault) {
	if fault := noArguments(args); fault != nil {
		return plan{}, fault
	}
	if effect == nil {
		return plan{}, cannot(why)
	}
	if len(c.endings(c.o.Now().Time)) >= maxEndings {
		return plan{}, &holdfast.Fault{Code: holdfast.CodeRateLimited, Message: fmt.Sprintf("%d restarts and reboots were commanded within the hour: no more are taken", maxEndings)}
	}
	return plan{ending: effect}, nil
}
