// Package mutants checks the proof itself: it builds variants of Holdfast that are broken on purpose, each in a way that
// other systems are, and shows that the tests which try to break the promise fail for each.
//
// A variant is one replacement in one source file, given to the compiler as an overlay: the tree is not touched, and
// programs that a test builds are of the variant too. For each variant the tests named with it run; at least one must fail,
// and by its own judgement: a variant that does not compile proves nothing. The same tests pass without it, which is what
// `make test` shows.
//
// HOLDFAST_MUTANTS=1 runs it; `make mutants` does.
package mutants
