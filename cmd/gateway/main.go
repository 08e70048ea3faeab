// Command gateway is the daemon on the Pi: it reads the sensors and the button, applies the rules, keeps every reading
// durably and forwards it over MQTT. run.go reads like the drawing in the README; each further file of this folder is one
// subcommand, or ties two parts together.
//
// Exit codes: 0 done, 1 an operation failed, 2 the command line or the configuration is wrong.
package main

import (
	"context"
	"io"

	"holdfast/internal/cli"
)

// version is set by the linker for a release.
var version = "dev"

// errUsage marks an error that the user mends on the command line or in the configuration.
var errUsage = cli.ErrUsage

func subcommands() []cli.Subcommand {
	return []cli.Subcommand{
		{Name: "run", Arguments: "[--simulate | --replay FILE] [--config FILE]", About: "measure, keep and forward until SIGTERM", Run: runCommand},
		{Name: "scan", Arguments: "[--simulate]", About: "print what answers on the I²C buses", Run: scanCommand},
		{Name: "sensors", About: "print every chip that is known, as docs/sensors.md has it", Run: sensorsCommand},
		{Name: "check", Arguments: "[--config FILE]", About: "check configuration and rules; exit 2 with all mistakes", Run: checkCommand},
		{Name: "rules", Arguments: "check FILE | rehearse FILE | explain ID", About: "work with sets of rules; `gateway rules` says how", Run: rulesCommand},
		{Name: "env", About: "print every variable with its meaning and default", Run: envCommand},
		{Name: "buffer", Arguments: "check FILE | salvage DAMAGED NEW", About: "examine a buffer file", Run: bufferCommand},
		{Name: "command", Arguments: "DEVICE NAME [key=value …]", About: "send a command to a gateway, a group (--group NAME) or --all, and print what they answer", Run: commandCommand},
		{Name: "shadow", Arguments: "get | set | delete DEVICE [key=value …]", About: "read a gateway's shadow, say what it should be, take that back", Run: shadowCommand},
		{Name: "health", Arguments: "[--url URL]", About: "exit 0 while the running gateway makes progress", Run: healthCommand},
		cli.Version("gateway", version),
	}
}

func main() { cli.Main("gateway", dispatch) }

func dispatch(ctx context.Context, args []string, out io.Writer) error {
	return cli.ChooseOrHelp(ctx, "gateway", "gateway reads sensors, keeps every reading and forwards it.", subcommands(), args, out)
}
