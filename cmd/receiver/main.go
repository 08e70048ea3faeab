// Command receiver is the cloud's end: it takes batches from a broker into a database exactly once, answers them with
// receipts, and shows what it has over HTTP. run.go reads like the drawing in the README. With no broker of yours it brings
// its own, which lets in the devices that `receiver device add` has registered, and nobody else.
//
// Exit codes: 0 done, 1 an operation failed, 2 the command line or a variable is wrong.
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

// errUsage marks an error that the user mends on the command line or in a variable.
var errUsage = errors.New("usage")

type subcommand struct {
	name, arguments, about string
	run                    func(ctx context.Context, args []string, out io.Writer) error
}

func subcommands() []subcommand {
	return []subcommand{
		{"serve", "[flags]", "receive until SIGTERM; -h lists the flags", serveCommand},
		{"device", "VERB [NAME] [flags]", "add, list, secret, activate, suspend, retire", deviceCommand},
		{"command", "DEVICE NAME [key=value …]", "send a command, now or when the device is back; list, withdraw", commandCommand},
		{"operator", "VERB [NAME] [flags]", "add, list, secret, remove who may send commands", operatorCommand},
		{"acl", "mosquitto [--passwords]", "print the access rules for a mosquitto of yours", aclCommand},
		{"completeness", "[--data FOLDER] [DEVICE]", "print what became of every number", completenessCommand},
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
		fmt.Fprintln(os.Stderr, "receiver:", strings.TrimPrefix(err.Error(), errUsage.Error()+": "))
		os.Exit(2)
	default:
		fmt.Fprintln(os.Stderr, "receiver:", err)
		os.Exit(1)
	}
}

func dispatch(ctx context.Context, args []string, out io.Writer) error {
	const about = "receiver takes readings from gateways into a database, exactly once."
	if len(args) == 0 {
		help(out, "receiver", about, subcommands())
		return nil
	}
	return choose(ctx, "receiver", about, subcommands(), args, out)
}

// choose runs the subcommand that args begin with, or says what there is.
func choose(ctx context.Context, program, about string, table []subcommand, args []string, out io.Writer) error {
	if asksHelp(args) {
		help(out, program, about, table)
		return nil
	}
	for _, c := range table {
		if len(args) > 0 && c.name == args[0] {
			err := c.run(ctx, args[1:], out)
			if h, ok := errors.AsType[helpWanted](err); ok {
				c.usage(out, program, h.flags)
				return nil
			}
			return err
		}
	}
	help(os.Stderr, program, about, table)
	if len(args) == 0 {
		return fmt.Errorf("%w: %s: want one of these", errUsage, program)
	}
	return fmt.Errorf("%w: %s: no subcommand %q", errUsage, program, args[0])
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
	if asksHelp(args) {
		return helpWanted{}
	}
	_, err := fmt.Fprintln(out, version)
	return err
}
