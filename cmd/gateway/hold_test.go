package main

import (
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"holdfast/balena"
)

// Updates are held back while a file that was not closed well is looked at, and not for a new one.
func TestHoldUpdates(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	lock, file := filepath.Join(dir, "updates.lock"), filepath.Join(dir, bufferFile)
	g := &gateway{balena: balena.Environment{LockPath: lock}, log: slog.New(slog.DiscardHandler)}
	held := func() bool {
		_, err := os.Stat(lock)
		return err == nil
	}
	release := g.holdUpdates(file)
	if held() {
		t.Error("held for a file that is not there")
	}
	release()
	if err := os.WriteFile(file, []byte("not closed well"), 0o600); err != nil {
		t.Fatal(err)
	}
	release = g.holdUpdates(file)
	if !held() {
		t.Error("not held while the file is looked at")
	}
	release()
	if held() {
		t.Error("still held")
	}
}
