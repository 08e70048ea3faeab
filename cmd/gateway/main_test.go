package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"testing"

	"holdfast/buffer"
)

// TestMain lets this test program stand in for `gateway run`, and for `gateway buffer …`, the child that looks at the file
// after a crash. The latter does without the child's limits of memory: the race detector does not fit in them.
func TestMain(m *testing.M) {
	switch {
	case len(os.Args) > 1 && os.Args[1] == "run":
		main()
		return
	case len(os.Args) < 2 || os.Args[1] != "buffer":
		os.Exit(m.Run())
	}
	report, err := examineHere(os.Args[2:])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	json.NewEncoder(os.Stdout).Encode(report)
}

// examineHere is bufferCommand without the confinement.
func examineHere(args []string) (buffer.Report, error) {
	switch {
	case len(args) == 2 && args[0] == "check":
		return buffer.Check(context.Background(), args[1])
	case len(args) == 3 && args[0] == "salvage":
		return buffer.Salvage(context.Background(), args[1], buffer.Options{Path: args[2], Log: slog.New(slog.DiscardHandler)})
	}
	return buffer.Report{}, fmt.Errorf("%w: %q", errUsage, args)
}
