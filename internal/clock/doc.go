// Package clock looks at the device's clocks and says when wall time may be believed.
//
// A Pi has no clock until the network gives it one, so every reading is stamped with two: wall time, and the monotonic
// time of this boot. [Clock.Now] reads both at once, with the boot they belong to and whether the kernel says that wall
// time is synchronised. [Clock.Watch] reports the anchors that map a boot's monotonic time to wall time: one as soon as
// the clock is synchronised, one more whenever wall time steps.
//
// On Linux the monotonic clock is CLOCK_BOOTTIME, which also counts while the machine is suspended, the boot is the
// kernel's boot id, and the state of the clock is asked of adjtimex. Elsewhere a Clock stands in for a boot of its own and
// counts as synchronised: such a machine is somebody's laptop.
//
// The package sets no clock and speaks to no time server.
package clock
