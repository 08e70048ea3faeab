package sensors

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"
)

// ButtonOptions describe a push button on a GPIO line. Line and Press are required.
type ButtonOptions struct {
	Chip     string        // label or path of the GPIO chip; empty for the one behind the Pi's header
	Line     string        // offset on the chip, which on a Pi is the BCM number, or the line's name: 17, GPIO17
	Pull     string        // up, down or none; up by default
	Edge     string        // of a press: falling or rising; what Pull makes of a button by default
	Debounce time.Duration // how long a press has to last; 30 ms by default
	Long     time.Duration // see [Contact]
	Double   time.Duration
	Buses    []int              // the I²C buses in use, whose pins are refused
	Press    func(press string) // called for each press, from the goroutine of Run, which goes on when it returns
	Log      *slog.Logger       // nil for none
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
	if err := checkLine(o.Chip, o.Line, o.Buses); err != nil {
		errs = append(errs, fmt.Errorf("no button there: %w", err))
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
