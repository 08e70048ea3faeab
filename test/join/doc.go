// Package join shows with real processes what a user does to join a gateway to a receiver: from two empty folders, with one
// variable that carries everything, over TLS to the receiver's own broker, to the first row in the database.
//
// The time from the start of the receiver to that row has a limit. Building the programs is not part of it: users get them
// built. It runs where the other tests of whole processes do, and not under -short.
package join
