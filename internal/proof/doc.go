// Package proof collects what the tests that try to break the promise tried, how often, and what came of it, and what
// the benchmarks measured, so that docs/reliability.md and docs/benchmarks.md are written by the runs themselves.
//
// A test calls [Record] once for each fault with its counts; a benchmark calls [Measure] once for each figure. Both write
// a line to the test's log and, where HOLDFAST_PROOF names a file, append a line of JSON to it. `go run
// ./test/report` makes the pages of such files.
//
// [Count] is how often a test tries: its own number in `make test`, a larger one from the environment in `make chaos`.
package proof
