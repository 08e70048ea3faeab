package sensors

import (
	"strings"
	"testing"
)

func TestCheckSensors(t *testing.T) {
	t.Parallel()
	good := Configured{Chip: "tmp105", Bus: 1, Address: 0x48}
	tests := []struct {
		name string
		list []Configured
		want []string // a part of each line of the error
	}{
		{"none", nil, nil},
		{"good", []Configured{good, {Chip: "tmp105", Bus: 2, Address: 0x48}, {Name: "cellar", Chip: "bme280", Bus: 1, Address: 0x20}}, nil},
		{"all at once", []Configured{
			{Chip: "bme281", Bus: 1, Address: 0x76},
			{Chip: "bme280", Bus: 1, Address: 0x78},
			{Chip: "bme280", Bus: 1, Address: 0x76, Name: "Keller"},
			{Chip: "bme280", Bus: 1, Address: 0x77, Interval: -1},
		}, []string{
			`sensor 1: chip "bme281": want one of bme280, `,
			`sensor 2: address 0x78: want 0x03 to 0x77`,
			`sensor 3: invalid sensor: "Keller"`,
			`sensor 4: interval -1ns`,
		}},
		{"one place twice", []Configured{good, {Name: "other", Chip: "lm75", Bus: 1, Address: 0x48}}, []string{"sensor 2: i2c-1 0x48: sensor 1 is there too"}},
		{"one name twice", []Configured{good, {Name: "tmp105-1-48", Chip: "lm75", Bus: 1, Address: 0x49}}, []string{"sensor 2: name tmp105-1-48: sensor 1 has it too"}},
	}
	for _, test := range tests {
		err := CheckSensors(test.list)
		if (err == nil) != (len(test.want) == 0) {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		if err == nil {
			continue
		}
		lines := strings.Split(err.Error(), "\n")
		if len(lines) != len(test.want) {
			t.Errorf("%s: %d mistakes, want %d: %v", test.name, len(lines), len(test.want), err)
			continue
		}
		for i, want := range test.want {
			if !strings.Contains(lines[i], want) {
				t.Errorf("%s: %q, want %q", test.name, lines[i], want)
			}
		}
	}
}
