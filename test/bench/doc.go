// Package bench measures what the gateway costs: bytes and flushes at a private block device, records a second, memory,
// processor, start, binary and wire, and how fast a backlog drains.
//
// Its benchmarks are tests that run only where HOLDFAST_BENCH=1 (`make bench`): they take minutes, want a quiet machine,
// and some of them root. Each figure is the median of several runs and goes to docs/benchmarks.md through [proof.Measure].
// Speeds of different stores are compared within one run, so that a busy machine slows all of them; bytes and flushes do
// not depend on how busy it is. A goal that is missed fails nothing: it is stated as missed.
//
// The block device is a loop device with an ext4 of its own, made and mounted with the defaults, and read from
// /sys/block: what reaches it is all that the file system writes for the buffer, journal included.
package bench
