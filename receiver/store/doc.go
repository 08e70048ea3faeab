// Package store keeps what the receiver accepted: ledger, samples, records, devices, dead letters. It is the receiver's
// only door to SQL; SQLite is behind it, in one file, and another database can stand behind the same methods.
//
// Committed means that the bytes are on the disk: the file is in WAL mode with synchronous=FULL, and Open refuses to
// serve where reading the two settings back says otherwise. One connection writes, several read; a reader never waits for
// the writer.
//
// [Store.Write] runs one transaction; the methods of [Tx] are narrow, one statement or two each, and compose in it. They
// know no rules: which numbers a batch adds, what a boot event ends and what makes a dead letter is decided by package
// receiver. The other methods of [Store] read, and each of them is bounded by a limit that its caller gives.
//
// The 128 bits that name the store are minted by the first migration. A copy of the file has the same name; whoever
// restores one mints anew by changing the value in table meta.
//
// Times are UTC with microseconds. Errors name the operation; [ErrConflict] marks those which the statement itself caused,
// so that repeating it is of no use.
package store
