// Package testenv gives tests the real things: a mosquitto, a redis-server, and, for tests in a synctest bubble, an MQTT
// broker in memory.
//
// Servers listen on loopback only, on a port that was free, keep their files in a folder of the test, and are gone when the
// test ends. A test may kill one and start it again at the same address.
//
// Where a server is not installed the test says so and is skipped, so that `go test ./...` works on any laptop; with
// HOLDFAST_REQUIRE=1 in the environment, which `make test` sets, it fails instead: nothing is skipped unseen on CI. See
// [Need].
//
// Only tests import this package.
package testenv
