// Package receiver is the cloud's end of the way: it takes batches from a broker into the database exactly once, says so
// with receipts, and can list every number that is not there, with the cause.
//
// One message goes validate → registry → ledger and rows in one transaction → acknowledge to the broker → receipt to the
// device. Messages that wait are committed together, at most 64 at a time. Nothing is acknowledged or receipted before the
// commit, so the process may die anywhere: whoever sent a batch sends it again, and the ledger adds only what is missing.
//
// What cannot be accepted becomes a dead letter with a reason, never silence:
//   - A record that is not valid rejects itself alone: its number is held in state rejected, and the receipt says so.
//   - A batch that is no statement gets no receipt. So that it cannot come back for ever, its third arrival is the last one:
//     where the range could be read, the range is held in state rejected and receipted. Where not even that could be read,
//     nobody knows what to receipt: the device repeats it at its own back-off, which costs one row and a counter here.
//   - A stream belongs to the device that first used it. From any other device there is no receipt, and an alarm.
//
// A commit that fails because of the database's health ends the connection, so that the broker sends again what was not
// acknowledged; the presence is offline meanwhile, for a receiver that cannot commit is none.
//
// The package decides; package store remembers. The ledger's arithmetic ([settle], [account]) is pure.
package receiver
