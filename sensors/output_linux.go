package sensors

import (
	"fmt"

	"github.com/warthog618/go-gpiocdev"
)

// An Output is a line of this Pi that is driven. Its methods may be called from any goroutine.
type Output struct{ line *gpiocdev.Line }

// OpenOutput takes a line and drives it on or off in the same step, so that it is never anything else in between. It fails
// where the line cannot be had: no such chip or line, somebody else holds it, or I²C needs it.
func OpenOutput(o OutputOptions, on bool) (*Output, error) {
	line, err := request(o, on)
	if err != nil {
		return nil, fmt.Errorf("%s on line %s: %w", o.Consumer, o.Line, err)
	}
	return &Output{line}, nil
}

func request(o OutputOptions, on bool) (*gpiocdev.Line, error) {
	if err := checkLine(o.Chip, o.Line, o.Buses); err != nil {
		return nil, err
	}
	chip, offset, err := openLine(o.Chip, o.Line, o.Buses)
	if err != nil {
		return nil, err
	}
	defer chip.Close()
	options := []gpiocdev.LineReqOption{gpiocdev.WithConsumer("holdfast " + o.Consumer), gpiocdev.AsOutput(level(on))}
	if o.ActiveLow {
		options = append(options, gpiocdev.AsActiveLow)
	}
	line, err := chip.RequestLine(offset, options...)
	if err != nil {
		return nil, requested(chip, offset, err)
	}
	if o.Log != nil {
		o.Log.Info("output is taken", "output", o.Consumer, "chip", chip.Label, "line", offset, "active_low", o.ActiveLow)
	}
	return line, nil
}

// Set switches the line.
func (o *Output) Set(on bool) error { return o.line.SetValue(level(on)) }

// Close gives the line back to the kernel; what its level is from then on the chip's driver decides.
func (o *Output) Close() error { return o.line.Close() }

func level(on bool) int {
	if on {
		return 1
	}
	return 0
}
