//go:build !linux

package clock

import (
	"time"

	"holdfast"
)

// bootID returns a random id: it and the zero of the monotonic clock belong to one Clock.
func bootID() string { return holdfast.NewStream().String() }

// monotonic returns µs since start.
func monotonic(start time.Time) int64 { return time.Since(start).Microseconds() }

func kernelSync() (bool, time.Duration) { return true, 0 }
