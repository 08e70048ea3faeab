package sensors

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// headerChips are the labels of the chips whose lines are the pins of a Pi's header, by their BCM numbers. Other chips of
// a Pi, such as raspberrypi-exp-gpio, drive its own LEDs and power. The number of a chip says nothing: that of a Pi 5's
// header is gpiochip4 on one kernel and gpiochip0 on the next.
var headerChips = []string{
	"pinctrl-bcm2835", // Pi 0 to 3
	"pinctrl-bcm2711", // Pi 4
	"pinctrl-rp1",     // Pi 5
}

// A chipInfo is a GPIO chip as the kernel lists it.
type chipInfo struct{ file, name, label string }

// chooseChip returns which of the chips has that label, name or file; for "" the one behind the Pi's header.
func chooseChip(wanted string, chips []chipInfo) (int, error) {
	i := slices.IndexFunc(chips, func(c chipInfo) bool {
		if wanted == "" {
			return slices.Contains(headerChips, c.label)
		}
		return c.label == wanted || c.name == filepath.Base(wanted) || filepath.Base(c.file) == filepath.Base(wanted)
	})
	if i >= 0 {
		return i, nil
	}
	seen := []string{}
	for _, c := range chips {
		seen = append(seen, c.label)
	}
	if wanted == "" {
		wanted = "of a Pi's header"
	}
	return 0, fmt.Errorf("no GPIO chip %s among %q", wanted, seen)
}

// checkLine finds fault with a line before any chip is opened.
func checkLine(chip, line string, buses []int) error {
	if line == "" {
		return errors.New("line is missing: want its number, 17, or its name, GPIO17")
	}
	if offset, ok := headerOffset(line); ok && chip == "" { // the header's, whatever it is called on this Pi
		return checkPin(headerChips[0], offset, buses)
	}
	return nil
}

// checkPin refuses a pin of the header that an I²C bus in use needs: taking it would end that bus until the next boot.
func checkPin(label string, offset int, buses []int) error {
	pins := map[int]int{0: 0, 1: 0, 2: 1, 3: 1} // BCM number to the bus that has it
	bus, ok := pins[offset]
	if !ok || !slices.Contains(headerChips, label) || !slices.Contains(buses, bus) {
		return nil
	}
	return fmt.Errorf("BCM %d is a wire of i2c-%d, which is in use: take another pin, or switch that bus off", offset, bus)
}

// lineOffset reads a line that is given as a number.
func lineOffset(line string) (int, bool) {
	n, err := strconv.ParseUint(line, 10, 16)
	return int(n), err == nil
}

// headerOffset reads a line of the header that is given as a number, as GPIO and that number, or by the function that the
// kernel names it by: GPIO2 is SDA1 on a Pi.
func headerOffset(line string) (int, bool) {
	named := map[string]int{"ID_SDA": 0, "ID_SCL": 1, "SDA1": 2, "SCL1": 3}
	if offset, ok := named[line]; ok {
		return offset, true
	}
	return lineOffset(strings.TrimPrefix(line, "GPIO"))
}

// SameLine reports whether two lines are one, as far as their names tell.
func SameLine(chip, line, otherChip, otherLine string) bool {
	if filepath.Base(chip) != filepath.Base(otherChip) {
		return false
	}
	a, number := headerOffset(line)
	b, other := headerOffset(otherLine)
	return line == otherLine || number && other && a == b
}
