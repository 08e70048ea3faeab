package clock

import (
	"time"

	"holdfast"
)

// A Clock reads the device's clocks. Its methods may be called from any goroutine.
type Clock struct {
	boot     string
	start    time.Time // zero of the monotonic clock where the system has none of its own
	asserted bool
}

// An Option changes what [New] makes.
type Option func(*Clock)

// AssertSynchronized makes the clock count as synchronised whatever the kernel says: for a simulated Pi, whose wall time
// is the host's, and for a device that an operator vouches for.
func AssertSynchronized() Option { return func(c *Clock) { c.asserted = true } }

// New returns the clock of this boot.
func New(options ...Option) *Clock {
	c := &Clock{boot: bootID(), start: time.Now()}
	for _, set := range options {
		set(c)
	}
	return c
}

// Boot returns the id of this boot: the kernel's on Linux, else one of this Clock.
func (c *Clock) Boot() string { return c.boot }

// Now looks at the clocks.
func (c *Clock) Now() holdfast.Instant {
	now, _ := c.look()
	return now
}

// look returns the instant and how far its wall time may be off against its monotonic time: half of the time that
// reading them took, and the error that the kernel itself admits.
func (c *Clock) look() (holdfast.Instant, time.Duration) {
	before := monotonic(c.start)
	wall := time.Now()
	took := monotonic(c.start) - before
	synchronized, estimate := kernelSync()
	if c.asserted {
		synchronized, estimate = true, 0
	}
	return holdfast.Instant{
		Time:         holdfast.Micro(wall),
		Boot:         c.boot,
		Mono:         before + took/2,
		Synchronized: synchronized,
	}, estimate + time.Duration(took/2)*time.Microsecond
}
