// Package cli is how both programs are called: a table of subcommands, what -h prints of each, flags that say how they are
// written, and exit codes.
//
//	func main() { cli.Main("gateway", dispatch) }
//
// A subcommand that is asked for its usage returns [HelpWanted], and one that is called wrongly an error that wraps [ErrUsage].
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"unicode/utf8"
)

// ErrUsage marks an error that the user mends on the command line or in the configuration: exit code 2.
var ErrUsage = errors.New("usage")

// A Subcommand is one row of a table.
type Subcommand struct {
	Name, Arguments, About string
	Run                    func(ctx context.Context, args []string, out io.Writer) error
}

// Main runs a program until it ends or SIGINT or SIGTERM comes, and exits with 1 where it fails, with 2 at [ErrUsage].
func Main(program string, run func(ctx context.Context, args []string, out io.Writer) error) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	switch {
	case err == nil:
	case errors.Is(err, ErrUsage):
		fmt.Fprintf(os.Stderr, "%s: %s\n", program, strings.TrimPrefix(err.Error(), ErrUsage.Error()+": "))
		os.Exit(2)
	default:
		fmt.Fprintf(os.Stderr, "%s: %v\n", program, err)
		os.Exit(1)
	}
}

// Choose runs the subcommand that args begin with, or says what there is.
func Choose(ctx context.Context, program, about string, table []Subcommand, args []string, out io.Writer) error {
	if AsksHelp(args) {
		help(out, program, about, table)
		return nil
	}
	for _, c := range table {
		if len(args) > 0 && c.Name == args[0] {
			err := c.Run(ctx, args[1:], out)
			if h, ok := errors.AsType[HelpWanted](err); ok {
				c.usage(out, program, h)
				return nil
			}
			return err
		}
	}
	help(os.Stderr, program, about, table)
	if len(args) == 0 {
		return fmt.Errorf("%w: want one of the subcommands of %s", ErrUsage, program)
	}
	return fmt.Errorf("%w: %s has no subcommand %q", ErrUsage, program, args[0])
}

// ChooseOrHelp is Choose that says what there is where args are empty, and calls that no mistake.
func ChooseOrHelp(ctx context.Context, program, about string, table []Subcommand, args []string, out io.Writer) error {
	if len(args) == 0 {
		help(out, program, about, table)
		return nil
	}
	return Choose(ctx, program, about, table, args, out)
}

// Version is the subcommand that prints which version of a program this is.
func Version(program, version string) Subcommand {
	run := func(_ context.Context, args []string, out io.Writer) error {
		if err := Parse(NewFlags(program+" version"), args); err != nil {
			return err
		}
		_, err := fmt.Fprintln(out, version)
		return err
	}
	return Subcommand{Name: "version", About: "print the version", Run: run}
}

// help prints a table of subcommands.
func help(out io.Writer, program, about string, table []Subcommand) {
	fmt.Fprintf(out, "%s\n\n", about)
	names, arguments := 0, 0
	for _, c := range table {
		names, arguments = max(names, utf8.RuneCountInString(c.Name)), max(arguments, utf8.RuneCountInString(c.Arguments))
	}
	for _, c := range table {
		fmt.Fprintf(out, "  %s %-*s %-*s  %s\n", program, names, c.Name, arguments, c.Arguments, c.About)
	}
}

// usage prints how a subcommand is called.
func (c Subcommand) usage(out io.Writer, program string, h HelpWanted) {
	fmt.Fprintf(out, "usage: %s\n%s\n", strings.TrimSpace(program+" "+c.Name+" "+c.Arguments), c.About)
	if h.Flags != nil {
		h.Flags.SetOutput(out)
		h.Flags.PrintDefaults()
	}
}
