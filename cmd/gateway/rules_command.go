package main

import (
	"context"
	"fmt"
	"io"
)

// rulesCommands is the table of what `gateway rules` does.
func rulesCommands() []subcommand {
	return []subcommand{
		{"check", "FILE [--url URL]", "check a set of rules; exit 2 with all mistakes", rulesCheck},
		{"explain", "RULE|ALERT [--url URL]", "say what a rule does and how it gets on, or what an alert is about", rulesExplain},
		{"rehearse", "FILE --last 24h | --csv FILE", "tell what a set of rules would have done", rulesRehearse},
	}
}

// rulesCommand is `gateway rules`.
func rulesCommand(ctx context.Context, args []string, out io.Writer) error {
	if len(args) == 0 || args[0] == "help" || args[0] == "-h" || args[0] == "--help" {
		rulesHelp(out)
		return nil
	}
	return choose(ctx, rulesCommands(), args, out, rulesHelp)
}

func rulesHelp(out io.Writer) {
	fmt.Fprintln(out, "gateway rules works with sets of rules; docs/rules says how they are written.")
	fmt.Fprintln(out)
	for _, c := range rulesCommands() {
		fmt.Fprintf(out, "  gateway rules %-9s %-36s %s\n", c.name, c.arguments, c.about)
	}
}
