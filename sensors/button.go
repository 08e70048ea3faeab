package sensors

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"time"
)

// ButtonOptions describe a push button on a GPIO line. Line and Press are required.
type ButtonOptions struct {
	Chip     string        // label or path of the GPIO chip; empty for the one behind the Pi's header
	Line     string        // offset on the chip, which on a Pi is the BCM number, or the line's name: 17, GPIO17
	Pull     string        // up, down or none; up by default
	Edge     string        // of a press: falling or rising; what Pull makes of a button by default
	Debounce time.Duration // how long a press has to last; 30 ms by default
	Buses    []int         // the I²C buses in use, whose pins are refused
	Press    func()        // called for each press, from the goroutine of Run, which goes on when it returns
	Log      *slog.Logger  // nil for none
}

// A Button watches a push button.
type Button struct{ o ButtonOptions }

// NewButton checks the options. The error joins all mistakes.
func NewButton(o ButtonOptions) (*Button, error) {
	o.Pull = cmp.Or(o.Pull, "up")
	edge := "falling"
	if o.Pull == "down" {
		edge = "rising"
	}
	o.Edge = cmp.Or(o.Edge, edge)
	o.Debounce = cmp.Or(o.Debounce, 30*time.Millisecond)
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	var errs []error
	if o.Line == "" {
		errs = append(errs, errors.New("line is missing: want its number, 17, or its name, GPIO17"))
	}
	if !slices.Contains([]string{"up", "down", "none"}, o.Pull) {
		errs = append(errs, fmt.Errorf("pull %q: want up, down or none", o.Pull))
	}
	if !slices.Contains([]string{"falling", "rising"}, o.Edge) {
		errs = append(errs, fmt.Errorf("edge %q: want falling or rising", o.Edge))
	}
	if o.Debounce < 0 || o.Debounce > time.Second {
		errs = append(errs, fmt.Errorf("debounce %v: want 0 to 1s", o.Debounce))
	}
	if offset, known := headerPin(o.Line); known && o.Chip == "" { // the header's, whatever it is called on this Pi
		if err := checkPin(headerChips[0], offset, o.Buses); err != nil {
			errs = append(errs, fmt.Errorf("no button there: %w", err))
		}
	}
	if o.Press == nil {
		errs = append(errs, errors.New("nothing is to be done at a press"))
	}
	return &Button{o}, errors.Join(errs...)
}

// Run watches the line until ctx ends; then it gives the line back, waits for its watcher and returns nil. It returns an
// error where the line cannot be had: no such chip or line, another program holds it, or I²C needs it.
func (b *Button) Run(ctx context.Context) error {
	if err := b.watch(ctx); err != nil {
		return fmt.Errorf("button on line %s: %w", b.o.Line, err)
	}
	return nil
}

// headerChips are the labels of the chips whose lines are the pins of a Pi's header, by their BCM numbers. Other chips of
// a Pi, such as raspberrypi-exp-gpio, drive its own LEDs and power.
var headerChips = []string{
	"pinctrl-bcm2835", // Pi 0 to 3
	"pinctrl-bcm2711", // Pi 4
	"pinctrl-rp1",     // Pi 5
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

// headerPin returns the BCM number of a line of the header that is given as a number or by a name that all Pis know.
func headerPin(line string) (int, bool) {
	named := map[string]int{"ID_SDA": 0, "ID_SCL": 1, "SDA1": 2, "SCL1": 3}
	if offset, ok := named[line]; ok {
		return offset, true
	}
	return lineOffset(strings.TrimPrefix(line, "GPIO"))
}

// lineOffset reads a line that is given as a number.
func lineOffset(line string) (int, bool) {
	n, err := strconv.ParseUint(line, 10, 16)
	return int(n), err == nil
}
