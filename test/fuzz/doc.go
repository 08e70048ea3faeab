// Package fuzz runs every fuzz target of the module for a while, two at a time with one worker each, and counts what they
// executed. It finds the targets by itself: each function Fuzz… of a _test.go file. What a target checks stands with it,
// beside the code that it attacks; its seeds, and every input that once broke something, lie in testdata/fuzz/ there.
//
// HOLDFAST_FUZZ sets for how many seconds each target runs (0: not at all). An input that fails is written below testdata/fuzz/ by the
// go command; `go test -run Fuzz…/… PACKAGE` runs it again.
package fuzz
