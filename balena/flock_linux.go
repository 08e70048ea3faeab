package balena

import (
	"fmt"
	"os"
	"syscall"
)

// flock takes the kernel's lock on an open file, or says at once that another process has it.
func flock(f *os.File) error {
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return fmt.Errorf("flock %s: %w", f.Name(), err)
	}
	return nil
}
