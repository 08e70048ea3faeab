package arch

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// A goPackage is what `go list -json` says of a package.
type goPackage struct {
	ImportPath, Dir                                    string
	GoFiles, IgnoredGoFiles, TestGoFiles, XTestGoFiles []string
	Imports, TestImports, XTestImports                 []string
}

// A module judges packages by their place in the tree: the path of the root package, and the table of doors.
type module struct {
	path  string
	doors []door
}

// Leaves stand above the root: they import it, the standard library and their doors. Adapters import leaves and the root,
// never one another. Commands and tests tie them together.
var (
	leaves   = []string{"wire", "mqtt", "rules", "internal"}
	adapters = []string{"sensors", "buffer", "uplink", "control", "balena", "dashboard", "rehearse", "receiver"}
	tops     = []string{"cmd", "test"}
	forTests = []string{"internal/testenv", "internal/proof"}
)

// check returns one line for each import that breaks a rule.
func (m module) check(packages []goPackage) []string {
	var wrong []string
	for _, p := range packages {
		from := m.place(p.ImportPath)
		for _, to := range p.Imports {
			wrong = append(wrong, m.checkImport(from, to, false)...)
		}
		for _, to := range slices.Concat(p.TestImports, p.XTestImports) {
			wrong = append(wrong, m.checkImport(from, to, true)...)
		}
		if family := family(from); from != "." && !slices.Contains(slices.Concat(leaves, adapters, tops), family) {
			wrong = append(wrong, fmt.Sprintf("%s: %s has no place in the tree of packages", from, family))
		}
	}
	return wrong
}

// place returns a package's folder in the tree: "." for the root.
func (m module) place(importPath string) string {
	if importPath == m.path {
		return "."
	}
	return strings.TrimPrefix(importPath, m.path+"/")
}

// family returns the first element of a place: the adapter that a subpackage belongs to.
func family(place string) string {
	first, _, _ := strings.Cut(place, "/")
	return first
}

func (m module) checkImport(from, importPath string, test bool) []string {
	breaks := func(format string, args ...any) []string {
		what := "imports"
		if test {
			what = "tests import"
		}
		return []string{fmt.Sprintf("%s: %s %s: %s", from, what, importPath, fmt.Sprintf(format, args...))}
	}
	switch first := family(importPath); {
	case within(importPath, m.path):
		if reason := forbidden(from, m.place(importPath), test); reason != "" {
			return breaks("%s", reason)
		}
	case strings.Contains(first, "."): // a domain: third party
		return m.checkDoor(from, importPath, test, breaks)
	}
	return nil
}

// forbidden says why one package of the module must not import another, or "".
func forbidden(from, to string, test bool) string {
	switch {
	case from == to: // an external test imports the package that it tests
		return ""
	case slices.Contains(forTests, to) && !test && family(from) != "test":
		return "only tests import it"
	case slices.Contains(tops, family(from)):
		if slices.Contains(tops, family(to)) && family(from) != family(to) {
			return "commands and end-to-end tests do not import each other"
		}
		return ""
	case to == ".":
		return ""
	case from == ".":
		return "the root imports the standard library only"
	case slices.Contains(tops, family(to)):
		return "nothing stands above commands and end-to-end tests"
	case slices.Contains(leaves, family(from)) && !(test && slices.Contains(forTests, to)):
		return "a leaf imports the root and the standard library only"
	case slices.Contains(adapters, family(to)) && family(from) != family(to):
		return "adapters never import one another"
	}
	return ""
}

func (m module) checkDoor(from, importPath string, test bool, breaks func(string, ...any) []string) []string {
	for _, d := range m.doors {
		if !within(importPath, d.module) {
			continue
		}
		allowed := d.in
		if test {
			allowed = slices.Concat(d.in, d.tests)
		}
		if !slices.ContainsFunc(allowed, func(pattern string) bool { return matches(pattern, from) }) {
			return breaks("its door is %q (%s)", allowed, d.why)
		}
		return nil
	}
	return breaks("it stands in no line of doors.go")
}

// checkDeps returns one line for each package among deps, the output of `go list -deps`, that is or lies within a banned one.
func checkDeps(of string, deps, banned []string) []string {
	var wrong []string
	for _, dep := range deps {
		for _, b := range banned {
			if dep == b || strings.Contains(b, ".") && within(dep, b) {
				wrong = append(wrong, fmt.Sprintf("%s: is compiled from %s", of, dep))
			}
		}
	}
	return wrong
}

// within reports whether an import path is that of a module or of a package in it.
func within(importPath, module string) bool {
	return importPath == module || strings.HasPrefix(importPath, module+"/")
}

func matches(pattern, place string) bool {
	ok, err := path.Match(pattern, place)
	return ok && err == nil
}
