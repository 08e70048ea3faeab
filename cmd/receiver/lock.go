package main

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// lock takes the data folder for this process, and creates it. Two receivers on one folder would write into one broker's
// store. The kernel gives the lock back however the process ends.
func lock(folder string) (*os.File, error) {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(folder, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		return nil, fmt.Errorf("data folder %s: another receiver works in it", folder)
	}
	return f, nil
}
