package simulated

import "math"

// wordBE puts a number of 16 bits where the upper byte comes first.
func wordBE(b []byte, v int) { b[0], b[1] = byte(v>>8), byte(v) }

// wordLE puts a number of 16 bits where the lower byte comes first.
func wordLE(b []byte, v int) { b[0], b[1] = byte(v), byte(v>>8) }

// steps returns v in steps of a converter, held at the ends of its range.
func steps(v, step float64, lowest, highest int) int {
	return int(min(max(math.Round(v/step), float64(lowest)), float64(highest)))
}
