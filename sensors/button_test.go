package sensors

import (
	"strings"
	"testing"
	"time"
)

func TestButtonOptions(t *testing.T) {
	t.Parallel()
	press := func(string) {}
	tests := []struct {
		name string
		o    ButtonOptions
		edge string   // what it becomes
		want []string // a part of each line of the error
	}{
		{"as it comes", ButtonOptions{Line: "17", Press: press}, "falling", nil},
		{"to the supply", ButtonOptions{Line: "17", Pull: "down", Press: press}, "rising", nil},
		{"said", ButtonOptions{Line: "GPIO17", Pull: "none", Edge: "rising", Debounce: time.Millisecond, Press: press}, "rising", nil},
		{"on a wire of I²C", ButtonOptions{Line: "2", Buses: []int{1}, Press: press}, "falling", []string{"no button there: BCM 2 is a wire of i2c-1, which is in use"}},
		{"on it by name", ButtonOptions{Line: "GPIO3", Buses: []int{1}, Press: press}, "falling", []string{"no button there: BCM 3 is a wire of i2c-1, which is in use"}},
		{"on it by its other name", ButtonOptions{Line: "SDA1", Buses: []int{1}, Press: press}, "falling", []string{"no button there: BCM 2 is a wire of i2c-1, which is in use"}},
		{"by name", ButtonOptions{Line: "GPIO17", Buses: []int{1}, Press: press}, "falling", nil},
		{"beside it", ButtonOptions{Line: "2", Buses: []int{0}, Press: press}, "falling", nil},
		{"on another chip", ButtonOptions{Chip: "expander", Line: "2", Buses: []int{1}, Press: press}, "falling", nil},
		{"all at once", ButtonOptions{Pull: "Up", Edge: "both", Debounce: 2 * time.Second}, "both", []string{
			"line is missing", `pull "Up": want up, down or none`, `edge "both": want falling or rising`, "debounce 2s", "nothing is to be done",
		}},
	}
	for _, test := range tests {
		b, err := NewButton(test.o)
		if b.o.Edge != test.edge {
			t.Errorf("%s: edge %q, want %q", test.name, b.o.Edge, test.edge)
		}
		if err == nil {
			if len(test.want) > 0 {
				t.Errorf("%s: no error", test.name)
			}
			continue
		}
		lines := strings.Split(err.Error(), "\n")
		if len(lines) != len(test.want) {
			t.Fatalf("%s: %d mistakes, want %d: %v", test.name, len(lines), len(test.want), err)
		}
		for i, want := range test.want {
			if !strings.Contains(lines[i], want) {
				t.Errorf("%s: %q, want %q", test.name, lines[i], want)
			}
		}
	}
}

func TestCheckPin(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		label  string
		offset int
		buses  []int
		free   bool
	}{
		{"pinctrl-bcm2711", 17, []int{0, 1}, true},
		{"pinctrl-bcm2711", 2, []int{1}, false},
		{"pinctrl-rp1", 3, []int{1, 20}, false},
		{"pinctrl-bcm2835", 3, []int{0, 20}, true},
		{"pinctrl-bcm2835", 0, []int{0}, false},
		{"pinctrl-bcm2835", 2, nil, true},
		{"20ac000.gpio", 2, []int{1}, true}, // no Pi: the numbers mean something else
	} {
		err := checkPin(test.label, test.offset, test.buses)
		if (err == nil) != test.free {
			t.Errorf("%s line %d with buses %v: %v", test.label, test.offset, test.buses, err)
		}
	}
}

func TestButtonWithoutItsLine(t *testing.T) {
	t.Parallel()
	b, err := NewButton(ButtonOptions{Chip: "no such chip", Line: "17", Press: func(string) {}})
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "button on line 17") {
		t.Errorf("Run: %v, want an error that names the line", err)
	}
}
