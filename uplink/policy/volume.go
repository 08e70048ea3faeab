package policy

import (
	"math"
	"time"
)

const (
	pace    = time.Hour       // the rate of readings is that of about the past hour
	soonest = 4 * time.Minute // and not known before
	span    = 100_000         // how records pack is an average of about so many bytes of them
	least   = 10_000          // and not known before
	day     = 24 * time.Hour
	mega    = 1e6
)

// Volume is how many bytes a day all readings make on the link: the bytes of their JSON, extrapolated, times what batches add
// and compression takes away. Its JSON is kept over restarts.
type Volume struct {
	Bytes   float64 `json:"bytes"`   // of readings; this and the next fade
	Seconds float64 `json:"seconds"` // in which they were made
	Wire    float64 `json:"wire"`    // bytes on the link; this and the next fade
	Records float64 `json:"records"` // the same as JSON
}

// Made notes the JSON bytes of all readings that were made in the past span of time, sent or not.
func (v *Volume) Made(bytes uint64, passed time.Duration) {
	fade := math.Exp(-float64(passed) / float64(pace))
	v.Bytes = v.Bytes*fade + float64(bytes)
	v.Seconds = v.Seconds*fade + passed.Seconds()
}

// Packed notes that records of so many bytes travelled as so many others. It is to be called for what is sent in mode raw only:
// aggregates pack otherwise.
func (v *Volume) Packed(records, wire uint64) {
	fade := math.Exp(-float64(records) / span)
	v.Records = v.Records*fade + float64(records)
	v.Wire = v.Wire*fade + float64(wire)
}

// PerDay returns the MB of a day; 0 in the first minutes, when it is not known.
func (v *Volume) PerDay() float64 {
	if !(v.Seconds >= soonest.Seconds()) {
		return 0
	}
	return v.Bytes / v.Seconds * day.Seconds() * v.packing() / mega
}

// packing is how many bytes a byte of JSON takes on the link; 1 where that is not known.
func (v *Volume) packing() float64 {
	if !(v.Records >= least) {
		return 1
	}
	return v.Wire / v.Records
}
