// Package crash takes the power away from the buffer at every point of its work, without a card to ruin.
//
// A workload runs the buffer under strace, which notes every write, truncation, sync and change of a name in the order in
// which they happened, and beside them what the workload had been told is durable. From that trace the test makes
// images: what a card may hold after the power failed at that point. Whatever an fsync returned for is there; each write
// behind it is there, or is not, or some of its sectors of 512 bytes are; they came in any order; and a name that came or
// went may have done so or not until its folder was synced. A process that is killed leaves its unsynced writes to the
// next one, so some runs end that way.
//
// Each image is started like the gateway starts: NeedsCheck, Check, Open. Then nothing that was durable may be missing
// or changed, nothing may be there that was never written, every number must be accounted for, and one more commit must
// work and be there after the next start. An image is opened by a child process, because a broken one can kill it.
//
// The control makes the same images of the same traces as if the buffer's file had never been synced; it must fail.
//
// HOLDFAST_IMAGES sets how many images are tried, HOLDFAST_SEED the seed of workload and choices. HOLDFAST_KEEP names a
// folder that takes failing images and their traces; HOLDFAST_TRACE names such a trace, to try it instead of a new one.
package crash
