package main

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"go.yaml.in/yaml/v3"

	"holdfast"
	"holdfast/rules"
	"holdfast/sensors"
)

// applyYAML sets what the text says and returns every mistake with its place. where names the text in them.
func applyYAML(cfg *Config, where string, text []byte) []mistake {
	if len(strings.TrimSpace(string(text))) == 0 {
		return nil
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(text, &doc); err != nil {
		line, why := rules.Malformed(text)
		return []mistake{{"", fmt.Errorf("%s:%d: %s", where, line, why)}}
	}
	if len(doc.Content) == 0 {
		return nil
	}
	f := file{where: where, cfg: cfg}
	f.section("", doc.Content[0])
	return f.mistakes
}

// A file is one configuration text on its way into a Config.
type file struct {
	where    string
	cfg      *Config
	mistakes []mistake
}

func (f *file) wrong(at *yaml.Node, path, format string, args ...any) {
	f.mistakes = append(f.mistakes, mistake{path, fmt.Errorf("%s:%d: %s: %s", f.where, at.Line, spell(path), fmt.Sprintf(format, args...))})
}

// spell returns a key as a message has it: quoted where it is empty, or holds what a reader would not see.
func spell(path string) string {
	hidden := func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) }
	if path == "" || strings.ContainsFunc(path, hidden) {
		return strconv.Quote(path)
	}
	return path
}

// section walks one mapping: a key is a scalar of the table, a list, or a mapping of more.
func (f *file) section(path string, node *yaml.Node) {
	if node.Kind != yaml.MappingNode {
		f.wrong(node, path, "want keys and values")
		return
	}
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, value := node.Content[i], node.Content[i+1]
		at := strings.TrimPrefix(path+"."+key.Value, ".")
		switch {
		case at == "sensors":
			f.sensors(value)
		case at == "outputs":
			f.outputs(value)
		case at == "filters":
			f.filters(value)
		case value.Kind == yaml.MappingNode && isSection(at):
			f.section(at, value)
		default:
			f.scalar(at, key, value)
		}
	}
}

func isSection(path string) bool {
	return slices.ContainsFunc(scalars(), func(s scalar) bool { return strings.HasPrefix(s.path, path+".") })
}

func (f *file) scalar(path string, key, value *yaml.Node) {
	for _, s := range scalars() {
		if s.path != path {
			continue
		}
		if value.Kind != yaml.ScalarNode {
			f.wrong(value, path, "want one value")
		} else if err := s.set(f.cfg, value.Value); err != nil {
			f.wrong(value, path, "%v", err)
		}
		return
	}
	f.wrong(key, path, "no such key; `gateway env` lists them all")
}

// sensors reads the list of chips that are not to be searched for.
func (f *file) sensors(node *yaml.Node) {
	if node.Kind != yaml.SequenceNode {
		f.wrong(node, "sensors", "want a list")
		return
	}
	for i, item := range node.Content {
		path := fmt.Sprintf("sensors[%d]", i)
		sensor, err := f.sensor(path, item)
		if err != nil {
			continue
		}
		list := append(slices.Clone(f.cfg.Sensors), sensor)
		if err := sensors.CheckLast(configured(list)); err != nil {
			f.wrong(item, path, "%v", err)
			continue
		}
		f.cfg.Sensors = list
	}
}

var errSensor = errors.New("sensor left out")

func (f *file) sensor(path string, node *yaml.Node) (s SensorConfig, err error) {
	before := len(f.mistakes)
	if node.Kind != yaml.MappingNode {
		f.wrong(node, path, "want keys and values: chip, bus, address")
		return s, errSensor
	}
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, value := node.Content[i].Value, node.Content[i+1]
		switch key {
		case "registers":
			s.Registers = f.registers(path+".registers", value)
		case "identity":
			s.Identity = f.identity(path+".identity", value)
		default:
			if err := s.set(key, value.Value); err != nil {
				f.wrong(value, path+"."+key, "%v", err)
			}
		}
	}
	if s.Chip == "" && s.Registers == nil || s.Address == 0 {
		f.wrong(node, path, "want at least chip and address, or registers and address")
	}
	if len(f.mistakes) > before {
		return s, errSensor
	}
	return s, nil
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
		return errors.New("no such key; want name, chip, bus, mux, address, interval, registers, identity")
	}
	return nil
}
