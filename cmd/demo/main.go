// Command demo shows the whole system on one machine: it builds the gateway and the receiver, starts them as two
// processes, the gateway on a simulated Pi, and says what to try. It is what `make run` calls.
//
//	demo            both, until Ctrl-C
//	demo gateway    the gateway alone, with the same settings: for after you killed it
//	demo receiver   the receiver alone
//
// What the two keep lies in run/ beside the sources; starting again goes on where it was. It has no part in the product:
// it only starts what a user could start by hand, with the variables that part.environment shows.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := demo(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

func demo(ctx context.Context, args []string) error {
	if err := build(ctx); err != nil {
		return err
	}
	if err := provision(ctx); err != nil {
		return err
	}
	if len(args) == 0 {
		return both(ctx)
	}
	for _, p := range parts() {
		if p.name == args[0] {
			return alone(ctx, p)
		}
	}
	return errors.New(`want no argument, "gateway" or "receiver"`)
}
