// Package uplink forwards the buffer's statements to a broker, and frees them when, and only when, the right party has
// answered for them.
//
// In receipt mode that party is the database that the gateway is bound to: a batch keeps its place in a window until a receipt
// of that store covers it, and the broker's PUBACK frees nothing. In puback mode it is the broker. Each lane has a
// window and a cursor of its own, so that an alert never waits behind telemetry. What was not answered for is sent again: in a
// new session, after a new start of the receiver, after 30 s without any receipt (one batch, then at doubled intervals up
// to 10 min, until a receipt comes), and where a later batch was receipted and this one was not. Sending twice is harmless,
// because every record has a number; freeing too early is not, and nothing here does it.
//
// Binding. A gateway is bound to one store at a time, durably. With Options.Pin that store is the only one ever obeyed.
// Without it the first receipt binds whose store some receiver announces as its own: a receipt, and not a presence, because it
// shows that the database took this gateway's data. Afterwards the store changes only when the receiver instance that the
// gateway is bound to announces another one, which is what a restore or a migration looks like. Every change of store first
// makes the queue offer everything again that its history has, then binds durably; a crash in between repeats both.
// Any other store is reported, never obeyed. Nothing that a broker carries changes the mode.
//
// A session is one connection and one goroutine: connect with a last will, subscribe and read the SUBACK, publish state and
// catalog, then forward until the link is gone. [Uplink.Run] makes sessions with full jitter between them for as long as its
// context lives, whatever the network does. The decisions (window, resending, back-off, poison, binding) are pure types
// without clock or connection, each in a file of its own.
//
// Not here: what a command means, what a batch holds, what is durable.
package uplink
