package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"

	"holdfast/buffer"
	"holdfast/internal/cli"
)

// bufferCommand examines a buffer file that no daemon has open, and prints what it found as JSON. BUFFER_MAX_BYTES caps the
// new file as it does for the daemon.
func bufferCommand(ctx context.Context, args []string, out io.Writer) error {
	if err := cli.Parse(cli.NewFlags("gateway buffer"), args); err != nil {
		return err
	}
	if err := confine(); err != nil {
		return err
	}
	var report buffer.Report
	var err error
	switch {
	case len(args) == 2 && args[0] == "check":
		report, err = buffer.Check(ctx, args[1])
	case len(args) == 3 && args[0] == "salvage":
		cfg, _ := loadConfig("", os.Getenv) // a mistake elsewhere does not matter here
		report, err = buffer.Salvage(ctx, args[1], buffer.Options{Path: args[2], MaxBytes: cfg.BufferMaxBytes, Log: slog.New(slog.DiscardHandler)})
	default:
		return fmt.Errorf("%w: want `buffer check FILE` or `buffer salvage DAMAGED NEW`", errUsage)
	}
	if err != nil {
		return err
	}
	return json.NewEncoder(out).Encode(report)
}

// lastLine returns the last line of a program's output, at most 300 bytes of it.
func lastLine(out []byte) string {
	out = bytes.TrimSpace(out)
	out = out[bytes.LastIndexByte(out, '\n')+1:]
	return string(out[max(0, len(out)-300):])
}
