// Package policy decides what of a device's readings is worth sending: all of them, what rules make of them, or nothing
// for now.
//
// The package is pure: no clock, no I/O. What is known goes in as [Facts] and spans of time, a [Decision] comes out, and the
// same input gives the same output. [Limits.Decide] is the table of reasons in their order; [Switch] keeps a decision for a
// minute at least; [Stability] and [Volume] are the meters that give the facts.
//
// Nothing here flaps by itself. A limit that was passed has to be passed back by a margin before it counts as kept. And what
// every reading would cost is measured while they are withheld, too: a policy that looked at what it sends would find it cheap as
// soon as it had made it so.
//
// Not here: what is withheld and how, which is the gateway's; what a mode means to the link, which is package uplink's.
package policy
