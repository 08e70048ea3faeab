package buffer

import (
	"errors"
	"os"
	"syscall"
)

// held reports whether another process has the buffer at path open, by bbolt's own lock: to ask bbolt would be to open a
// file that may be damaged.
func held(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	return errors.Is(syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB), syscall.EWOULDBLOCK)
}
