//go:build !linux

package sensors

import "fmt"

// An Output is a line of this Pi that is driven; elsewhere there is none.
type Output struct{}

// OpenOutput fails: only Linux has GPIO lines.
func OpenOutput(o OutputOptions, _ bool) (*Output, error) {
	return nil, fmt.Errorf("%s on line %s: only Linux has GPIO lines; the simulated Pi has virtual ones", o.Consumer, o.Line)
}

func (*Output) Set(bool) error { return nil }
func (*Output) Close() error   { return nil }
