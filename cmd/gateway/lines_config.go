package main

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"go.yaml.in/yaml/v3"

	"holdfast"
	"holdfast/sensors"
)

// LEDConfig places the status LED. Pin empty: no LED.
type LEDConfig struct {
	Chip, Pin string
	ActiveLow bool
}

// OutputConfig is a line that the gateway drives: a relay, a lamp.
type OutputConfig struct {
	Name, Chip, Pin string
	ActiveLow       bool
	Default         string        // at the start: off, on, or last for what was set last
	MaxOn           time.Duration // it goes off after so long; 0: never by itself
	Release         string        // at the end: off, on, or keep for the level that it has
}

// states of an output at the start and at the end.
const (
	outputOff  = "off"
	outputOn   = "on"
	outputLast = "last"
	outputKeep = "keep"
)

// maxOutputs bounds the list: a header has 28 lines.
const maxOutputs = 32

// outputs reads the list of lines that are driven:
//
//	outputs:
//	  - {name: fan, pin: 22, active_low: true, max_on: 600}
func (f *file) outputs(node *yaml.Node) {
	if node.Kind != yaml.SequenceNode {
		f.wrong(node, "outputs", "want a list")
		return
	}
	named := make(map[string]bool) // also those left out
	for i, item := range node.Content {
		path := fmt.Sprintf("outputs[%d]", i)
		before := len(f.mistakes)
		o := f.output(path, item)
		if len(f.cfg.Outputs) >= maxOutputs {
			f.wrong(item, path, "want %d outputs at most", maxOutputs)
		}
		right := len(f.mistakes) == before // with a mistake in it, none is better than half of it
		if named[o.Name] {
			f.wrong(item, path, "%q stands there twice", o.Name)
		}
		named[o.Name] = o.Name != ""
		if right && !slices.ContainsFunc(f.cfg.Outputs, func(other OutputConfig) bool { return other.Name == o.Name }) {
			f.cfg.Outputs = append(f.cfg.Outputs, o)
		}
	}
}

func (f *file) output(path string, node *yaml.Node) (o OutputConfig) {
	if node.Kind != yaml.MappingNode {
		f.wrong(node, path, "want keys and values: name, pin")
		return o
	}
	wrong := f.each(path, node, func(key string, value *yaml.Node) error { return o.set(key, value.Value) })
	if o.Name == "" && !wrong["name"] || o.Pin == "" {
		f.wrong(node, path, "want at least name and pin")
	}
	if wrong["default"] || wrong["release"] || wrong["max_on"] {
		return o
	}
	if err := o.complete(); err != nil {
		f.wrong(node, path, "%v", err)
	}
	return o
}

func (o *OutputConfig) set(key, value string) error {
	word := func(field *string, allowed ...string) error {
		return choice(func(*Config) *string { return field }, allowed...)(nil, value)
	}
	switch key {
	case "name":
		o.Name = value
		return holdfast.CheckOutput(value)
	case "pin":
		o.Pin = value
	case "chip":
		o.Chip = value
	case "active_low":
		return boolean(func(*Config) *bool { return &o.ActiveLow })(nil, value)
	case "default":
		return word(&o.Default, outputOff, outputOn, outputLast)
	case "max_on":
		return seconds(holdfast.MinInterval, holdfast.MaxInterval, func(_ *Config, d time.Duration) { o.MaxOn = d })(nil, value)
	case "release":
		return word(&o.Release, outputOff, outputOn, outputKeep)
	default:
		return noSuchKey(key, "name", "pin", "chip", "active_low", "default", "max_on", "release")
	}
	return nil
}

// complete fills in what was left out, and refuses what would break the promise of max_on: whatever happens, it is not on
// for longer.
func (o *OutputConfig) complete() error {
	if o.Default == "" {
		o.Default = outputOff
	}
	if o.Release == "" {
		o.Release = map[string]string{outputOff: outputOff, outputOn: outputOn, outputLast: outputKeep}[o.Default]
	}
	if o.MaxOn > 0 && (o.Default != outputOff || o.Release != outputOff) {
		return errors.New("with max_on it begins and ends off: want default: off and release: off, or no max_on")
	}
	return nil
}

// checkPins finds two uses of one line. The later one is given up.
func (c *Config) checkPins() (mistakes []mistake) {
	type use struct{ path, chip, pin string }
	var taken []use
	free := func(u use) bool {
		if u.pin == "" {
			return false
		}
		for _, t := range taken {
			if sensors.SameLine(t.chip, t.pin, u.chip, u.pin) {
				mistakes = append(mistakes, mistake{u.path, fmt.Errorf("%s: line %s is that of %s already: want another", u.path, u.pin, t.path)})
				return false
			}
		}
		taken = append(taken, u)
		return true
	}
	free(use{"button.pin", c.Button.Chip, c.Button.Pin})
	if !free(use{"led.pin", c.LED.Chip, c.LED.Pin}) {
		c.LED.Pin = ""
	}
	c.Outputs = slices.DeleteFunc(c.Outputs, func(o OutputConfig) bool { return !free(use{"output " + o.Name, o.Chip, o.Pin}) })
	return mistakes
}
