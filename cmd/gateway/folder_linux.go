package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// How often a folder that another gateway works on is looked at, and how often that is said.
const (
	folderLook = time.Second
	folderTell = time.Minute
)

// ownFolder makes this process the only gateway that works on the folder, until release is called or the process ends. While
// another is at it, as the old container may be during an update, it waits: to end would only be to be started again. An
// error of ctx is all that it returns; where the lock cannot be had for another reason the buffer's own has to do.
func ownFolder(ctx context.Context, folder string, log *slog.Logger) (release func(), err error) {
	nothing := func() {}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		log.Warn("data folder is not locked", "folder", folder, "err", err)
		return nothing, nil
	}
	path := filepath.Join(folder, "gateway.lock")
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		f, err = os.Open(path) // a read-only folder has the last start's
	}
	if err != nil {
		log.Warn("data folder is not locked", "folder", folder, "err", err)
		return nothing, nil
	}
	tick := time.NewTicker(folderLook)
	defer tick.Stop()
	for told := (time.Time{}); ; {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		switch {
		case err == nil:
			return func() { f.Close() }, nil
		case !errors.Is(err, syscall.EWOULDBLOCK):
			log.Warn("data folder is not locked", "folder", folder, "err", err)
			return func() { f.Close() }, nil
		case time.Since(told) >= folderTell:
			told = time.Now()
			log.Error("another gateway works on this data folder; this one waits until it ends, and measures nothing", "folder", folder)
		}
		select {
		case <-ctx.Done():
			f.Close()
			return nothing, ctx.Err()
		case <-tick.C:
		}
	}
}

// gatewayRuns reports whether a gateway works on the folder. Where none does, one that starts waits until release is called.
// Where nobody may know, there is none.
func gatewayRuns(folder string) (release func(), runs bool) {
	f, err := os.Open(filepath.Join(folder, "gateway.lock"))
	if err != nil {
		return func() {}, false
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	return func() { f.Close() }, errors.Is(err, syscall.EWOULDBLOCK)
}
