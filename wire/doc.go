// Package wire turns the nouns of package holdfast into the bytes that travel over MQTT, and back: JSON in UTF-8 without
// HTML escapes and without a trailing newline, for batches optionally in a zstd frame, which a reader knows by its magic.
//
// Decoding is for hostile bytes. It never panics, never takes more memory than a small multiple of the message's limit
// (a compressed batch that would grow beyond [MaxBytes] is refused before it is expanded), and returns only what its
// Validate method accepts; every error of a Decode function wraps [holdfast.ErrInvalid]. It ignores unknown fields, so
// that fields may be added to the wire. Records within a batch stay raw: each of them stands or falls by itself, see
// [holdfast.DecodeRecord].
//
// Encoding validates too: what this package writes, it can read.
//
// The package is pure: no clock, no I/O, no goroutine. [Compress] and [Decompress] serve the buffer's blocks as well; they
// are set up for a Pi Zero, which means a window of 128 KiB and one encoder for the whole process.
package wire
