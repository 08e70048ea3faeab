package clock

import (
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"holdfast"
)

// bootID returns the kernel's boot id. Where /proc is hidden it is random, as elsewhere: two boots must never share an id,
// while two ids for one boot cost no more than an anchor.
func bootID() string {
	id, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if text := strings.TrimSpace(string(id)); err == nil && text != "" && len(text) <= 64 {
		return text
	}
	return holdfast.NewStream().String()
}

// monotonic returns CLOCK_BOOTTIME in µs. The call cannot fail: every kernel that Go runs on has that clock.
func monotonic(time.Time) int64 {
	var t unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_BOOTTIME, &t)
	return int64(t.Sec)*1e6 + int64(t.Nsec)/1e3 // both are 32 bit wide on a 32-bit Pi
}

// kernelSync asks the kernel whether wall time is synchronised and how far it may be off at most. Reading needs no
// capability; where a sandbox forbids it all the same, the clock is not known to be right and counts as wrong.
func kernelSync() (bool, time.Duration) {
	var t unix.Timex
	state, err := unix.Adjtimex(&t)
	if err != nil || state == unix.TIME_ERROR || t.Status&unix.STA_UNSYNC != 0 {
		return false, 0
	}
	return true, time.Duration(t.Maxerror) * time.Microsecond
}
