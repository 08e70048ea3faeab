package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"time"

	"holdfast"
	"holdfast/balena"
	"holdfast/buffer"
)

// bufferFile is the name of the durable file in the data folder.
const bufferFile = "buffer.db"

// examineLimit bounds the examination of the file after an unclean stop; the largest file takes a Pi Zero a few seconds.
const examineLimit = time.Minute

// holdUpdates holds balena's updates back while a file that was not closed well is examined and salvaged: an update that cut
// this off would lose nothing, but begin it anew. It also ends what a killed gateway held.
func (g *gateway) holdUpdates(path string) (release func()) {
	locks := balena.NewLocks(g.balena.LockPath, g.log)
	if !buffer.NeedsCheck(path) && buffer.Unsalvaged(path) == "" {
		return func() {}
	}
	return locks.Hold("the examination of the buffer", openingLimit)
}

// openBuffer opens the buffer. After an unclean stop child processes look at the file first, because a damaged one kills
// the process that opens it; a damaged file is set aside and what can be read of it goes into a new one. The second
// result is what became of the file, nil where nothing did.
func openBuffer(ctx context.Context, o buffer.Options) (*buffer.Buffer, *holdfast.BufferChange, error) {
	var found error
	if buffer.NeedsCheck(o.Path) {
		_, found = examine(ctx, o, "check", o.Path)
	}
	b, damage, err := openExamined(ctx, o, found)
	if errors.Is(err, buffer.ErrDamaged) { // since a clean stop, which had vouched for it
		return openExamined(ctx, o, err)
	}
	return b, damage, err
}

// openExamined opens the buffer, or another in its place where the file was found damaged.
func openExamined(ctx context.Context, o buffer.Options, found error) (*buffer.Buffer, *holdfast.BufferChange, error) {
	if ctx.Err() != nil {
		return nil, nil, ctx.Err()
	}
	var damage *holdfast.BufferChange
	if found != nil {
		damage = &holdfast.BufferChange{State: "damaged", Error: found.Error()}
		damaged, err := buffer.Quarantine(o.Path) // refuses a file that another gateway works on
		if buffer.Refuses(err) {
			o.Refused = fmt.Errorf("the damaged file cannot be set aside before the next start: %w", err)
			b, err := buffer.Open(o)
			return b, damage, err
		}
		if err != nil {
			return nil, nil, fmt.Errorf("the buffer neither opens nor can be set aside; is another gateway running? %w", err)
		}
		o.Log.Error("buffer file is damaged and set aside", "file", damaged, "err", damage.Error)
	}
	if damaged := buffer.Unsalvaged(o.Path); damaged != "" { // also one that a power cut left so
		if damage == nil {
			damage = &holdfast.BufferChange{State: "damaged"}
		}
		if err := salvage(ctx, o, damaged, damage); err != nil {
			return nil, nil, err
		}
	}
	b, err := buffer.Open(o)
	return b, damage, err
}

// salvage brings what can be read of a damaged file into a new one. Failing to is no error: the daemon then starts with an
// empty file, and the damaged one stays for a person to look at.
func salvage(ctx context.Context, o buffer.Options, damaged string, damage *holdfast.BufferChange) error {
	report, err := examine(ctx, o, "salvage", damaged, o.Path)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		o.Log.Error("buffer file cannot be salvaged", "file", damaged, "err", err)
		damage.Error += "; nothing could be salvaged: " + err.Error()
		return nil
	}
	damage.Records = uint64(report.Records)
	return nil
}

// examine runs `gateway buffer …` as a child process, which may die of what it finds.
func examine(ctx context.Context, o buffer.Options, args ...string) (report buffer.Report, err error) {
	self, err := os.Executable()
	if err != nil {
		return report, err
	}
	ctx, cancel := context.WithTimeout(ctx, examineLimit)
	defer cancel()
	start := time.Now()
	child := exec.CommandContext(ctx, self, append([]string{"buffer"}, args...)...)
	child.SysProcAttr = apart() // Ctrl-C is for the daemon, which lets it finish
	child.Env = append(os.Environ(), "BUFFER_MAX_BYTES="+strconv.FormatInt(o.MaxBytes, 10))
	out, err := child.CombinedOutput()
	if err != nil {
		return report, fmt.Errorf("buffer %s: %w: %s", args[0], err, lastLine(out))
	}
	if err := json.Unmarshal([]byte(lastLine(out)), &report); err != nil {
		return report, fmt.Errorf("buffer %s: its report: %w", args[0], err)
	}
	o.Log.Info("buffer file examined", "how", args[0], "took", time.Since(start).Round(time.Millisecond), "records", report.Records, "lost", report.Lost)
	return report, nil
}
