// Command gateway is the daemon on the Pi: it reads the sensors and the button, applies the rules, keeps every reading
// durably and forwards it over MQTT. run.go reads like the drawing in the README; each further file of this folder is one
// subcommand, or ties two parts together.
//
// Exit codes: 0 done, 1 an operation failed, 2 the command line or the configuration is wrong.
package main

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

// version is set by the linker for a release.
var version = "dev"

// errUsage marks an error that the user mends on the command line or in the configuration.
var errUsage = errors.New("usage")

type subcommand struct {
	name, arguments, about string
	run                    func(ctx context.Context, args []string, out io.Writer) error
}

func subcommands() []subcommand {
	return []subcommand{
		{"run", "[--simulate | --replay FILE] [--config FILE]", "measure, keep and forward until SIGTERM", runCommand},
		{"scan", "[--simulate]", "print what answers on the I²C buses", scanCommand},
		{"sensors", "", "print every chip that is known, as docs/sensors.md has it", sensorsCommand},
		{"check", "[--config FILE]", "check configuration and rules; exit 2 with all mistakes", checkCommand},
		{"rules", "check FILE | rehearse FILE | explain ID", "work with sets of rules; `gateway rules` says how", rulesCommand},
		{"env", "", "print every variable with its meaning and default", envCommand},
		{"buffer", "check FILE | salvage DAMAGED NEW", "examine a buffer file", bufferCommand},
		{"command", "DEVICE NAME [key=value …]", "send a command to a gateway, a group (--group NAME) or --all, and print what they answer", commandCommand},
		{"shadow", "get | set | delete DEVICE [key=value …]", "read a gateway's shadow, say what it should be, take that back", shadowCommand},
		{"health", "[--url URL]", "exit 0 while the running gateway makes progress", healthCommand},
		{"version", "", "print the version", versionCommand},
	}
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := dispatch(ctx, os.Args[1:], os.Stdout)
	switch {
	case err == nil:
	case errors.Is(err, errUsage):
		fmt.Fprintln(os.Stderr, "gateway:", strings.TrimPrefix(err.Error(), errUsage.Error()+": "))
		os.Exit(2)
	default:
		fmt.Fprintln(os.Stderr, "gateway:", err)
		os.Exit(1)
	}
}

func dispatch(ctx context.Context, args []string, out io.Writer) error {
	return choose(ctx, "gateway", "gateway reads sensors, keeps every reading and forwards it.", subcommands(), args, out)
}

// choose runs the subcommand that args begin with, or says what there is.
func choose(ctx context.Context, program, about string, table []subcommand, args []string, out io.Writer) error {
	if len(args) == 0 || args[0] == "help" || args[0] == "-h" || args[0] == "-help" || args[0] == "--help" {
		help(out, program, about, table)
		return nil
	}
	for _, c := range table {
		if c.name == args[0] {
			err := c.run(ctx, args[1:], out)
			if h, ok := errors.AsType[helpWanted](err); ok {
				c.usage(out, program, h.flags)
				return nil
			}
			return err
		}
	}
	help(os.Stderr, program, about, table)
	return fmt.Errorf("%w: no subcommand %q", errUsage, args[0])
}

// help prints a table of subcommands.
func help(out io.Writer, program, about string, table []subcommand) {
	fmt.Fprintf(out, "%s\n\n", about)
	names, arguments := 0, 0
	for _, c := range table {
		names, arguments = max(names, utf8.RuneCountInString(c.name)), max(arguments, utf8.RuneCountInString(c.arguments))
	}
	for _, c := range table {
		fmt.Fprintf(out, "  %s %-*s %-*s  %s\n", program, names, c.name, arguments, c.arguments, c.about)
	}
}

func versionCommand(_ context.Context, args []string, out io.Writer) error {
	if err := parse(newFlags("version"), args); err != nil {
		return err
	}
	_, err := fmt.Fprintln(out, version)
	return err
}
