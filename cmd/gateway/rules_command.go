package main

import (
	"context"
	"io"

	"holdfast/internal/cli"
)

// rulesCommands is the table of what `gateway rules` does.
func rulesCommands() []cli.Subcommand {
	return []cli.Subcommand{
		{Name: "check", Arguments: "FILE [--url URL]", About: "check a set of rules; exit 2 with all mistakes", Run: rulesCheck},
		{Name: "rehearse", Arguments: "FILE --last 24h | --csv FILE", About: "tell what a set of rules would have done", Run: rulesRehearse},
		{Name: "explain", Arguments: "RULE|ALERT [--url URL]", About: "say what a rule does and how it gets on, or what an alert is about", Run: rulesExplain},
	}
}

// rulesCommand is `gateway rules`.
func rulesCommand(ctx context.Context, args []string, out io.Writer) error {
	return cli.ChooseOrHelp(ctx, "gateway rules", "gateway rules works with sets of rules; docs/rules says how they are written.", rulesCommands(), args, out)
}
