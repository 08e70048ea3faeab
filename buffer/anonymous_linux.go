package buffer

import (
	"os"

	"golang.org/x/sys/unix"
)

// newAnonymous makes a file that is in memory only and ends with its last descriptor. It needs no file system that takes any.
func newAnonymous() (*os.File, error) {
	fd, err := unix.MemfdCreate("buffer", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("memfd_create", err)
	}
	return os.NewFile(uintptr(fd), "buffer in memory"), nil
}
