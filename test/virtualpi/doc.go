// Package virtualpi boots the arm build on a real kernel: a board with I²C, GPIO and Ethernet that QEMU emulates, under
// Debian's own armmp kernel. It is the rung of the test ladder that a fake bus cannot climb: ioctls, errnos, kernel
// debounce and chip models that nobody here wrote.
//
// [Prepare] builds an [Image] once and keeps it in a cache folder: kernel, device tree, and a root file system in memory
// with busybox and the few modules that the board needs, all from Debian's signed packages. [Start] boots a [Machine]
// from it, with the caller's files laid over that root file system. The guest then takes shell commands ([Machine.Run]),
// and the host plays the world outside: it sets what a chip measures ([Machine.Set]) and drives the line of the button
// ([Machine.SetLine]). A machine may have a [Disk] whose cache forgets what was not flushed: to close the
// machine is then to cut its power, and another one is started from the same disk.
//
// The board is the i.MX6 SABRE Lite, because Debian 12's QEMU models no Raspberry Pi with an I²C bus. What differs from
// a Pi: an absent address answers with ETIMEDOUT after 0.13 s instead of EREMOTEIO at once, an undriven line reads 0 in spite of its pull-up,
// chips cannot be unplugged (put them behind a pca9546 and close its channel), and the guest cannot switch the power off.
// The clock starts in 1970, as on a Pi without network time.
//
// HOLDFAST_CUTS sets how often the power is cut, HOLDFAST_SEED replays the instants. Run it with -count=1: the go command
// does not know that the result depends on programs which the test builds itself.
//
// Nothing of a machine outlives its test but its disk: QEMU and the disk's server are killed with the context, with
// [Machine.Close], and by the kernel when the test process dies. All their connections are inherited socket pairs, so no
// socket file is left behind either.
package virtualpi
