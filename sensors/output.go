package sensors

import "log/slog"

// OutputOptions describe a line that is driven: a lamp, a relay. Line and Consumer are required.
type OutputOptions struct {
	Chip      string       // label or path of the GPIO chip; empty for the one behind the Pi's header
	Line      string       // offset on the chip, which on a Pi is the BCM number, or the line's name: 27, GPIO27
	ActiveLow bool         // on is the low level, as of most relay boards
	Consumer  string       // what the kernel shows to others who want the line
	Buses     []int        // the I²C buses in use, whose pins are refused
	Log       *slog.Logger // nil for none
}
