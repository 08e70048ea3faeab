package rules

import (
	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/vm"

	"holdfast"
)

// fractions makes every number of an expression one with a fraction, so that 7 / 2 is 3.5 and nothing overflows.
type fractions struct{}

func (fractions) Visit(node *ast.Node) {
	if n, ok := (*node).(*ast.IntegerNode); ok {
		ast.Patch(node, &ast.FloatNode{Value: float64(n.Value)})
	}
}

// A calculation runs a formula again and again. It is for one goroutine.
type calculation struct {
	machine vm.VM
	values  map[string]any // what the formula uses
}

// run returns what the formula makes of a reading: a float64, bool or string. It returns nil where the reading lacks a
// quantity that the formula uses, or holds no good value of it.
func (c *calculation) run(f *formula, r *holdfast.Reading) (any, error) {
	if c.values == nil {
		c.values = make(map[string]any, len(f.uses)+1)
		c.machine.MemoryBudget = maxCells
	}
	for _, quantity := range f.uses {
		v, ok := good(r, quantity)
		if !ok {
			return nil, nil
		}
		c.values[quantity] = v
	}
	if f.sensor {
		c.values["sensor"] = r.Sensor
	}
	return c.machine.Run(f.program, c.values)
}

// option is the function as the compiler takes it. The compiler sees to number and types of the arguments.
func (c *call) option() expr.Option {
	if c.one != nil {
		return expr.Function(c.name, func(args ...any) (any, error) { return c.one(args[0].(float64)), nil }, c.one)
	}
	return expr.Function(c.name, func(args ...any) (any, error) { return c.two(args[0].(float64), args[1].(float64)), nil }, c.two)
}
