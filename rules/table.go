package rules

import "holdfast"

// kinds is the table of everything that a rule can be. The name is the key under which a rule is defined.
var kinds = []kind{
	{"threshold", parseThreshold, func() program { return new(threshold) }},
	{"aggregate", parseAggregate, func() program { return new(aggregate) }},
	{"deadband", parseDeadband, func() program { return new(deadband) }},
	{"rate", parseRate, func() program { return new(rate) }},
	{"absence", parseAbsence, func() program { return new(absence) }},
	{"anomaly", parseAnomaly, func() program { return new(anomaly) }},
	{"trend", parseTrend, func() program { return new(trend) }},
	{"expression", parseExpression, func() program { return new(expression) }},
	{"schedule", parseSchedule, func() program { return new(schedule) }},
}

// A kind makes programs: from the definition in a rules file, and blank ones to be filled from a checkpoint.
type kind struct {
	name  string
	parse func(*fields) program
	blank func() program
}

// A program is the definition of one rule. It does not change, and its JSON tells whether two definitions are the same.
type program interface {
	watches() pattern
	begin() memory // what the rule remembers of one sensor, at first nothing
}

// A memory is what a rule remembers of one sensor. Its JSON goes into checkpoints; "{}" means that it remembers nothing.
// Each method returns the records that follow. The instant handed to apply is the reading's. One whose tick does something
// is a [waker] too.
type memory interface {
	apply(o origin, r *holdfast.Reading, at holdfast.Instant) []holdfast.Record
	tick(o origin, at holdfast.Instant) []holdfast.Record
	reboot(o origin, at holdfast.Instant) []holdfast.Record // it was saved in an earlier boot
	retire(o origin, at holdfast.Instant) []holdfast.Record // its rule is gone; it is not used again
}

// An origin tells a memory what to write into its records.
type origin struct {
	rule    string
	version int
	sensor  string
	group   string // the sensor where the rule watches several, else ""
	newID   func() string
	resting bool        // nothing is measured
	fate    *Fate       // of the reading
	failed  func(error) // counts and reports what went wrong without a panic
}
