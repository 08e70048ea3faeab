package arch

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path"
	"strings"
)

// maxLines is where a file of the product has more than one idea.
const maxLines = 400

// minComment and maxComment bound a package comment, in lines.
const (
	minComment = 5
	maxComment = 30
)

// sleepers are the files that may call time.Sleep, each with its reason, besides the tests of packages that test in
// bubbles: there it costs nothing and races with nothing.
func sleepers() map[string]string {
	return map[string]string{
		"cmd/demo/start.go":        "polls processes that are no children of its own, to the end even after Ctrl-C",
		"sensors/simulated/bus.go": "is a slow bus: a transfer has no way out there either",
	}
}

// checkFile returns one line for each rule that a source file breaks. name is its path in the tree; bubbles says that the
// tests of its package run in bubbles.
func checkFile(name string, source []byte, bubbles bool) ([]string, error) {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, name, source, parser.SkipObjectResolution|parser.ParseComments)
	if err != nil {
		return nil, err
	}
	var wrong []string
	test := strings.HasSuffix(name, "_test.go")
	if n := fset.File(file.Pos()).LineCount(); n > maxLines && !test && !ast.IsGenerated(file) {
		wrong = append(wrong, fmt.Sprintf("%s: %d lines, at most %d: it has more than one idea", name, n, maxLines))
	}
	for _, decl := range file.Decls {
		if f, ok := decl.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == "init" {
			wrong = append(wrong, fmt.Sprintf("%s: func init: whoever needs it calls it", fset.Position(f.Pos())))
		}
	}
	if test && bubbles || sleepers()[name] != "" {
		return wrong, nil
	}
	for n := range ast.Preorder(file) {
		if isSleep(n) {
			wrong = append(wrong, fmt.Sprintf("%s: time.Sleep: wait for something, with a way out", fset.Position(n.Pos())))
		}
	}
	return wrong, nil
}

// isSleep reports whether n calls time.Sleep.
func isSleep(n ast.Node) bool {
	selector, ok := n.(*ast.SelectorExpr)
	if !ok || selector.Sel.Name != "Sleep" {
		return false
	}
	pkg, ok := selector.X.(*ast.Ident)
	return ok && pkg.Name == "time"
}

// commentLines returns how many lines of package comment a source file has.
func commentLines(name string, source []byte) (int, error) {
	file, err := parser.ParseFile(token.NewFileSet(), path.Base(name), source, parser.PackageClauseOnly|parser.ParseComments)
	if err != nil || file.Doc == nil {
		return 0, err
	}
	return strings.Count(strings.TrimSpace(file.Doc.Text()), "\n") + 1, nil
}
