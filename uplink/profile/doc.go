// Package profile publishes readings for programs that know nothing of batches, numbers and receipts: those written for the
// older system (Flat), and those that want one plain message a reading (Plain).
//
// A [Profile] has a connection of its own, so that it neither holds up the uplink nor is held up by it. It follows the durable
// records with a cursor of its own, which moves when the broker has acknowledged what lies before it and is kept durably:
// every reading that the file still holds when its turn comes is published at least once, in order, with the same content
// each time. It holds nothing back: what leaves the file for want of space is not published. Whether the broker's
// acknowledgement frees a reading on the device is the business of [Options.Passed].
//
// Not here: what a key of the older system means for the gateway; [Device] is told.
package profile
