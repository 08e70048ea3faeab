// Command receiver is the cloud's end: it takes batches from a broker into a database exactly once, answers them with
// receipts, and shows what it has over HTTP. run.go reads like the drawing in the README. With no broker of yours it brings
// its own, which lets in the devices that `receiver device add` has registered, and nobody else.
//
// Exit codes: 0 done, 1 an operation failed, 2 the command line or a variable is wrong.
package main

import (
	"context"
	"io"

	"holdfast/internal/cli"
)

// version is set by the linker for a release.
var version = "dev"

// errUsage marks an error that the user mends on the command line or in a variable.
var errUsage = cli.ErrUsage

func subcommands() []cli.Subcommand {
	return []cli.Subcommand{
		{Name: "serve", Arguments: "[flags]", About: "receive until SIGTERM; -h lists the flags", Run: serveCommand},
		{Name: "device", Arguments: "VERB [NAME] [flags]", About: "add, list, secret, activate, suspend, retire", Run: deviceCommand},
		{Name: "command", Arguments: "DEVICE NAME [key=value …]", About: "send a command, now or when the device is back; list, withdraw", Run: commandCommand},
		{Name: "operator", Arguments: "VERB [NAME] [flags]", About: "add, list, secret, remove who may send commands", Run: operatorCommand},
		{Name: "acl", Arguments: "mosquitto [--passwords]", About: "print the access rules for a mosquitto of yours", Run: aclCommand},
		{Name: "completeness", Arguments: "[--data FOLDER] [DEVICE]", About: "print what became of every number", Run: completenessCommand},
		cli.Version("receiver", version),
	}
}

func main() { cli.Main("receiver", dispatch) }

func dispatch(ctx context.Context, args []string, out io.Writer) error {
	return cli.ChooseOrHelp(ctx, "receiver", "receiver takes readings from gateways into a database, exactly once.", subcommands(), args, out)
}
