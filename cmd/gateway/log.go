package main

import (
	"io"
	"log/slog"
)

// newLog returns the log and the level that a setting moves. It is text without colours: a supervisor reads it.
func newLog(out io.Writer, level string) (*slog.Logger, *slog.LevelVar) {
	now := new(slog.LevelVar)
	setLevel(now, level)
	return slog.New(slog.NewTextHandler(out, &slog.HandlerOptions{Level: now})), now
}

// setLevel moves the level; what is not a level leaves it where it was.
func setLevel(now *slog.LevelVar, level string) {
	var l slog.Level
	if l.UnmarshalText([]byte(level)) == nil {
		now.Set(l)
	}
}
