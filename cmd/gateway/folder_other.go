//go:build !linux

package main

import (
	"context"
	"log/slog"
)

// ownFolder does nothing: the buffer's own lock has to do.
func ownFolder(context.Context, string, *slog.Logger) (release func(), err error) {
	return func() {}, nil
}

// gatewayRuns does not know.
func gatewayRuns(string) (release func(), runs bool) { return func() {}, false }
