// Package buffer keeps the gateway's records durably, in one bbolt file, until somebody else holds them.
//
// A record gets its number in the transaction that makes it durable: a number exists if and only if fsync returned for
// it, and it is never given twice. Each start mints a stream; each stream has three lanes ([holdfast.Lanes]), and each
// lane numbers its records from 1 without a gap. Of every number from 1 to a lane's head the file knows one of three
// things at any time: a block holds its record, or it is lost (and stated so, with the cause), or it is done.
//
// Producers append and go on ([Buffer.Append]) or wait until what they appended is durable ([Buffer.Commit]). The uplink
// takes the statements that are owed ([Buffer.Next]), says which are done ([Buffer.Done]), wanted again ([Buffer.Again])
// or impossible to send ([Buffer.Reject]). Done blocks stay as history ([Buffer.History]) until their share of the file
// is used up, and beside them readings that were withheld, which are nobody's to send ([Change].Local). [Buffer.Run] is the
// only writer.
//
// The file is bounded. When it is full the oldest telemetry goes first, and every number that goes is stated as dropped.
// When the card takes no more (full, read-only, broken) records wait in bounded memory; it goes on by itself afterwards.
// Where the folder takes no file at the start the file itself is in memory until it does, and the stream is volatile: the
// only numbers that exist without an fsync, and [Status] says so.
//
// A damaged bbolt file can kill the process that opens it, so a file that was not left clean is looked at by a child
// process first: [NeedsCheck], [Check], [Quarantine], [Salvage]. DESIGN.md beside this file says how and why.
package buffer
