package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"time"

	"holdfast"
	"holdfast/buffer"
)

// bufferFile is the name of the durable file in the data folder.
const bufferFile = "buffer.db"

// examineLimit bounds the examination of the file after an unclean stop; the largest file takes a Pi Zero a few seconds.
const examineLimit = 2 * time.Minute

// openBuffer opens the buffer. After an unclean stop child processes look at the file first, because a damaged one kills
// the process that opens it; a damaged file is set aside and what can be read of it goes into a new one. The second
// result is what became of the file, nil where nothing did.
func openBuffer(ctx context.Context, o buffer.Options) (*buffer.Buffer, *holdfast.BufferChange, error) {
	var damage *holdfast.BufferChange
	if buffer.NeedsCheck(o.Path) {
		if err := examine(ctx, o.Log, "check", o.Path); err != nil {
			if ctx.Err() != nil {
				return nil, nil, ctx.Err()
			}
			damage = &holdfast.BufferChange{State: "damaged", Error: err.Error()}
			if err := setAside(ctx, o.Log, o.Path, damage); err != nil {
				return nil, nil, err
			}
		}
	}
	b, err := buffer.Open(o)
	return b, damage, err
}

// setAside moves a damaged file out of the way and salvages what it can into a new one. Failing to salvage is not an
// error: the daemon then starts with an empty file, and the damaged one stays for a person to look at.
func setAside(ctx context.Context, log *slog.Logger, path string, damage *holdfast.BufferChange) error {
	damaged, err := buffer.Quarantine(path)
	if err != nil {
		return fmt.Errorf("set the damaged buffer aside: %w", err)
	}
	log.Error("buffer file is damaged and set aside", "file", damaged, "err", damage.Error)
	if err := examine(ctx, log, "salvage", damaged, path); err != nil {
		log.Error("buffer file cannot be salvaged", "file", damaged, "err", err)
		os.Remove(path)
	}
	return ctx.Err()
}

// examine runs `gateway buffer …` as a child process, which may die of what it finds.
func examine(ctx context.Context, log *slog.Logger, args ...string) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, examineLimit)
	defer cancel()
	start := time.Now()
	out, err := exec.CommandContext(ctx, self, append([]string{"buffer"}, args...)...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("buffer %s: %w: %s", args[0], err, lastLine(out))
	}
	log.Info("buffer file examined", "how", args[0], "took", time.Since(start).Round(time.Millisecond), "result", lastLine(out))
	return nil
}
