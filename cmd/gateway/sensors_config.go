package main

import (
	"fmt"
	"strconv"
	"time"

	"go.yaml.in/yaml/v3"

	"holdfast"
	"holdfast/sensors"
)

// sensors reads the list of chips that are not to be searched for. One with a mistake is left out.
func (f *file) sensors(node *yaml.Node) {
	if node.Kind != yaml.SequenceNode {
		f.wrong(node, "sensors", "want a list")
		return
	}
	all := make([]sensors.Configured, len(node.Content)) // also those left out, as far as their places are known
	for i, item := range node.Content {
		path := fmt.Sprintf("sensors[%d]", i)
		before := len(f.mistakes)
		sensor, known := f.sensor(path, item)
		right := len(f.mistakes) == before
		if known {
			all[i] = sensors.Configured(sensor)
			if err := all[i].CheckBeside(all[:i]); err != nil {
				f.wrong(item, path, "%v", err)
			}
		}
		if right && all[i].CheckBeside(configured(f.cfg.Sensors)) == nil {
			f.cfg.Sensors = append(f.cfg.Sensors, sensor)
		}
	}
}

// sensor reads one of the list. known reports whether its name and its place are right.
func (f *file) sensor(path string, node *yaml.Node) (s SensorConfig, known bool) {
	if node.Kind != yaml.MappingNode {
		f.wrong(node, path, "want keys and values: chip, bus, address")
		return s, false
	}
	wrong := f.each(path, node, func(key string, value *yaml.Node) error {
		switch key {
		case "registers":
			s.Registers = f.registers(path+".registers", value)
		case "identity":
			s.Identity = f.identity(path+".identity", value)
		default:
			return s.set(key, value.Value)
		}
		return nil
	})
	told := wrong["registers"] || wrong["identity"]
	nothing := s.Chip == "" && s.Registers == nil && !told
	if nothing || s.Address == 0 && !wrong["address"] {
		f.wrong(node, path, "want at least chip and address, or registers and address")
	}
	if !told && !nothing {
		if err := sensors.Configured(s).CheckChip(); err != nil {
			f.wrong(node, path, "%v", err)
		}
	}
	return s, s.Address != 0 && !wrong["name"] && !wrong["bus"] && !wrong["mux"]
}

func (s *SensorConfig) set(key, value string) error {
	switch key {
	case "name":
		s.Name = value
		return holdfast.CheckSensor(value)
	case "chip":
		s.Chip = value
	case "bus":
		n, err := strconv.ParseUint(value, 10, 8)
		if err != nil {
			return fmt.Errorf("%q: want the number of a bus, 1 for /dev/i2c-1", value)
		}
		s.Bus = int(n)
	case "mux":
		s.Mux = value
		return sensors.CheckMux(value)
	case "address":
		n, err := strconv.ParseUint(value, 0, 8)
		if err != nil || n < 0x08 || n > 0x77 {
			return fmt.Errorf("%q: want an I²C address from 0x08 to 0x77", value)
		}
		s.Address = uint16(n)
	case "interval":
		return seconds(holdfast.MinInterval, holdfast.MaxInterval, func(_ *Config, d time.Duration) { s.Interval = d })(nil, value)
	default:
		return noSuchKey(key, "name", "chip", "bus", "mux", "address", "interval", "registers", "identity")
	}
	return nil
}
