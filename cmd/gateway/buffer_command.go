package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"

	"holdfast/buffer"
)

// bufferCommand examines a buffer file that no daemon has open.
func bufferCommand(ctx context.Context, args []string, out io.Writer) error {
	switch {
	case len(args) == 2 && args[0] == "check":
		report, err := buffer.Check(ctx, args[1])
		if err != nil {
			return err
		}
		_, err = fmt.Fprintln(out, report)
		return err
	case len(args) == 3 && args[0] == "salvage":
		report, err := buffer.Salvage(ctx, args[1], buffer.Options{Path: args[2], Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			return err
		}
		_, err = fmt.Fprintln(out, report)
		return err
	}
	return fmt.Errorf("%w: want `buffer check FILE` or `buffer salvage DAMAGED NEW`", errUsage)
}

// lastLine returns the last line of a program's output, at most 300 bytes of it.
func lastLine(out []byte) string {
	out = bytes.TrimSpace(out)
	out = out[bytes.LastIndexByte(out, '\n')+1:]
	return string(out[max(0, len(out)-300):])
}
