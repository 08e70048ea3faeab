package main

import (
	"context"
	"io"
)

// rulesCommands is the table of what `gateway rules` does.
func rulesCommands() []subcommand {
	return []subcommand{
		{"check", "FILE [--url URL]", "check a set of rules; exit 2 with all mistakes", rulesCheck},
		{"rehearse", "FILE --last 24h | --csv FILE", "tell what a set of rules would have done", rulesRehearse},
		{"explain", "RULE|ALERT [--url URL]", "say what a rule does and how it gets on, or what an alert is about", rulesExplain},
	}
}

// rulesCommand is `gateway rules`.
func rulesCommand(ctx context.Context, args []string, out io.Writer) error {
	return choose(ctx, "gateway rules", "gateway rules works with sets of rules; docs/rules says how they are written.", rulesCommands(), args, out)
}
