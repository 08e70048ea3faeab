package rules

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"strings"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/conf"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/parser"
	"github.com/expr-lang/expr/types"
	"github.com/expr-lang/expr/vm"

	"holdfast"
)

// A formula is a compiled expression over one reading. It names quantities, which are numbers, and sensor, which is text.
//
// The language is expr-lang's without everything that loops or builds: no lists, maps, ranges, closures, variables,
// patterns, and none of its functions but those below. What is left computes once through each of at most maxNodes
// nodes, so that no expression takes long or grows large: there is no bomb to build from it.
type formula struct {
	program *vm.Program
	uses    []string // quantities, in the order in which they appear
	sensor  bool     // it asks for the sensor's name
}

// maxExpression and maxNodes bound a formula; maxCells is the VM's memory budget, for lists that no formula can make.
const (
	maxExpression = 2048
	maxNodes      = 200
	maxCells      = 1000
)

// operators are those of the language. There is no %, which fails on zero and takes no fractions.
const operators = " + - * / ** ^ == != < <= > >= and && or || not ! contains startsWith endsWith "

// A call is a function of the language, of one number or of two.
type call struct {
	name string
	one  func(float64) float64
	two  func(a, b float64) float64
}

// calls are all of them.
var calls = []call{
	{"abs", math.Abs, nil},
	{"ceil", math.Ceil, nil},
	{"exp", math.Exp, nil},
	{"floor", math.Floor, nil},
	{"ln", math.Log, nil},
	{"log10", math.Log10, nil},
	{"max", nil, math.Max},
	{"min", nil, math.Min},
	{"round", math.Round, nil},
	{"sqrt", math.Sqrt, nil},
}

// compile makes a formula whose result is of the given kind: float64, bool or string. The error says what is wrong, and
// where in the text where that is known.
func compile(text string, result reflect.Kind) (*formula, error) {
	if len(text) > maxExpression {
		return nil, fmt.Errorf("%d bytes: at most %d", len(text), maxExpression)
	}
	config := conf.CreateNew()
	config.MaxNodes = maxNodes
	tree, err := parser.ParseWithConfig(text, config)
	if err != nil {
		return nil, plainer(err)
	}
	f := new(formula)
	if err := f.check(tree.Node); err != nil {
		return nil, err
	}
	known := types.Map{"sensor": types.String}
	for _, quantity := range f.uses {
		known[quantity] = types.Float64
	}
	options := []expr.Option{
		expr.Env(known), expr.DisableAllBuiltins(), expr.MaxNodes(maxNodes), expr.Patch(fractions{}),
		expr.AsKind(result),
	}
	for i := range calls {
		options = append(options, calls[i].option())
	}
	if f.program, err = expr.Compile(text, options...); err != nil {
		return nil, plainer(err)
	}
	return f, nil
}

// plainer makes one line of a compiler's error.
func plainer(err error) error {
	var at *file.Error
	if !errors.As(err, &at) {
		return err
	}
	return fmt.Errorf("%s, at line %d, column %d of the expression", at.Message, at.Line, at.Column+1)
}

// check refuses what is not of the language, and notes what the formula uses.
func (f *formula) check(node ast.Node) error {
	switch n := node.(type) {
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.StringNode:
		return nil
	case *ast.IdentifierNode:
		return f.use(n.Value)
	case *ast.UnaryNode:
		return f.operation(n.Operator, n.Node)
	case *ast.BinaryNode:
		return f.operation(n.Operator, n.Left, n.Right)
	case *ast.ConditionalNode:
		return f.all(n.Cond, n.Exp1, n.Exp2)
	case *ast.CallNode:
		if callee, ok := n.Callee.(*ast.IdentifierNode); ok && isCall(callee.Value) {
			return f.all(n.Arguments...)
		}
		return fmt.Errorf("%.60s: no such function: want one of %s", n.Callee.String(), callNames())
	case *ast.BuiltinNode:
		if isCall(n.Name) {
			return f.all(n.Arguments...)
		}
		return fmt.Errorf("%s: no such function: want one of %s", n.Name, callNames())
	}
	return fmt.Errorf("%.60s: want numbers, text, quantities, sensor, operators, ? : and the functions %s", node.String(), callNames())
}

func (f *formula) all(nodes ...ast.Node) error {
	for _, node := range nodes {
		if err := f.check(node); err != nil {
			return err
		}
	}
	return nil
}

func (f *formula) operation(operator string, nodes ...ast.Node) error {
	if !strings.Contains(operators, " "+operator+" ") {
		return fmt.Errorf("%s: no such operator: want one of%s", operator, strings.TrimRight(operators, " "))
	}
	return f.all(nodes...)
}

func (f *formula) use(name string) error {
	if name == "sensor" {
		f.sensor = true
		return nil
	}
	if err := holdfast.CheckQuantity(name); err != nil {
		return err
	}
	for _, used := range f.uses {
		if used == name {
			return nil
		}
	}
	f.uses = append(f.uses, name)
	return nil
}

func isCall(name string) bool {
	for _, c := range calls {
		if c.name == name {
			return true
		}
	}
	return false
}

func callNames() string {
	var names []string
	for _, c := range calls {
		names = append(names, c.name)
	}
	return strings.Join(names, ", ")
}
