package main

import (
	"fmt"
	"strconv"

	"go.yaml.in/yaml/v3"

	"holdfast"
	"holdfast/sensors"
)

func leaveAlone(cfg *Config, value string) (err error) {
	cfg.LeaveAlone, err = sensors.ParseAddresses(value)
	return err
}

// filters reads how the measurements of single sensors are filtered, by name of the sensor:
//
//	filters:
//	  bme280-1-76: {samples: 5, combine: median, spikes: true}
func (f *file) filters(node *yaml.Node) {
	if node.Kind != yaml.MappingNode {
		f.wrong(node, "filters", "want names of sensors, each with samples, combine or spikes")
		return
	}
	for i := 0; i+1 < len(node.Content); i += 2 {
		name, value := node.Content[i], node.Content[i+1]
		path := "filters." + name.Value
		if err := holdfast.CheckSensor(name.Value); err != nil {
			f.wrong(name, path, "%v", err)
			continue
		}
		before := len(f.mistakes)
		filter := f.filter(path, value)
		if len(f.mistakes) > before {
			continue // with a mistake in it, none is better than half of it
		}
		if f.cfg.Filters == nil {
			f.cfg.Filters = make(map[string]sensors.Filter)
		}
		f.cfg.Filters[name.Value] = filter
	}
}

func (f *file) filter(path string, node *yaml.Node) (filter sensors.Filter) {
	if node.Kind != yaml.MappingNode {
		f.wrong(node, path, "want keys and values: samples, combine, spikes")
		return filter
	}
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, value := node.Content[i], node.Content[i+1]
		if err := setFilter(&filter, key.Value, value.Value); err != nil {
			f.wrong(value, path+"."+key.Value, "%v", err)
		}
	}
	return filter
}

func setFilter(filter *sensors.Filter, key, value string) (err error) {
	switch key {
	case "samples":
		if filter.Samples, err = strconv.Atoi(value); err != nil || filter.Samples < 1 {
			return fmt.Errorf("%q: want 1 to %d measurements", value, sensors.MaxSamples)
		}
	case "combine":
		filter.Combine = value
	case "spikes":
		if filter.Spikes, err = strconv.ParseBool(value); err != nil {
			return fmt.Errorf("%q: want true or false", value)
		}
	default:
		return noSuchKey(key, "samples", "combine", "spikes")
	}
	return filter.Check()
}
