// Package holdfast declares the nouns that the gateway on the Pi and the receiver in the cloud share: readings and what
// rules derive from them, the batches that carry them, the receipts that answer, status, catalog, settings, commands and
// the shadow; their JSON, and their validation.
//
// The package is pure: no clock, no I/O, the standard library only. Everything else in the module is an adapter that
// speaks these nouns. testdata/ holds one golden file for each message of the wire; the tests of both sides read them.
//
// Conventions of every type here: times are UTC with microseconds at most (see [Micro]); monotonic time is
// CLOCK_BOOTTIME in microseconds; values carry their base unit in the quantity's name (temperature_celsius). Readers
// ignore unknown fields; writers send only what is declared. Decoding never panics, and a Validate method returns nil or
// an error that says where the fault is and what would be right.
package holdfast

// Version is the wire format that this package speaks, the "v" of every message.
const Version = 1
