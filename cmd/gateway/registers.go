package main

import (
	"errors"
	"fmt"
	"strconv"

	"go.yaml.in/yaml/v3"

	"holdfast"
	"holdfast/sensors"
)

// registers reads what is to be read of a chip for which there is no driver:
//
//	registers:
//	  - {quantity: temperature_celsius, unit: °C, register: 0x05, width: 2, signed: true, scale: 0.0625}
func (f *file) registers(path string, node *yaml.Node) []sensors.Register {
	if node.Kind != yaml.SequenceNode || len(node.Content) == 0 {
		f.wrong(node, path, "want a list, each with quantity, unit and register")
		return nil
	}
	list := make([]sensors.Register, len(node.Content))
	for i, item := range node.Content {
		at := fmt.Sprintf("%s[%d]", path, i)
		r := sensors.Register{Field: sensors.Field{Width: 1}, Scale: 1}
		if !f.keys(at, item, func(key, value string) error { return setRegister(&r, key, value) }, "quantity", "unit", "register") {
			continue
		}
		if err := r.Check(); err != nil {
			f.wrong(item, at, "%v", err)
		}
		list[i] = r
	}
	return list
}

// identity reads the register by which such a chip is known.
func (f *file) identity(path string, node *yaml.Node) *sensors.Identity {
	identity := sensors.Identity{Field: sensors.Field{Width: 1}}
	set := func(key, value string) error {
		if key != "value" {
			return setField(&identity.Field, key, value, "value")
		}
		n, err := strconv.ParseUint(value, 0, 32)
		if err != nil {
			return fmt.Errorf("%q: want a whole number, 0 to 0xffffffff", value)
		}
		identity.Value = uint32(n)
		return nil
	}
	if f.keys(path, node, set, "register", "value") {
		if err := identity.Check(); err != nil {
			f.wrong(node, path, "%v", err)
		}
	}
	return &identity
}

// keys gives each key of a mapping and its value to set, and looks whether those that are needed are there. It reports
// whether all of it is right.
func (f *file) keys(path string, node *yaml.Node, set func(key, value string) error, needed ...string) bool {
	before := len(f.mistakes)
	if node.Kind != yaml.MappingNode {
		f.wrong(node, path, "want keys and values")
		return false
	}
	seen := make(map[string]bool)
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, value := node.Content[i].Value, node.Content[i+1]
		seen[key] = true
		err := errors.New("want one value")
		if value.Kind == yaml.ScalarNode {
			err = set(key, value.Value)
		}
		if err != nil {
			f.wrong(value, path+"."+key, "%v", err)
		}
	}
	for _, key := range needed {
		if !seen[key] {
			f.wrong(node, path, "want %s", key)
		}
	}
	return len(f.mistakes) == before
}

func setRegister(r *sensors.Register, key, value string) (err error) {
	switch key {
	case "quantity":
		r.Quantity.Name = value
		return holdfast.CheckQuantity(value)
	case "unit":
		r.Quantity.Unit = value
	case "signed":
		if value != "true" && value != "false" {
			return fmt.Errorf("%q: want true or false", value)
		}
		r.Signed = value == "true"
	case "scale":
		r.Scale, err = finite(value)
	case "offset":
		r.Offset, err = finite(value)
	case "min":
		r.Quantity.Min, err = finite(value)
	case "max":
		r.Quantity.Max, err = finite(value)
	default:
		return setField(&r.Field, key, value, "quantity", "unit", "signed", "scale", "offset", "min", "max")
	}
	return err
}

// setField sets what registers and identities have in common. others are the keys that they have beside that.
func setField(field *sensors.Field, key, value string, others ...string) error {
	switch key {
	case "register":
		n, err := strconv.ParseUint(value, 0, 8)
		if err != nil {
			return fmt.Errorf("%q: want the number of a register, 0 to 0xff", value)
		}
		field.Number = byte(n)
	case "width":
		n, err := strconv.ParseUint(value, 10, 8)
		if err != nil || n < 1 || n > 4 {
			return fmt.Errorf("%q: want 1 to 4 bytes", value)
		}
		field.Width = int(n)
	case "endian":
		if value != "big" && value != "little" {
			return fmt.Errorf("%q: want big (high byte first) or little", value)
		}
		field.Little = value == "little"
	default:
		return noSuchKey(key, append([]string{"register", "width", "endian"}, others...)...)
	}
	return nil
}

func finite(value string) (float64, error) {
	n, err := strconv.ParseFloat(value, 64)
	if err != nil || n-n != 0 { // not finite
		return 0, fmt.Errorf("%q: want a number", value)
	}
	return n, nil
}
