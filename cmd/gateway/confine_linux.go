package main

import "syscall"

// confineData has the kernel refuse this process more than so many bytes of writable memory of its own.
func confineData(most uint64) error {
	return syscall.Setrlimit(syscall.RLIMIT_DATA, &syscall.Rlimit{Cur: most, Max: most})
}
