package main

import (
	"errors"
	"fmt"
	"syscall"
	"unsafe"
)

// Numbers of linux/prctl.h and linux/capability.h.
const (
	prSetNoNewPrivs     = 38
	prCapbsetDrop       = 24
	prCapAmbient        = 47
	prCapAmbientClear   = 4
	capabilityVersion3  = 0x20080522
	capDacOverride      = 1  // a data folder, or a device node, that belongs to another user
	capNetBindService   = 10 // a page on port 80
	lastCapability      = 63 // the kernel says EINVAL from the first on that it does not know
	keptCapabilities    = 1<<capDacOverride | 1<<capNetBindService
	capabilitiesPerWord = 32
)

// dropPrivileges gives up, for good and for every thread and child of this process, what the gateway does not need: all
// capabilities but two, and the means to gain others. Buses and lines that come back later still open: root owns their
// nodes, and to use them takes no capability. Without any privileges it has nothing to do, and does that.
func dropPrivileges() error {
	_, _, errno := syscall.AllThreadsSyscall6(syscall.SYS_PRCTL, prSetNoNewPrivs, 1, 0, 0, 0, 0)
	if errno != 0 {
		return fmt.Errorf("no_new_privs: %w", errno) // ENOTSUP where C is linked in
	}
	var mistakes []error
	for c := range uintptr(lastCapability + 1) {
		if keptCapabilities>>c&1 == 1 {
			continue
		}
		_, _, errno := syscall.AllThreadsSyscall(syscall.SYS_PRCTL, prCapbsetDrop, c, 0)
		if errno == syscall.EINVAL || errno == syscall.EPERM { // no such capability; or none to drop others with
			break
		}
		if errno != 0 {
			mistakes = append(mistakes, fmt.Errorf("drop capability %d from the bounding set: %w", c, errno))
		}
	}
	// A kernel before 4.3 has no ambient set.
	if _, _, errno := syscall.AllThreadsSyscall6(syscall.SYS_PRCTL, prCapAmbient, prCapAmbientClear, 0, 0, 0, 0); errno != 0 && errno != syscall.EINVAL {
		mistakes = append(mistakes, fmt.Errorf("clear the ambient set: %w", errno))
	}
	return errors.Join(append(mistakes, reduce())...)
}

type capabilityHeader struct {
	version uint32
	pid     int32 // 0: the calling thread
}

type capabilityWord struct{ effective, permitted, inheritable uint32 }

// reduce leaves of the capabilities that this process has those that it keeps.
func reduce() error {
	header := capabilityHeader{version: capabilityVersion3}
	var words [2]capabilityWord
	if _, _, errno := syscall.RawSyscall(syscall.SYS_CAPGET, uintptr(unsafe.Pointer(&header)), uintptr(unsafe.Pointer(&words)), 0); errno != 0 {
		return fmt.Errorf("read capabilities: %w", errno)
	}
	for i := range words {
		kept := uint32(uint64(keptCapabilities) >> (i * capabilitiesPerWord))
		words[i].permitted &= kept
		words[i].effective &= kept
		words[i].inheritable = 0
	}
	if _, _, errno := syscall.AllThreadsSyscall(syscall.SYS_CAPSET, uintptr(unsafe.Pointer(&header)), uintptr(unsafe.Pointer(&words)), 0); errno != 0 {
		return fmt.Errorf("give capabilities up: %w", errno)
	}
	return nil
}
