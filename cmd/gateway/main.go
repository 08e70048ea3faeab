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
		{"rules", "check FILE | explain ID", "work with sets of rules; `gateway rules` says how", rulesCommand},
		{"env", "", "print every variable with its meaning and default", envCommand},
		{"buffer", "check FILE | salvage DAMAGED NEW", "examine a buffer file", bufferCommand},
		{"command", "DEVICE|--group NAME|--all NAME [key=value …] [--wait 10s]", "send a command to gateways and print the results", commandCommand},
		{"shadow", "get DEVICE | set DEVICE key=value … | delete DEVICE", "read a gateway's shadow, say what it should be, take that back", shadowCommand},
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
	if len(args) == 0 || args[0] == "help" || args[0] == "-h" || args[0] == "--help" {
		help(out)
		return nil
	}
	return choose(ctx, subcommands(), args, out, help)
}

// choose runs the subcommand that args begin with.
func choose(ctx context.Context, table []subcommand, args []string, out io.Writer, help func(io.Writer)) error {
	for _, c := range table {
		if c.name == args[0] {
			return c.run(ctx, args[1:], out)
		}
	}
	help(os.Stderr)
	return fmt.Errorf("%w: no subcommand %q", errUsage, args[0])
}

func help(out io.Writer) {
	fmt.Fprintln(out, "gateway reads sensors, keeps every reading and forwards it.")
	fmt.Fprintln(out)
	for _, c := range subcommands() {
		fmt.Fprintf(out, "  gateway %-8s %-44s %s\n", c.name, c.arguments, c.about)
	}
}

func versionCommand(_ context.Context, _ []string, out io.Writer) error {
	_, err := fmt.Fprintln(out, version)
	return err
}
