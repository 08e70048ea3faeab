// Package rehearse runs a set of rules over readings of the past, or of a file, and tells what it would have done: how
// often each rule would have fired and when, what would have gone up, and how many bytes that is.
//
// It is package rules itself that runs, with instants from the data: what is rehearsed is what a gateway does. Time passes
// in ticks of a second as it does there, from the whole second of the first reading on, but ticks in which nothing can be due
// are skipped, which changes nothing and takes a gap of days in microseconds. The wall clock is taken to be right and to
// run steadily, nobody acknowledges an alert, and nothing ever restarts. What is open when the readings end stays open:
// no window is closed early and no alert is cleared by the end.
//
// Bytes are those of the batches that a link which never fails carries: the records of a second share one. They are
// counted as JSON and as zstd, which a Holdfast receiver takes; of many batches some are compressed and stand for the others.
// What TCP and TLS add, receipts and the heartbeat are not in it.
//
// The package is pure: no clock, no I/O, no goroutine. A Rehearsal keeps no readings: its memory is that of the rules.
package rehearse
