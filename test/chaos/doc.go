// Package chaos tries to break the promise by everything that happens to processes, networks and disks: gateway, receiver
// and broker run as real processes under a replay of numbered values; they are killed and hung, the connections on both
// sides of the broker go through a proxy that breaks them, the broker refuses, forgets and denies, database and disks are
// locked and full; and at the end the database is compared with the truth.
//
// The truth is the replay file and the replay's own log of the rows that it handed out, which it writes and fsyncs before
// it hands them out; nothing that the gateway or the receiver says of themselves counts. A row that was handed out must
// be in the database exactly once, unless the gateway was killed within the stated window behind it, or the ledger says of
// as many numbers that they were dropped for want of space; and every number of every stream must be in the ledger. A
// process that ends by itself is started again, as whoever runs a container does.
//
// faults_test.go has the faults. Each is tried alone (HOLDFAST_FAULTS sets how often), and all together, overlapping, at
// random, with kills in between (HOLDFAST_KILLS sets how many for each kind of broker). HOLDFAST_SEED replays a schedule.
// swap_test.go changes the gateway for another version under load, and there nothing at all may be missing.
// The clock is stepped in a bubble, see cmd/gateway.
package chaos
