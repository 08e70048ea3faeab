package control

import (
	"context"
	"encoding/json"
	"time"

	"holdfast"
)

// The commands that tell something, and those that have the device do something that ends with the command.

func ping(c *Control, args json.RawMessage) (plan, *holdfast.Fault) {
	now := c.o.Now()
	return plan{result: struct {
		Time time.Time `json:"time"`
		Boot string    `json:"boot"`
	}{now.Time, now.Boot}}, noArguments(args)
}

func status(c *Control, args json.RawMessage) (plan, *holdfast.Fault) {
	var device any
	if c.o.Status != nil {
		device = c.o.Status()
	}
	return plan{result: struct {
		Status   any                `json:"status,omitempty"`
		Settings []holdfast.Setting `json:"settings"`
	}{device, c.Told()}}, noArguments(args)
}

func getConfig(c *Control, args json.RawMessage) (plan, *holdfast.Fault) {
	var configuration any
	if c.o.Config != nil {
		configuration = c.o.Config()
	}
	var mistakes []string
	if c.o.Mistakes != nil {
		mistakes = c.o.Mistakes()
	}
	return plan{result: struct {
		Mistakes      []string           `json:"mistakes,omitempty"`
		Configuration any                `json:"configuration,omitempty"`
		Settings      []holdfast.Setting `json:"settings"`
	}{mistakes, configuration, c.Told()}}, noArguments(args)
}

// maxTold is how many settings a result tells of; only intervals of sensors are so many.
const maxTold = 200

// Told returns the settings as results tell them: of the rules only which version holds, and no secrets.
func (c *Control) Told() []holdfast.Setting {
	settings := c.Settings()
	settings = settings[:min(len(settings), maxTold)]
	for i := range settings {
		settings[i].Value = told(settings[i].Key, settings[i].Value)
	}
	return settings
}

func told(key string, value json.RawMessage) json.RawMessage {
	if key != holdfast.SettingRules {
		return holdfast.ConcealSetting(key, value)
	}
	var set struct {
		Version int `json:"version"`
	}
	short, err := value, json.Unmarshal(value, &set)
	if err == nil {
		short, err = json.Marshal(set)
	}
	if err != nil {
		return json.RawMessage("null")
	}
	return short
}

func sampleNow(c *Control, args json.RawMessage) (plan, *holdfast.Fault) {
	var a struct {
		Sensor string `json:"sensor"`
	}
	if fault := decode(args, &a, "sensor, or none for all"); fault != nil {
		return plan{}, fault
	}
	switch {
	case a.Sensor != "" && holdfast.CheckSensor(a.Sensor) != nil:
		return plan{}, invalid("sensor: %q: want 1 to 64 of a-z 0-9 _ . -", cut(a.Sensor, 70))
	case c.o.Sample == nil:
		return plan{}, cannot("what this device measures comes when it comes")
	case !c.Measuring():
		return plan{}, &holdfast.Fault{Code: holdfast.CodeUnavailable, Message: "measuring is stopped: start it first"}
	}
	return plan{work: func(ctx context.Context) (any, error) { return c.o.Sample(ctx, a.Sensor) }}, nil
}

func scan(c *Control, args json.RawMessage) (plan, *holdfast.Fault) {
	return working(args, c.o.Scan, "this device has no buses to scan")
}

func flush(c *Control, args json.RawMessage) (plan, *holdfast.Fault) {
	return working(args, c.o.Flush, "this device has nothing to flush")
}

func diagnose(c *Control, args json.RawMessage) (plan, *holdfast.Fault) {
	return working(args, c.o.Diagnose, "this device has nothing to tell of itself")
}

func working(args json.RawMessage, work func(context.Context) (any, error), why string) (plan, *holdfast.Fault) {
	if fault := noArguments(args); fault != nil {
		return plan{}, fault
	}
	if work == nil {
		return plan{}, cannot(why)
	}
	return plan{work: work}, nil
}
