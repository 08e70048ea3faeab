// Package arch holds the project's shape as a test: which package may import which, where each third-party module has its
// door, and a few rules of style that a machine can see. `go test ./internal/arch` reads the whole module with `go list`
// and names every line that breaks a rule.
//
// doors.go is the table of third-party modules; a new dependency, or a new place for an old one, is one line there with
// its reason. graph.go has the rules about imports and is pure: it judges a list of packages. source.go has those about
// single files.
//
// What it does not do: it knows nothing of names, comments' worth or taste. Those are for the reader.
package arch
